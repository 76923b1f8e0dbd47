//! DropTableV2: drops a table.

use airlock_connector::schemars::{self, JsonSchema};
use airlock_connector::{
    Access, Call, Failure, Handler, Parameter, ParameterKind, Plan, Reply, Sql, Statement, params,
};
use serde::Deserialize;

use crate::errors;
use crate::grammar;

#[derive(Deserialize)]
struct Input {
    table_name: String,
    #[serde(default)]
    schema: Schema,
}

/// How to drop the table.
#[derive(Deserialize, JsonSchema)]
#[serde(expecting = "an object such as {\"cascade\": true}")]
struct Schema {
    /// Whether views and foreign keys that depend on the table are dropped with it.
    #[serde(default)]
    cascade: bool,
    /// Whether a missing table is no error.
    #[serde(default = "yes")]
    if_exists: bool,
}

fn yes() -> bool {
    true
}

impl Default for Schema {
    fn default() -> Self {
        Schema {
            cascade: false,
            if_exists: true,
        }
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "DropTableV2",
    summary: "Drops a table, or several separated by commas; a missing one is no error.",
    access: Access::Define,
    raw: false,
    parameters,
    errors: &[errors::SCHEMA],
    example: r#"{"table_name": "users"}"#,
    plan,
    resume: None,
};

fn parameters() -> Vec<Parameter> {
    let schema = Parameter::optional("schema", ParameterKind::Any, "How to drop the table.");
    crate::on_table(schema.with_schema::<Schema>())
}

pub(crate) fn plan(call: &Call) -> Result<Plan, Failure> {
    let input: Input = params::parse(call)?;
    let drop = if input.schema.if_exists {
        "DROP TABLE IF EXISTS "
    } else {
        "DROP TABLE "
    };
    let mut sql = grammar::dropped_tables(Sql::new(drop), &input.table_name)
        .map_err(|refused| refused.at("/table_name"))?;
    if input.schema.cascade && !sql.as_str().ends_with(" cascade") {
        sql = sql.text(" CASCADE");
    }
    Ok(Plan {
        statements: vec![Statement::once(sql, Access::Define)],
        reply: Reply::Affected,
    })
}
