//! SelectValuesV2: reads rows of a table.

use airlock_connector::schemars::{self, JsonSchema};
use airlock_connector::{
    Access, Argument, Call, Failure, Handler, Parameter, Plan, Sealed, Sql, Statement, params,
};
use serde::Deserialize;

use crate::OnTable;
use crate::condition::{self, Where};
use crate::errors::{self, EXCEPTION};
use crate::grammar;
use crate::rows::{self, Rows};

/// Which columns and rows to read.
#[derive(Deserialize, JsonSchema)]
#[serde(
    expecting = "an object such as {\"columns\": [\"id\", \"name\"]}, without quotes around it"
)]
struct Schema {
    /// Columns, or expressions over columns with optional aliases; `*` for all.
    columns: Vec<String>,
    /// Which rows; all where it is left out.
    #[serde(default, rename = "where")]
    conditions: Where,
    /// Whether equal rows are returned once.
    #[serde(default)]
    distinct: bool,
    /// Sort order, such as `["name", "id DESC NULLS LAST"]`.
    #[serde(default)]
    order_by: Vec<String>,
    /// Return at most this many rows.
    limit: Option<Sealed>,
    /// Skip this many rows first.
    offset: Option<Sealed>,
    /// Shape of the rows in the reply.
    #[serde(default)]
    rows: Rows,
}

pub(crate) const HANDLER: Handler = Handler {
    name: "SelectValuesV2",
    summary: "Reads rows of a table.",
    access: Access::Read,
    raw: false,
    parameters,
    errors: &[errors::SCHEMA, &[EXCEPTION]],
    example: r#"{"table_name": "users", "schema": {"columns": ["id", "name"], "where": [["id", ">", 10]]}}"#,
    plan,
    resume: None,
};

fn parameters() -> Vec<Parameter> {
    let sealed = [&condition::SEALED[..], &["/limit", "/offset"]].concat();
    crate::on_table(crate::schema_parameter::<Schema>(
        "Columns to read and conditions on the rows.",
        &sealed,
    ))
}

pub(crate) fn plan(call: &Call) -> Result<Plan, Failure> {
    let OnTable::<Schema> { table_name, schema } = params::parse(call)?;
    let select = if schema.distinct {
        "SELECT DISTINCT "
    } else {
        "SELECT "
    };
    let sql = rows::select_list(Sql::new(select), &schema.columns, "/schema/columns")?;
    let sql = grammar::source(sql.text(" FROM "), &table_name)
        .map_err(|refused| refused.at("/table_name"))?;
    let mut sql = schema.conditions.append(sql)?;
    for (at, item) in schema.order_by.iter().enumerate() {
        sql = sql.text(if at == 0 { " ORDER BY " } else { ", " });
        sql = grammar::order(sql, item)
            .map_err(|refused| refused.at(&format!("/schema/order_by/{at}")))?;
    }
    if schema.limit.is_some() {
        sql = sql
            .text(" LIMIT ")
            .argument(Argument::Input("/schema/limit".into()));
    }
    if schema.offset.is_some() {
        sql = sql
            .text(" OFFSET ")
            .argument(Argument::Input("/schema/offset".into()));
    }
    Ok(Plan {
        statements: vec![Statement::once(sql, Access::Read)],
        reply: schema.rows.into(),
    })
}
