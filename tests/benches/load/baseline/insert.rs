//! One row by INSERT, more by COPY.

use super::numeric::Digits;
use super::pool::{Connections, Lease};
use super::{AFTER, BEFORE, Failure, reply};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Response;
use bytes::{BufMut as _, BytesMut};
use deadpool::managed::Pool;
use futures_util::SinkExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::pin::pin;

/// Size from which rows go out to the server.
const CHUNK: usize = 64 << 10;

const INSERT: &str = r#"INSERT INTO "ledger" ("id", "label", "amount") VALUES ($1, $2, $3)"#;
const COPY: &str = r#"COPY "ledger" ("id", "label", "amount") FROM STDIN"#;

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    schema: Schema<'a>,
}

#[derive(Deserialize)]
struct Schema<'a> {
    #[serde(borrow)]
    values: Vec<Entry<'a>>,
}

/// A row; a list in the request.
#[derive(Deserialize)]
struct Entry<'a> {
    id: i32,
    #[serde(borrow)]
    label: Cow<'a, str>,
    #[serde(borrow)]
    amount: &'a RawValue,
}

/// `InsertValuesV2`.
pub(super) async fn insert_values(
    State(pool): State<Pool<Connections>>,
    body: Bytes,
) -> Result<Response<Body>, Failure> {
    let call: Call = serde_json::from_slice(&body)?;
    let connection = pool.get().await?;
    let affected = match call.schema.values.as_slice() {
        [entry] => insert(connection, entry).await?,
        entries => copy(connection, entries).await?,
    };
    let result = format!(r#"{{"result": "{affected} rows affected"}}"#);
    Ok(reply([BEFORE, result.as_bytes(), AFTER].concat()))
}

async fn insert(mut connection: Lease, entry: &Entry<'_>) -> Result<u64, Failure> {
    let statement = connection.prepared(INSERT).await?;
    let amount = Digits(entry.amount);
    Ok(connection
        .execute(&statement, &[&entry.id, &entry.label.as_ref(), &amount])
        .await?)
}

/// A statement by itself is a transaction: all rows or none.
async fn copy(mut connection: Lease, entries: &[Entry<'_>]) -> Result<u64, Failure> {
    let statement = connection.prepared(COPY).await?;
    let mut sink = pin!(connection.copy_in(&statement).await?);
    let mut out = BytesMut::with_capacity(CHUNK + CHUNK / 8);
    for entry in entries {
        line(entry, &mut out);
        if out.len() >= CHUNK {
            sink.feed(out.split().freeze()).await?;
            out.reserve(CHUNK + CHUNK / 8);
        }
    }
    sink.feed(out.freeze()).await?;
    Ok(sink.finish().await?)
}

/// Appends a row in the text format of COPY.
fn line(entry: &Entry<'_>, out: &mut BytesMut) {
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer((&mut *out).writer(), &entry.id);
    out.put_u8(b'\t');
    escaped(&entry.label, out);
    out.put_u8(b'\t');
    out.put_slice(entry.amount.get().as_bytes());
    out.put_u8(b'\n');
}

fn escaped(text: &str, out: &mut BytesMut) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|byte| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r'))
    {
        out.put_slice(&rest[..at]);
        out.put_slice(match rest[at] {
            b'\t' => br"\t",
            b'\n' => br"\n",
            b'\r' => br"\r",
            _ => br"\\",
        });
        rest = &rest[at + 1..];
    }
    out.put_slice(rest);
}
