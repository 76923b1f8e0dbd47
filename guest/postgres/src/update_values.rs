//! UpdateValuesV2: changes rows of a table.

use airlock_connector::schemars::{self, JsonSchema};
use airlock_connector::{
    Access, Argument, Call, Failure, Handler, Ident, Parameter, Plan, Sealed, Sql, Statement,
    params,
};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::OnTable;
use crate::condition::{self, Where};
use crate::errors::{self, ATTRIBUTE_ERROR, EXCEPTION, KEY_ERROR, SYNTAX_ERROR, VALUE_ERROR};
use crate::grammar;
use crate::rows::{self, Rows};

/// New values and conditions on the rows. Give `set`, or `columns` with `values`.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("anyOf" = [{"required": ["set"]}, {"required": ["columns", "values"]}]))]
#[serde(
    expecting = "an object such as {\"set\": {\"name\": \"Ann\"}, \"where\": [[\"id\", \"=\", 5]]}, without quotes around it"
)]
struct Schema {
    /// New values by column.
    #[schemars(extend("type" = "object"))]
    set: Option<BTreeMap<String, Sealed>>,
    /// Columns to change, in the order of `values`.
    #[schemars(extend("type" = "array"))]
    columns: Option<Vec<String>>,
    /// New values, in the order of `columns`.
    #[schemars(extend("type" = "array"))]
    values: Option<Vec<Sealed>>,
    /// Which rows; all where it is left out.
    #[serde(default, rename = "where")]
    conditions: Where,
    /// Whether an update without conditions is refused.
    #[serde(default)]
    require_where: bool,
    /// Refuse, and change nothing, when more rows than this would change.
    #[schemars(range(max = u64::MAX))]
    max_affected: Option<u64>,
    /// Columns of the changed rows to return in place of their number.
    #[schemars(length(min = 1))]
    returning: Option<Vec<String>>,
    /// Shape of the returned rows.
    #[serde(default)]
    rows: Rows,
}

pub(crate) const HANDLER: Handler = Handler {
    name: "UpdateValuesV2",
    summary: "Changes rows of a table.",
    access: Access::Write,
    raw: false,
    parameters,
    errors: &[errors::SCHEMA, &[EXCEPTION, ATTRIBUTE_ERROR]],
    example: r#"{"table_name": "users", "schema": {"set": {"email": "ann@example.org"}, "where": [["id", "=", 5]]}}"#,
    plan,
    resume: None,
};

fn parameters() -> Vec<Parameter> {
    let sealed = [&condition::SEALED[..], &["/set/*", "/values/*"]].concat();
    crate::on_table(crate::schema_parameter::<Schema>(
        "New values and conditions on the rows.",
        &sealed,
    ))
}

pub(crate) fn plan(call: &Call) -> Result<Plan, Failure> {
    let OnTable::<Schema> { table_name, schema } = params::parse(call).map_err(attribute_error)?;
    refuse_without_where(schema.require_where, &schema.conditions)?;
    let sql = grammar::table(Sql::new("UPDATE "), &table_name)
        .map_err(|refused| refused.at("/table_name"))?;
    let mut sql = sql.text(" SET ");
    for (at, (column, value)) in assignments(&schema)?.into_iter().enumerate() {
        let name = Ident::parse(column).map_err(|invalid| {
            SYNTAX_ERROR
                .failure(invalid.to_string())
                .at(params::child("/schema/set", column))
        })?;
        sql = sql
            .text(if at > 0 { ", " } else { "" })
            .ident(&name)
            .text(" = ")
            .argument(Argument::Input(value));
    }
    let sql = schema.conditions.append(sql)?;
    let (sql, reply) = rows::returning(sql, schema.returning.as_deref(), schema.rows)?;
    let mut statement = Statement::once(sql, Access::Write);
    statement.max_affected = schema.max_affected;
    Ok(Plan {
        statements: vec![statement],
        reply,
    })
}

/// Each column with the pointer to its new value.
fn assignments(schema: &Schema) -> Result<Vec<(&str, String)>, Failure> {
    let assignments: Vec<_> = match (&schema.set, &schema.columns, &schema.values) {
        (Some(set), _, _) => set
            .keys()
            .map(|column| (column.as_str(), params::child("/schema/set", column)))
            .collect(),
        (None, Some(columns), Some(values)) if columns.len() == values.len() => columns
            .iter()
            .enumerate()
            .map(|(at, column)| (column.as_str(), format!("/schema/values/{at}")))
            .collect(),
        (None, Some(columns), Some(values)) => {
            let message = format!(
                "there are {} columns but {} values",
                columns.len(),
                values.len()
            );
            return Err(VALUE_ERROR.failure(message).at("/schema/values"));
        }
        (None, Some(_), None) => {
            return Err(KEY_ERROR.failure("'values'").at("/schema"));
        }
        (None, None, _) => {
            let message = "'set': give the new values as {\"set\": {\"column\": value}} or as columns and values";
            return Err(KEY_ERROR.failure(message).at("/schema"));
        }
    };
    if assignments.is_empty() {
        return Err(VALUE_ERROR
            .failure("there is nothing to set")
            .at("/schema/set"));
    }
    Ok(assignments)
}

/// Existing workflows know this code for a `set` that is no object.
fn attribute_error(failure: Failure) -> Failure {
    match failure.pointer.as_deref() {
        Some("/schema/set") => Failure {
            code: ATTRIBUTE_ERROR.code().into(),
            ..failure
        },
        _ => failure,
    }
}

/// Holds `require_where`.
pub(crate) fn refuse_without_where(required: bool, conditions: &Where) -> Result<(), Failure> {
    if required && conditions.is_empty() {
        let message =
            "require_where is set and there are no conditions; all rows would be affected";
        return Err(VALUE_ERROR.failure(message).at("/schema/where"));
    }
    Ok(())
}
