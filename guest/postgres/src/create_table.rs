//! CreateTableV2: creates a table.

use airlock_connector::schemars::{self, JsonSchema};
use airlock_connector::{
    Access, Call, Failure, Handler, Ident, Parameter, Plan, QualifiedName, Reply, Sql, Statement,
    params,
};
use serde::Deserialize;

use crate::OnTable;
use crate::errors::{self, SYNTAX_ERROR};
use crate::grammar;

/// Columns of the new table.
#[derive(Deserialize, JsonSchema)]
#[serde(
    expecting = "an object such as {\"column_definitions\": [{\"name\": \"id\", \"type\": \"int\"}]}, without quotes around it"
)]
struct Schema {
    /// The columns, in order.
    column_definitions: Vec<Column>,
    /// Whether an existing table of this name is left as it is without an error.
    #[serde(default = "yes")]
    if_not_exists: bool,
}

/// One column.
#[derive(Deserialize, JsonSchema)]
#[serde(expecting = "an object such as {\"name\": \"id\", \"type\": \"int\"}")]
struct Column {
    /// Name of the column.
    name: String,
    /// Type and column constraints, such as `varchar(255) NOT NULL`.
    #[serde(rename = "type")]
    definition: String,
}

fn yes() -> bool {
    true
}

pub(crate) const HANDLER: Handler = Handler {
    name: "CreateTableV2",
    summary: "Creates a table; an existing one is left as it is.",
    access: Access::Define,
    raw: false,
    parameters,
    errors: &[errors::SCHEMA],
    example: r#"{"table_name": "users", "schema": {"column_definitions": [{"name": "id", "type": "serial PRIMARY KEY"}, {"name": "name", "type": "varchar(255)"}]}}"#,
    plan,
    resume: None,
};

fn parameters() -> Vec<Parameter> {
    crate::on_table(crate::schema_parameter::<Schema>(
        "Columns of the new table.",
        &[],
    ))
}

pub(crate) fn plan(call: &Call) -> Result<Plan, Failure> {
    let input: OnTable<Schema> = params::parse(call)?;
    let table = QualifiedName::parse(&input.table_name)
        .map_err(|invalid| SYNTAX_ERROR.failure(invalid.to_string()).at("/table_name"))?;
    let create = if input.schema.if_not_exists {
        "CREATE TABLE IF NOT EXISTS "
    } else {
        "CREATE TABLE "
    };
    let mut sql = Sql::new(create).name(&table).text(" (");
    for (at, column) in input.schema.column_definitions.iter().enumerate() {
        let pointer = |key: &str| format!("/schema/column_definitions/{at}/{key}");
        sql = sql.text(if at > 0 { ", " } else { "" });
        // Composite keys have always been written this way: name PRIMARY, type KEY (a, b).
        let text = format!("{} {}", column.name, column.definition);
        if let Some(constraint) = grammar::table_constraint(sql.clone(), &text) {
            sql = constraint.map_err(|refused| refused.at(&pointer("type")))?;
            continue;
        }
        let name = Ident::parse(&column.name).map_err(|invalid| {
            SYNTAX_ERROR
                .failure(invalid.to_string())
                .at(pointer("name"))
        })?;
        sql = grammar::column_definition(sql.ident(&name).text(" "), &column.definition)
            .map_err(|refused| refused.at(&pointer("type")))?;
    }
    Ok(Plan {
        statements: vec![Statement::once(sql.text(")"), Access::Define)],
        reply: Reply::Affected,
    })
}
