//! What a statement gives: rows as JSON, or a count.

use super::chunks::Chunks;
use super::error;
use super::failed::Failed;
use super::prepare::{Column, Prepared};
use super::render::Raw;
use super::session::Session;
use super::to_json;
use crate::check::CheckedStatement;
use crate::fault::{Fault, Kind};
use crate::plan::RowShape;
use airlock_connector::statements::Class;
use futures_util::TryStreamExt as _;
use std::pin::pin;
use std::sync::Arc;
use tokio_postgres::{Row, RowStream};

/// Room for the rows of most replies, in bytes.
const USUAL_BYTES: usize = 256;

/// What one statement gave.
#[derive(Debug, Clone)]
pub struct Outcome {
    columns: Arc<[Column]>,
    /// The rows as a JSON array, in the shape that the reply asks for; of rows that were handed out
    /// in chunks, what comes behind the last chunk.
    pub rows: Vec<u8>,
    /// Rows affected or returned.
    pub affected: u64,
    /// Rows that count against those that the call may affect.
    pub changed: u64,
    /// Whether the server counts rows for a statement of this kind.
    pub counted: bool,
    /// Whether the statement gives rows, were it none this time.
    pub returns: bool,
}

impl Outcome {
    /// How many rows were affected, as replies say it.
    #[must_use]
    pub fn affected_text(&self) -> String {
        match self.counted {
            true => format!(r#"{{"result": "{} rows affected"}}"#, self.affected),
            false => r#"{"result": "ok"}"#.into(),
        }
    }

    /// Names of the columns; none where the statement gives no rows.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

/// What becomes of the rows of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// They are counted.
    Count,
    /// They are rendered.
    Rows(RowShape),
}

/// How much a statement may give.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) rows: u64,
    pub(super) bytes: usize,
    /// Name of the limit on the bytes.
    pub(super) limit: &'static str,
    /// Bytes that earlier statements gave.
    pub(super) used: usize,
}

impl Room {
    /// What is left behind an outcome that the connector receives, names of columns included.
    pub(super) fn behind(self, outcome: &Outcome) -> Result<Room, Fault> {
        let names: usize = outcome.columns().map(str::len).sum();
        let used = self.used + outcome.rows.len() + names;
        if used > self.bytes {
            return Err(beyond(self.limit, self.bytes as u64));
        }
        Ok(Room { used, ..self })
    }
}

/// Rows as they come in, rendered.
pub(super) struct Rows<'c> {
    keep: Keep,
    columns: Arc<[Column]>,
    json: Vec<u8>,
    /// Where the rows go while they come in; they are collected where there is none.
    chunks: Option<&'c mut Chunks>,
    /// Rows that wait for the server to render some of their values.
    waiting: Vec<(Prepared, Row)>,
    waiting_bytes: usize,
    count: u64,
    affected: u64,
    room: Room,
    handed_out: usize,
}

impl<'c> Rows<'c> {
    pub(super) fn new(keep: Keep, room: Room, chunks: Option<&'c mut Chunks>) -> Rows<'c> {
        let mut json = Vec::with_capacity(USUAL_BYTES);
        json.push(b'[');
        Rows {
            keep,
            columns: Arc::default(),
            json,
            chunks,
            waiting: Vec::new(),
            waiting_bytes: 0,
            count: 0,
            affected: 0,
            room,
            handed_out: 0,
        }
    }

    /// Takes in the result of one run to its end.
    ///
    /// Nothing else may be asked of the connection from here: what the driver has not handed over yet
    /// stands in front of every answer.
    pub(super) async fn take(&mut self, given: &Prepared, result: RowStream) -> Result<(), Failed> {
        let mut result = pin!(result);
        self.columns = given.columns.clone();
        let mut prepared = given.clone();
        let mut native = prepared.columns.iter().all(|column| column.codec.is_some());
        let failed = |error| given.failed(error);
        while let Some(row) = result.as_mut().try_next().await.map_err(failed)? {
            self.count += 1;
            if self.count > self.room.rows && self.keep != Keep::Count {
                return Err(beyond("reply_rows", self.room.rows).into());
            }
            match self.keep {
                Keep::Count => {}
                Keep::Rows(shape) if native && self.waiting.is_empty() => {
                    if self.push(&prepared.columns, shape, &row, &[])? {
                        self.hand_out().await?;
                        continue;
                    }
                    // From here on rows wait, so that they stay in order.
                    prepared = prepared.updated().ok_or_else(not_of_its_type)?;
                    native = false;
                    self.wait(&prepared, row)?;
                }
                Keep::Rows(_) => self.wait(&prepared, row)?,
            }
        }
        self.affected += result.rows_affected().ok_or_else(error::incomplete)?;
        Ok(())
    }

    /// Keeps a row until the server can be asked about it.
    fn wait(&mut self, prepared: &Prepared, row: Row) -> Result<(), Fault> {
        self.waiting_bytes += row.raw_size_bytes();
        self.waiting.push((prepared.clone(), row));
        self.check_bytes()
    }

    /// Counts rows that went in without a result of their own.
    pub(super) fn add_affected(&mut self, affected: u64) {
        self.affected += affected;
    }

    /// Renders the rows that wait for the server. Call it when nothing else is under way.
    pub(super) async fn settle(&mut self, session: &Session) -> Result<(), Failed> {
        let Keep::Rows(shape) = self.keep else {
            return Ok(());
        };
        if self.waiting.is_empty() {
            return Ok(());
        }
        // Boxed, as it is large and most statements do without it.
        Box::pin(self.ask(session, shape)).await
    }

    async fn ask(&mut self, session: &Session, shape: RowShape) -> Result<(), Failed> {
        for window in std::mem::take(&mut self.waiting).chunks(to_json::WINDOW) {
            let values = to_json::values(session, window).await?;
            let mut rest = values.as_slice();
            for (prepared, row) in window {
                let asked = prepared.columns.iter();
                let count = asked.filter(|column| column.codec.is_none()).count();
                let (own, others) = rest.split_at_checked(count).unwrap_or_default();
                rest = others;
                if !self.push(&prepared.columns, shape, row, own)? {
                    return Err(not_of_its_type().into());
                }
                self.hand_out().await?;
            }
        }
        self.waiting_bytes = 0;
        Ok(())
    }

    /// Renders one row; `by_server` has the JSON of the columns that are not rendered here. Where a
    /// value is not of its type it gives false and renders nothing.
    fn push(
        &mut self,
        columns: &[Column],
        shape: RowShape,
        row: &Row,
        by_server: &[Vec<u8>],
    ) -> Result<bool, Fault> {
        let (open, close) = match shape {
            RowShape::Arrays => (b'[', b']'),
            RowShape::Objects => (b'{', b'}'),
        };
        let mut by_server = by_server.iter();
        let start = self.json.len();
        self.comma();
        self.json.push(open);
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                self.json.push(b',');
            }
            if shape == RowShape::Objects {
                self.json.extend_from_slice(&column.key);
            }
            let Raw(raw) = row.try_get(at).map_err(|error| error::statement(&error))?;
            match (&column.codec, raw) {
                (Some(_), None) => self.json.extend_from_slice(b"null"),
                (Some(codec), Some(raw)) => {
                    if !codec.render(raw, &mut self.json) {
                        self.json.truncate(start);
                        return Ok(false);
                    }
                }
                (None, _) => {
                    let json = by_server.next();
                    self.json
                        .extend_from_slice(json.map_or(b"null", Vec::as_slice));
                }
            }
        }
        self.json.push(close);
        self.check_bytes()?;
        Ok(true)
    }

    /// Separates a row from the one before it.
    fn comma(&mut self) {
        if self.handed_out > 0 || self.json.len() > 1 {
            self.json.push(b',');
        }
    }

    /// Hands out what was rendered, once it is enough for a chunk. Waits for whoever takes it.
    async fn hand_out(&mut self) -> Result<(), Failed> {
        let Some(chunks) = self
            .chunks
            .as_deref_mut()
            .filter(|chunks| chunks.are_full(&self.json))
        else {
            return Ok(());
        };
        self.handed_out += self.json.len();
        chunks.send(&mut self.json).await;
        Ok(())
    }

    fn check_bytes(&self) -> Result<(), Fault> {
        let used = self.room.used + self.handed_out + self.json.len() + self.waiting_bytes;
        if used > self.room.bytes {
            return Err(beyond(self.room.limit, self.room.bytes as u64));
        }
        Ok(())
    }

    pub(super) fn into_outcome(mut self, statement: &CheckedStatement) -> Outcome {
        let class = statement.class;
        self.json.push(b']');
        let returns = !self.columns.is_empty() || self.count > 0;
        Outcome {
            returns: returns && (class == Class::Rows || !self.columns.is_empty()),
            counted: returns || self.affected > 0 || class.counts_rows(),
            affected: if returns { self.count } else { self.affected },
            changed: if statement.counts { self.affected } else { 0 },
            columns: self.columns,
            rows: self.json,
        }
    }
}

fn beyond(limit: &str, value: u64) -> Fault {
    let what = match limit {
        "reply_rows" => "rows",
        _ => "bytes",
    };
    let message = format!(
        "the reply has more than {value} {what}, the limit {limit}; ask for fewer rows with limit or conditions. Nothing was changed"
    );
    Fault::statement("ProgramLimitExceeded", message)
}

fn not_of_its_type() -> Fault {
    let message = "the server sent a value that is not of its type";
    Fault::new(Kind::Database, "DataError", message)
}
