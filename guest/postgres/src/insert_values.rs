//! InsertValuesV2: inserts rows into a table.

use airlock_connector::schemars::{self, JsonSchema};
use airlock_connector::{
    Access, Call, Failure, Handler, Ident, Parameter, Plan, QualifiedName, Sealed, Sql, Statement,
    params,
};
use serde::Deserialize;

use crate::OnTable;
use crate::errors::{self, SYNTAX_ERROR, VALUE_ERROR};
use crate::python;
use crate::rows::{self, Rows};

/// Columns and rows to insert.
#[derive(Deserialize, JsonSchema)]
#[serde(
    expecting = "an object such as {\"columns\": [\"name\"], \"values\": [[\"Ann\"]]}, without quotes around it"
)]
struct Schema {
    /// Names of the columns.
    columns: Vec<String>,
    /// The rows: a list of lists, each with one value for each column.
    #[schemars(with = "Vec<Vec<Sealed>>")]
    values: Sealed,
    /// What to do with rows that exist already; an error where it is left out.
    on_conflict: Option<OnConflict>,
    /// Columns of the inserted rows to return in place of their number.
    #[schemars(length(min = 1))]
    returning: Option<Vec<String>>,
    /// Shape of the returned rows.
    #[serde(default)]
    rows: Rows,
}

/// What to do with a row that exists already.
#[derive(Deserialize, JsonSchema)]
#[serde(expecting = "an object such as {\"columns\": [\"id\"], \"update\": [\"name\"]}")]
struct OnConflict {
    /// Columns with a unique constraint that tell whether the row exists.
    columns: Option<Vec<String>>,
    /// Name of the constraint that tells whether the row exists.
    constraint: Option<String>,
    /// Columns that take the new values. Nothing is changed where it is left out.
    update: Option<Vec<String>>,
}

pub(crate) const HANDLER: Handler = Handler {
    name: "InsertValuesV2",
    summary: "Inserts rows into a table, all or none.",
    access: Access::Write,
    raw: false,
    parameters,
    errors: &[errors::SCHEMA],
    example: r#"{"table_name": "users", "schema": {"columns": ["name", "email"], "values": [["Ann", "ann@example.com"]]}}"#,
    plan,
    resume: None,
};

fn parameters() -> Vec<Parameter> {
    crate::on_table(crate::schema_parameter::<Schema>(
        "Columns and rows to insert.",
        &["/values"],
    ))
}

pub(crate) fn plan(call: &Call) -> Result<Plan, Failure> {
    let OnTable::<Schema> { table_name, schema } = params::parse(call)?;
    if schema.values != Sealed::Array {
        return Err(python::not_iterable(schema.values).at("/schema/values"));
    }
    if schema.columns.is_empty() {
        let message = "syntax error at or near \")\"\ncolumns is empty; name at least one column";
        return Err(SYNTAX_ERROR
            .in_statement()
            .failure(message)
            .at("/schema/columns"));
    }
    let table = QualifiedName::parse(&table_name)
        .map_err(|invalid| SYNTAX_ERROR.failure(invalid.to_string()).at("/table_name"))?;
    let columns = idents(&schema.columns, "/schema/columns")?;
    let sql = Sql::new("INSERT INTO ").name(&table).text(" (");
    let sql = sql
        .list(&columns, ", ", |sql, column| sql.ident(column))
        .text(") VALUES (");
    let sql = sql
        .list(&columns, ", ", |sql, _| sql.batch_argument())
        .text(")");
    let sql = match &schema.on_conflict {
        Some(conflict) => on_conflict(sql, conflict)?,
        None => sql,
    };
    let (sql, reply) = rows::returning(sql, schema.returning.as_deref(), schema.rows)?;
    Ok(Plan {
        statements: vec![Statement::each(sql, "/schema/values", Access::Write)],
        reply,
    })
}

fn on_conflict(sql: Sql, conflict: &OnConflict) -> Result<Sql, Failure> {
    const POINTER: &str = "/schema/on_conflict";
    let sql = sql.text(" ON CONFLICT");
    let sql = match (&conflict.columns, &conflict.constraint) {
        (Some(_), Some(_)) => {
            return Err(VALUE_ERROR
                .failure("on_conflict takes columns or constraint, not both")
                .at(POINTER));
        }
        (Some(columns), None) => {
            let columns = idents(columns, "/schema/on_conflict/columns")?;
            sql.text(" (")
                .list(&columns, ", ", |sql, column| sql.ident(column))
                .text(")")
        }
        (None, Some(constraint)) => sql
            .text(" ON CONSTRAINT ")
            .ident(&ident(constraint, "/schema/on_conflict/constraint")?),
        (None, None) => sql,
    };
    match &conflict.update {
        None => Ok(sql.text(" DO NOTHING")),
        Some(update) if update.is_empty() || (conflict.columns.is_none() && conflict.constraint.is_none()) => Err(
            VALUE_ERROR.failure("on_conflict with update needs columns to update, and columns or constraint to tell which row exists")
                .at(POINTER),
        ),
        Some(update) => {
            let update = idents(update, "/schema/on_conflict/update")?;
            Ok(sql.text(" DO UPDATE SET ").list(&update, ", ", |sql, column| sql.ident(column).text(" = EXCLUDED.").ident(column)))
        }
    }
}

fn ident(text: &str, pointer: &str) -> Result<Ident, Failure> {
    Ident::parse(text).map_err(|invalid| SYNTAX_ERROR.failure(invalid.to_string()).at(pointer))
}

fn idents(texts: &[String], pointer: &str) -> Result<Vec<Ident>, Failure> {
    texts
        .iter()
        .enumerate()
        .map(|(at, text)| ident(text, &format!("{pointer}/{at}")))
        .collect()
}
