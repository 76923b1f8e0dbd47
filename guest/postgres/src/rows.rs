//! What a command answers: rows, or a count.

use airlock_connector::schemars::{self, JsonSchema};
use airlock_connector::{Failure, Reply, RowShape, Sql};
use serde::Deserialize;

use crate::errors::VALUE_ERROR;
use crate::grammar;

/// Shape of the rows in the reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rows {
    /// Each row is a list of values, in the order of the columns.
    #[default]
    Arrays,
    /// Each row is an object with the column names as keys.
    Objects,
}

impl From<Rows> for Reply {
    fn from(rows: Rows) -> Reply {
        Reply::Rows(match rows {
            Rows::Arrays => RowShape::Arrays,
            Rows::Objects => RowShape::Objects,
        })
    }
}

/// Appends a comma-separated select list; `pointer` points to it in the call.
pub(crate) fn select_list(mut sql: Sql, columns: &[String], pointer: &str) -> Result<Sql, Failure> {
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            sql = sql.text(", ");
        }
        sql = grammar::select_items(sql, column)
            .map_err(|refused| refused.at(&format!("{pointer}/{at}")))?;
    }
    Ok(sql)
}

/// Appends RETURNING where columns are asked for and chooses the reply.
pub(crate) fn returning(
    sql: Sql,
    columns: Option<&[String]>,
    rows: Rows,
) -> Result<(Sql, Reply), Failure> {
    match columns {
        None => Ok((sql, Reply::Affected)),
        Some([]) => Err(VALUE_ERROR
            .failure("returning is empty; name at least one column, or * for all")
            .at("/schema/returning")),
        Some(columns) => Ok((
            select_list(sql.text(" RETURNING "), columns, "/schema/returning")?,
            rows.into(),
        )),
    }
}
