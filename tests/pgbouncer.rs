//! PgBouncer in transaction mode between the host and the server: connections to it keep nothing from
//! one transaction to the next.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_tests::pgbouncer::PgBouncer;
use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_postgres::SimpleQueryMessage;

/// Connections of the host to PgBouncer; that one has a single connection to the server.
const CONNECTIONS: usize = 4;

struct World {
    server: Server,
    pooler: PgBouncer,
    database: Database,
    _directory: TempDir,
}

impl World {
    async fn start() -> World {
        let database = Database::fresh().await;
        let pooler = PgBouncer::start(&database.dsn, 1);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("airlock.toml");
        let config = format!(
            "transaction_poolers = [\"127.0.0.1:{}\"]\n[limits]\npool_connections = {CONNECTIONS}\n",
            pooler.port()
        );
        std::fs::write(&file, config).unwrap();
        let arguments = ["--config", file.to_str().unwrap()];
        World {
            server: Server::start(env!("CARGO_BIN_EXE_airlock"), &arguments, &[]),
            pooler,
            database,
            _directory: directory,
        }
    }

    async fn call(&self, command: &str, table: &str, schema: Value) -> Value {
        let dsn = self.pooler.dsn(&self.database.dsn);
        let mut call = json!({"database_connection_str": dsn, "schema": schema});
        if command != "DoSQL" {
            call["table_name"] = table.into();
        }
        let command = format!("postgres_v2/{command}");
        let (_, reply) = self.server.call(&command, &call).await;
        reply
    }

    /// The body of a call that succeeds.
    async fn body(&self, command: &str, table: &str, schema: Value) -> Value {
        let mut reply = self.call(command, table, schema.clone()).await;
        let error = &reply["error"];
        assert_eq!(*error, Value::Null, "{command} {schema}: {reply}");
        reply["command_response"]["body"].take()
    }

    /// Asks the one session of the server that all calls share.
    async fn shared_session(&self, sql: &str) -> String {
        let client = Database::connect(&self.pooler.dsn(&self.database.dsn)).await;
        let rows = client.simple_query(sql).await.unwrap();
        let mut rows = rows.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap().to_owned()),
            _ => None,
        });
        rows.next().unwrap()
    }
}

/// All seven commands on a table of its own, so that callers differ only in its name.
async fn all_commands(world: &World, table: &str, few: i64) {
    let columns = json!({"column_definitions": [
        {"name": "id", "type": "int", "primary_key": true}, {"name": "name", "type": "text"}]});
    world.body("CreateTableV2", table, columns).await;
    let rows = |from: i64, count: i64| -> Value {
        let ids = from..from + count;
        ids.map(|id| json!([id, format!("{table} {id}")])).collect()
    };
    for (from, count) in [(0, 1), (1, few), (100, 100)] {
        let schema = json!({"columns": ["id", "name"], "values": rows(from, count)});
        let body = world.body("InsertValuesV2", table, schema).await;
        assert_eq!(body["result"], format!("{count} rows affected"));
    }
    let one = |id: i64| json!([["id", "=", id]]);
    let select = json!({"columns": ["name"], "where": one(1)});
    let body = world.body("SelectValuesV2", table, select).await;
    assert_eq!(body, json!([[format!("{table} 1")]]));
    let update = json!({"columns": ["name"], "values": ["new"], "where": one(1)});
    world.body("UpdateValuesV2", table, update).await;
    let returning = json!({"set": {"name": "newer"}, "where": one(2), "returning": ["name"]});
    let body = world.body("UpdateValuesV2", table, returning).await;
    assert_eq!(body, json!([["newer"]]));
    world
        .body("DeleteValuesV2", table, json!({"where": one(0)}))
        .await;
    let sql = format!("SELECT name FROM {table} WHERE id < %s ORDER BY id LIMIT 2");
    let sql = json!({"sql": sql, "values": [50], "fetch_results": true});
    let body = world.body("DoSQL", table, sql).await;
    assert_eq!(body, json!([["new"], ["newer"]]));
    let sql =
        format!("INSERT INTO {table} VALUES (1000, 'x'); DELETE FROM {table} WHERE id = 1000");
    world.body("DoSQL", table, json!({"sql": sql})).await;
    let count = json!({"columns": ["count(*)"]});
    let body = world.body("SelectValuesV2", table, count).await;
    assert_eq!(body, json!([[few + 100]]));
    world.body("DropTableV2", table, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_commands_share_one_session() {
    let world = Arc::new(World::start().await);
    let mut callers = JoinSet::new();
    for caller in 0..2 * CONNECTIONS {
        let world = world.clone();
        callers.spawn(async move {
            for round in 0..5 {
                all_commands(&world, &format!("t{caller}_{round}"), 20).await;
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    let left = "SELECT count(*) FROM pg_prepared_statements";
    assert_eq!(world.shared_session(left).await, "0");
    let set = "SELECT count(*) FROM pg_settings WHERE source = 'session'
               AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone')";
    assert_eq!(world.shared_session(set).await, "0");
}

/// What a call did not finish is rolled back before anybody else gets the session.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_leave_nothing_in_the_shared_session() {
    let world = World::start().await;
    world
        .database
        .batch_execute("CREATE TABLE t (id int PRIMARY KEY)")
        .await
        .unwrap();
    let insert = |ids: Value| json!({"columns": ["id"], "values": ids});
    let double: Value = (0..50).map(|id| json!([id % 49])).collect();
    for (command, schema, code) in [
        (
            "InsertValuesV2",
            insert(json!([[1], [1]])),
            "UniqueViolation",
        ),
        ("InsertValuesV2", insert(double), "UniqueViolation"),
        (
            "InsertValuesV2",
            insert(json!([["x"]])),
            "InvalidTextRepresentation",
        ),
        (
            "SelectValuesV2",
            json!({"columns": ["none"]}),
            "UndefinedColumn",
        ),
        (
            "DoSQL",
            json!({"sql": "INSERT INTO t VALUES (1); SELECT 1/0"}),
            "DivisionByZero",
        ),
    ] {
        for _ in 0..2 * CONNECTIONS {
            let reply = world.call(command, "t", schema.clone()).await;
            assert_eq!(reply["error"]["error_code"], code, "{reply}");
            let body = world
                .body("SelectValuesV2", "t", json!({"columns": ["id"]}))
                .await;
            assert_eq!(body, json!([]), "{command}");
        }
    }
    let state = "SELECT pg_current_xact_id_if_assigned() IS NULL";
    assert_eq!(world.shared_session(state).await, "t");
}

/// State that a session would keep is not set in one that others share.
#[tokio::test(flavor = "multi_thread")]
async fn session_state_reaches_nobody() {
    let world = World::start().await;
    for (leave, look) in [
        ("SET work_mem = '8MB'", "SELECT current_setting('work_mem')"),
        (
            "PREPARE mine AS SELECT 1",
            "SELECT count(*)::text FROM pg_prepared_statements",
        ),
        (
            "CREATE TEMP TABLE mine (id int)",
            "SELECT count(*)::text FROM pg_class WHERE relname = 'mine' AND pg_table_is_visible(oid)",
        ),
        (
            "SELECT pg_advisory_lock(4711)",
            "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
        ),
    ] {
        let sql = |sql: &str, fetch: bool| json!({"sql": sql, "fetch_results": fetch});
        let clean = world.body("DoSQL", "", sql(look, true)).await;
        world.call("DoSQL", "", sql(leave, false)).await;
        for _ in 0..2 * CONNECTIONS {
            let seen = world.body("DoSQL", "", sql(look, true)).await;
            assert_eq!(seen, clean, "{leave}");
        }
    }
}

/// The same without the key: the host does not know, and a statement that it prepared is gone or
/// somebody else's. Callers are told so, and nothing wrong is stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_nobody_named_gives_no_wrong_answer() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (id int PRIMARY KEY)")
        .await
        .unwrap();
    let pooler = PgBouncer::start(&database.dsn, 1);
    let dsn = pooler.dsn(&database.dsn);
    let server = Arc::new(Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]));
    let mut calls = JoinSet::new();
    for id in 0..40 {
        let schema = json!({"columns": ["id"], "values": [[id]]});
        let call = json!({"database_connection_str": dsn, "table_name": "t", "schema": schema});
        let server = server.clone();
        calls.spawn(async move {
            let (_, reply) = server.call("postgres_v2/InsertValuesV2", &call).await;
            (id, reply)
        });
    }
    for (id, reply) in calls.join_all().await {
        let stored = "SELECT 1 FROM t WHERE id = $1";
        let stored = database.query_opt(stored, &[&id]).await.unwrap().is_some();
        assert_eq!(stored, reply["error"].is_null(), "{id}: {reply}");
    }
}
