//! Definitions that change under prepared statements, between calls and during them.

use crate::world::{Host, ONE_CONNECTION, count, with_table};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn columns_come_and_go_between_calls() {
    let database = with_table().await;
    let host = Host::start(ONE_CONNECTION);
    let schema = json!({"columns": ["a"], "where": [["id", "=", 1]]});
    let select =
        json!({"database_connection_str": database.dsn, "table_name": "t", "schema": schema});
    for (definition, expected) in [
        ("INSERT INTO t VALUES (1)", Err("UndefinedColumn")),
        ("ALTER TABLE t ADD a int DEFAULT 5", Ok(json!([[5]]))),
        ("ALTER TABLE t DROP a", Err("UndefinedColumn")),
        ("ALTER TABLE t ADD a text DEFAULT 'x'", Ok(json!([["x"]]))),
        (
            "ALTER TABLE t ALTER a DROP DEFAULT, ALTER a TYPE bytea USING 'y'",
            Ok(json!([["\\x79"]])),
        ),
        ("ALTER TABLE t ALTER id TYPE text", Err("UndefinedFunction")),
        (
            "ALTER TABLE t ALTER id TYPE bigint USING id::bigint",
            Ok(json!([["\\x79"]])),
        ),
        ("DROP TABLE t", Err("UndefinedTable")),
        (
            "CREATE TABLE t AS SELECT 1.0 AS id, true AS a",
            Ok(json!([[true]])),
        ),
        (
            "DROP TABLE t; CREATE VIEW t AS SELECT 1 AS id, date '2024-01-31' AS a",
            Ok(json!([["2024-01-31"]])),
        ),
    ] {
        database.batch_execute(definition).await.unwrap();
        // The second time the statement is prepared.
        for _ in 0..2 {
            let answer = host.call("SelectValuesV2", &select).await;
            match &expected {
                Ok(rows) => assert_eq!(answer.body(), rows, "{definition}"),
                Err(code) => answer.refused(code),
            }
        }
        host.left_nothing(&database.dsn, &database).await;
    }
}

/// Inserts and queries of every form go on while the table changes under them.
#[tokio::test(flavor = "multi_thread")]
async fn definitions_change_during_calls() {
    const CHANGES: [&str; 6] = [
        "ALTER TABLE t ADD extra text DEFAULT 'x'",
        "ALTER TABLE t ALTER id TYPE bigint",
        "ALTER TABLE t DROP extra",
        "ALTER TABLE t ALTER id TYPE int",
        "CREATE INDEX t_id ON t (id); DROP INDEX t_id",
        "BEGIN; ALTER TABLE t RENAME TO old; CREATE TABLE t (id int); INSERT INTO t SELECT id FROM old; DROP TABLE old; COMMIT",
    ];
    let database = with_table().await;
    let host = Arc::new(Host::start("[limits]\npool_connections = 3\n"));
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    let mut progress = Vec::new();
    for rows in [1, 2, 40] {
        let (host, stop, dsn) = (host.clone(), stop.clone(), database.dsn.clone());
        let made = Arc::new(AtomicI64::new(0));
        let count = made.clone();
        let caller = callers.spawn(async move {
            let schema = json!({"columns": ["*"], "limit": 3});
            let select =
                json!({"database_connection_str": dsn, "table_name": "t", "schema": schema});
            let mut stored = 0;
            let mut calls = 0;
            while !stop.load(Ordering::SeqCst) || calls == 0 {
                host.insert(&dsn, 0..rows).await.body();
                stored += rows;
                let answer = host.call("SelectValuesV2", &select).await;
                for row in answer.body().as_array().unwrap() {
                    assert!(
                        row[0].is_u64() && row[1] == Value::Null || row[1] == "x",
                        "{row}"
                    );
                }
                calls += 1;
                count.store(calls, Ordering::SeqCst);
            }
            (stored, calls)
        });
        progress.push((made, caller));
    }
    for change in CHANGES.iter().cycle().take(60) {
        database.batch_execute(change).await.unwrap();
        // A call is tried again a few times, not as often as definitions can change.
        for (made, caller) in &progress {
            let before = made.load(Ordering::SeqCst);
            while made.load(Ordering::SeqCst) == before && !caller.is_finished() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
    stop.store(true, Ordering::SeqCst);
    let (stored, calls): (Vec<i64>, Vec<i64>) = callers.join_all().await.into_iter().unzip();
    assert!(calls.iter().all(|calls| *calls > 1), "{calls:?} calls");
    host.left_nothing(&database.dsn, &database).await;
    let expected: i64 = stored.iter().sum();
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, expected);
}
