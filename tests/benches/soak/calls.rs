//! The clients, and what they were told.

use crate::{PAUSE, Soak, harm};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::sleep;
use tokio_postgres::Client;

/// One call in so many means harm.
const HARM: u64 = 20;

/// One of the others in so many reads.
const READ: u64 = 4;

/// What a reply told of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Committed,
    Aborted,
    Unknown,
}

/// What clients were told.
#[derive(Default)]
pub(crate) struct Ledger {
    inserts: Vec<(i64, Told)>,
    pub(crate) reads: u64,
    pub(crate) failed_reads: u64,
    pub(crate) harms: u64,
}

impl Ledger {
    pub(crate) fn add(&mut self, other: Ledger) {
        self.inserts.extend(other.inserts);
        self.reads += other.reads;
        self.failed_reads += other.failed_reads;
        self.harms += other.harms;
    }

    pub(crate) fn count(&self, told: Told) -> usize {
        self.inserts
            .iter()
            .filter(|(_, known)| *known == told)
            .count()
    }

    /// The inserts of which the table says something else, in words.
    pub(crate) async fn wrong(&self, database: &Client) -> Vec<String> {
        let sql = "SELECT id, count(*) FROM t GROUP BY id";
        let rows = database.query(sql, &[]).await.unwrap();
        let stored: HashMap<i64, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let wrong = |(id, told): &(i64, Told)| {
            let stored = stored.get(id).copied().unwrap_or_default();
            let right = match told {
                Told::Committed => stored == 1,
                Told::Aborted => stored == 0,
                Told::Unknown => stored <= 1,
            };
            (!right).then(|| format!("{id}: {told:?}, stored {stored} times"))
        };
        self.inserts.iter().filter_map(wrong).collect()
    }
}

/// Calls until all is done.
pub(crate) async fn client(soak: Arc<Soak>, number: u32) -> Ledger {
    let mut ledger = Ledger::default();
    let mut turn = u64::from(number);
    while !soak.is_done() {
        turn += 1;
        if turn.is_multiple_of(HARM) {
            ledger.harms += 1;
            harm::call(&soak, turn / HARM).await;
        } else if turn.is_multiple_of(READ) {
            ledger.reads += 1;
            let read = json!({"database_connection_str": soak.dsn, "table_name": "t", "schema": {"columns": ["id"], "limit": 5}});
            let reply = call(&soak, "SelectValuesV2", &read).await;
            ledger.failed_reads += u64::from(!reply["error"].is_null());
        } else {
            let id = (i64::from(number) << 32) + turn as i64;
            let insert = json!({"database_connection_str": soak.dsn, "table_name": "t", "schema": {"columns": ["id"], "values": [[id]]}});
            let reply = call(&soak, "InsertValuesV2", &insert).await;
            ledger.inserts.push((id, told(&reply)));
        }
        sleep(PAUSE).await;
    }
    ledger
}

async fn call(soak: &Soak, command: &str, call: &Value) -> Value {
    let (_, reply) = soak
        .world
        .server
        .call(&format!("postgres_v2/{command}"), call)
        .await;
    reply
}

fn told(reply: &Value) -> Told {
    if reply["error"].is_null() {
        return Told::Committed;
    }
    match reply["error"]["outcome"].as_str() {
        Some("unknown") => Told::Unknown,
        // What has no outcome was turned away before.
        Some("aborted") | None => Told::Aborted,
        other => panic!("{other:?}: {reply}"),
    }
}
