//! INSERT statements of many rows: for values that COPY would read differently, and for relations that
//! COPY does not take.

use super::bind::{self, Text};
use super::session::Session;
use crate::insert::PlainInsert;
use crate::limits::MAX_ARGUMENTS;
use futures_util::TryStreamExt as _;
use serde_json::Value;
use std::borrow::Cow;
use std::pin::pin;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

/// Most rows of one statement: more make it no faster.
const ROWS: usize = 1_000;

/// Inserts the rows and returns how many were stored; none where a value needs its row to itself.
pub(super) async fn insert(
    session: &mut Session,
    insert: &PlainInsert,
    columns: &[Type],
    rows: &[&[Value]],
) -> Result<Option<u64>, Error> {
    let most = (MAX_ARGUMENTS / insert.width.max(1)).clamp(1, ROWS.min(rows.len().max(1)));
    let Some(parameters) = parameters(rows, columns) else {
        return Ok(None);
    };
    let whole = insert.of_rows(most);
    let mut stored = 0;
    for window in parameters.chunks(most * insert.width) {
        let rows = window.len() / insert.width.max(1);
        let sql = match rows == most {
            true => Cow::Borrowed(&whole),
            false => Cow::Owned(insert.of_rows(rows)),
        };
        let work = execute(session.client(), &sql, window);
        let (executed, xid) = session.asking().behind(pin!(work)).await;
        session.note_xid(xid);
        stored += executed?;
    }
    Ok(Some(stored))
}

/// The values with the types of their literals.
fn parameters<'v>(rows: &[&'v [Value]], columns: &[Type]) -> Option<Vec<(Text<'v>, Type)>> {
    let values = rows.iter().flat_map(|row| row.iter().zip(columns));
    values
        .map(|(value, column)| {
            let text = bind::text(value, column).ok()?;
            Some((text, bind::declared_type(value)))
        })
        .collect()
}

async fn execute(
    client: &Client,
    sql: &str,
    parameters: &[(Text<'_>, Type)],
) -> Result<u64, Error> {
    let parameters = parameters.iter().map(|(text, known)| (text, known.clone()));
    let mut result = pin!(client.query_typed_raw(sql, parameters).await?);
    while result.as_mut().try_next().await?.is_some() {}
    Ok(result.rows_affected().unwrap_or(0))
}
