//! Has the server render values of types that are not known here, where the statement that gave them
//! cannot do so itself.

use super::prepare::Prepared;
use super::render::Raw;
use super::session::Session;
use bytes::BytesMut;
use futures_util::future::try_join_all;
use std::error::Error;
use tokio_postgres::Row;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// Rows whose values are asked for at the same time.
pub(super) const WINDOW: usize = 64;

/// The JSON of each value without a codec, row by row.
pub(super) async fn values(
    session: &Session,
    rows: &[(Prepared, Row)],
) -> Result<Vec<Vec<u8>>, tokio_postgres::Error> {
    let mut questions = Vec::new();
    for (prepared, row) in rows {
        for (at, column) in prepared.columns.iter().enumerate() {
            if column.codec.is_none() {
                let Raw(raw) = row.try_get(at)?;
                questions.push(value(session, raw, &column.of_type));
            }
        }
    }
    // Every answer is taken in as soon as it is there, so none stands in the way of another.
    try_join_all(questions).await
}

async fn value(
    session: &Session,
    raw: Option<&[u8]>,
    known: &Type,
) -> Result<Vec<u8>, tokio_postgres::Error> {
    let Some(raw) = raw else {
        return Ok(b"null".to_vec());
    };
    let rows = session
        .client()
        .query_typed("SELECT to_json($1)", &[(&Binary(raw), known.clone())])
        .await?;
    let json = match rows.first() {
        Some(row) => row.try_get::<_, Raw<'_>>(0)?.0.map(<[u8]>::to_vec),
        None => None,
    };
    Ok(json.unwrap_or_else(|| b"null".to_vec()))
}

/// A value in the binary form in which it came.
struct Binary<'a>(&'a [u8]);

impl ToSql for Binary<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    to_sql_checked!();
}

impl std::fmt::Debug for Binary<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(redacted)")
    }
}
