//! What a statement gives: rows as JSON, or a count.

use super::failed::Failed;
use super::prepare::Prepared;
use super::render::{self, Raw};
use super::session::Session;
use crate::fault::{Fault, Kind};
use crate::plan::RowShape;
use airlock_connector::statements::Class;
use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use std::error::Error;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// What one statement gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Names of the columns; empty where the statement gives no rows.
    pub columns: Vec<String>,
    /// The rows as a JSON array, in the shape that the reply asks for.
    pub rows: Vec<u8>,
    /// Rows affected or returned.
    pub affected: u64,
    /// Whether the server counts rows for a statement of this kind.
    pub counted: bool,
}

/// What becomes of the rows of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Count,
    Rows(RowShape),
}

/// Rows as they come in, rendered.
pub(super) struct Rows {
    keep: Keep,
    columns: Vec<String>,
    json: Vec<u8>,
    count: u64,
    affected: u64,
    room: usize,
}

impl Rows {
    pub(super) fn new(keep: Keep, room: usize) -> Rows {
        Rows {
            keep,
            columns: Vec::new(),
            json: b"[".to_vec(),
            count: 0,
            affected: 0,
            room,
        }
    }

    /// Takes in the result of one run to its end.
    pub(super) async fn take(
        &mut self,
        prepared: &Prepared,
        session: &Session,
        result: tokio_postgres::RowStream,
    ) -> Result<(), Failed> {
        let mut result = Box::pin(result);
        self.columns = prepared.columns.to_vec();
        if prepared.codecs.iter().any(Option::is_none) && self.keep != Keep::Count {
            // The stream must end before the server can be asked about single values.
            let rows: Vec<_> = result.as_mut().try_collect().await?;
            for row in &rows {
                self.push(prepared, row, Some(session)).await?;
            }
        } else {
            while let Some(row) = result.as_mut().try_next().await? {
                self.push(prepared, &row, None).await?;
            }
        }
        self.affected += result.rows_affected().unwrap_or(0);
        Ok(())
    }

    async fn push(
        &mut self,
        prepared: &Prepared,
        row: &tokio_postgres::Row,
        server: Option<&Session>,
    ) -> Result<(), Failed> {
        self.count += 1;
        let Keep::Rows(shape) = self.keep else {
            return Ok(());
        };
        if self.count > 1 {
            self.json.push(b',');
        }
        self.json.push(if shape == RowShape::Arrays {
            b'['
        } else {
            b'{'
        });
        for (at, codec) in prepared.codecs.iter().enumerate() {
            if at > 0 {
                self.json.push(b',');
            }
            if shape == RowShape::Objects {
                render::string(
                    &mut self.json,
                    prepared.columns.get(at).map_or("", String::as_str),
                );
                self.json.push(b':');
            }
            let Raw(raw) = row.try_get(at)?;
            match (raw, codec, server) {
                (None, _, _) => self.json.extend_from_slice(b"null"),
                (Some(raw), Some(codec), _) => {
                    if !codec.render(raw, &mut self.json) {
                        return Err(Fault::new(
                            Kind::Database,
                            "DataError",
                            "the server sent a value that is not of its type",
                        )
                        .into());
                    }
                }
                (Some(raw), None, Some(session)) => {
                    let column = prepared
                        .statement
                        .columns()
                        .get(at)
                        .map(tokio_postgres::Column::type_);
                    let json = to_json(session, raw, column.unwrap_or(&Type::TEXT)).await?;
                    self.json.extend_from_slice(&json);
                }
                (Some(_), None, None) => return Err(Fault::internal("a value has no codec").into()),
            }
        }
        self.json.push(if shape == RowShape::Arrays {
            b']'
        } else {
            b'}'
        });
        if self.json.len() > self.room {
            let message = format!(
                "the rows have more than {} bytes; ask for fewer with limit or conditions. Nothing was changed",
                self.room
            );
            return Err(Fault::statement("ProgramLimitExceeded", message).into());
        }
        Ok(())
    }

    pub(super) fn into_outcome(mut self, class: Class) -> Outcome {
        self.json.push(b']');
        let returned = !self.columns.is_empty() || self.count > 0;
        Outcome {
            counted: returned || self.affected > 0 || class.counts_rows(),
            affected: if returned { self.count } else { self.affected },
            columns: self.columns,
            rows: self.json,
        }
    }
}

/// Has the server render one value that it sent.
async fn to_json(
    session: &Session,
    raw: &[u8],
    known: &Type,
) -> Result<Vec<u8>, tokio_postgres::Error> {
    let statement = session
        .client()
        .prepare_typed("SELECT to_json($1)", std::slice::from_ref(known))
        .await?;
    let row = session
        .client()
        .query_one(&statement, &[&Binary(raw)])
        .await?;
    let Raw(json) = row.try_get(0)?;
    Ok(json.unwrap_or(b"null").to_vec())
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
