//! DeleteValuesV2: deletes rows of a table.

use airlock_connector::schemars::{self, JsonSchema};
use airlock_connector::{Access, Call, Failure, Handler, Parameter, Plan, Sql, Statement, params};
use serde::Deserialize;

use crate::OnTable;
use crate::condition::{self, Where};
use crate::errors::{self, ATTRIBUTE_ERROR, EXCEPTION};
use crate::grammar;
use crate::rows::{self, Rows};
use crate::update_values::refuse_without_where;

/// Conditions on the rows to delete.
#[derive(Deserialize, JsonSchema)]
#[serde(
    expecting = "an object such as {\"where\": [[\"id\", \"=\", 5]]}, without quotes around it"
)]
struct Schema {
    /// Which rows; all where it is left out.
    #[serde(default, rename = "where")]
    conditions: Where,
    /// Whether a delete without conditions is refused.
    #[serde(default)]
    require_where: bool,
    /// Refuse, and delete nothing, when more rows than this would go.
    #[schemars(range(max = u64::MAX))]
    max_affected: Option<u64>,
    /// Columns of the deleted rows to return in place of their number.
    #[schemars(length(min = 1))]
    returning: Option<Vec<String>>,
    /// Shape of the returned rows.
    #[serde(default)]
    rows: Rows,
}

pub(crate) const HANDLER: Handler = Handler {
    name: "DeleteValuesV2",
    summary: "Deletes rows of a table; all of them where there are no conditions.",
    access: Access::Write,
    raw: false,
    parameters,
    errors: &[errors::SCHEMA, &[EXCEPTION, ATTRIBUTE_ERROR]],
    example: r#"{"table_name": "users", "schema": {"where": [["email", "=", "ann@example.com"]]}}"#,
    plan,
    resume: None,
};

fn parameters() -> Vec<Parameter> {
    crate::on_table(crate::schema_parameter::<Schema>(
        "Conditions on the rows to delete.",
        &condition::SEALED,
    ))
}

pub(crate) fn plan(call: &Call) -> Result<Plan, Failure> {
    let OnTable::<Schema> { table_name, schema } = params::parse(call).map_err(attribute_error)?;
    refuse_without_where(schema.require_where, &schema.conditions)?;
    let sql = grammar::table(Sql::new("DELETE FROM "), &table_name)
        .map_err(|refused| refused.at("/table_name"))?;
    let sql = schema.conditions.append(sql)?;
    let (sql, reply) = rows::returning(sql, schema.returning.as_deref(), schema.rows)?;
    let mut statement = Statement::once(sql, Access::Write);
    statement.max_affected = schema.max_affected;
    Ok(Plan {
        statements: vec![statement],
        reply,
    })
}

/// Existing workflows know this code for a schema that is no object.
fn attribute_error(failure: Failure) -> Failure {
    match failure.pointer.as_deref() {
        Some("/schema") => Failure {
            code: ATTRIBUTE_ERROR.code().into(),
            ..failure
        },
        _ => failure,
    }
}
