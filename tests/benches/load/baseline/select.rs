//! One row of `users` in one piece, or a whole ledger as a stream.

use super::numeric::Numeric;
use super::pool::{Connections, Lease};
use super::{AFTER, BEFORE, Failure, reply};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Response;
use deadpool::managed::Pool;
use futures_util::TryStreamExt as _;
use futures_util::stream;
use serde::Deserialize;
use std::borrow::Cow;
use std::pin::Pin;
use tokio_postgres::{Error, RowStream};

/// Size from which rendered rows go out.
const CHUNK: usize = 64 << 10;

const USER: &str = r#"SELECT "id", "name", "email" FROM "users" WHERE "id" = $1"#;
const LEDGER_100K: &str = r#"SELECT "id", "label", "amount" FROM "ledger_100k""#;
const LEDGER_1M: &str = r#"SELECT "id", "label", "amount" FROM "ledger_1m""#;

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    table_name: Cow<'a, str>,
    schema: Schema,
}

#[derive(Deserialize)]
struct Schema {
    #[serde(default, rename = "where")]
    conditions: Vec<(String, String, i32)>,
}

/// `SelectValuesV2`.
pub(super) async fn select_values(
    State(pool): State<Pool<Connections>>,
    body: Bytes,
) -> Result<Response<Body>, Failure> {
    let call: Call = serde_json::from_slice(&body)?;
    let connection = pool.get().await?;
    match (call.table_name.as_ref(), call.schema.conditions.as_slice()) {
        ("users", [(_, _, id)]) => user(connection, *id).await,
        ("ledger_100k", []) => ledger(connection, LEDGER_100K).await,
        ("ledger_1m", []) => ledger(connection, LEDGER_1M).await,
        _ => Err("unknown query".into()),
    }
}

async fn user(mut connection: Lease, id: i32) -> Result<Response<Body>, Failure> {
    let statement = connection.prepared(USER).await?;
    let row = connection.query_opt(&statement, &[&id]).await?;
    let mut text = Vec::with_capacity(256);
    text.extend_from_slice(BEFORE);
    text.push(b'[');
    if let Some(row) = row {
        let user: (i32, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        serde_json::to_writer(&mut text, &user)?;
    }
    text.push(b']');
    text.extend_from_slice(AFTER);
    Ok(reply(text))
}

async fn ledger(mut connection: Lease, sql: &'static str) -> Result<Response<Body>, Failure> {
    let statement = connection.prepared(sql).await?;
    let rows = connection.query_raw(&statement, [0_i32; 0]).await?;
    let export = Export {
        rows: Box::pin(rows),
        progress: Progress::Begin,
        _connection: connection,
    };
    Ok(reply(Body::from_stream(stream::try_unfold(
        export,
        Export::chunk,
    ))))
}

/// Rows on their way out, and the connection that they come from.
struct Export {
    rows: Pin<Box<RowStream>>,
    progress: Progress,
    _connection: Lease,
}

#[derive(PartialEq)]
enum Progress {
    Begin,
    Rows,
    End,
}

impl Export {
    async fn chunk(mut self) -> Result<Option<(Bytes, Export)>, Error> {
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 8);
        match self.progress {
            Progress::Begin => {
                out.extend_from_slice(BEFORE);
                out.push(b'[');
            }
            Progress::Rows => {}
            Progress::End => return Ok(None),
        }
        while out.len() < CHUNK {
            let Some(row) = self.rows.as_mut().try_next().await? else {
                out.push(b']');
                out.extend_from_slice(AFTER);
                self.progress = Progress::End;
                break;
            };
            if self.progress == Progress::Rows {
                out.push(b',');
            }
            self.progress = Progress::Rows;
            let (id, label): (i32, &str) = (row.try_get(0)?, row.try_get(1)?);
            let amount: Numeric = row.try_get(2)?;
            out.push(b'[');
            // Writing a number or text into memory cannot fail.
            let _ = serde_json::to_writer(&mut out, &id);
            out.push(b',');
            let _ = serde_json::to_writer(&mut out, label);
            out.push(b',');
            amount.write(&mut out);
            out.push(b']');
        }
        Ok(Some((out.into(), self)))
    }
}
