//! Nothing passes from one call to the next, and nothing is left behind.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::fault::Culprit;
use airlock::{Limits, Parameters, Policy, Runtime};
use airlock_tests::hostile::Guest;
use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

async fn dosql(server: &Server, dsn: &str, sql: &str) -> Value {
    let call =
        json!({"database_connection_str": dsn, "schema": {"sql": sql, "fetch_results": true}});
    let (_, reply) = server.call("postgres_v2/DoSQL", &call).await;
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_state_passes_between_calls() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE ROLE other; CREATE TYPE mood AS ENUM ('x'); CREATE TABLE t (a int)")
        .await
        .unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let state = "SELECT current_setting('work_mem'), current_setting('search_path'), current_user::text, \
                 (SELECT count(*) FROM pg_prepared_statements WHERE from_sql), \
                 (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()), (SELECT count(*) FROM pg_listening_channels()), \
                 (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), \
                 (SELECT count(*) FROM pg_cursors WHERE is_holdable), current_setting('TimeZone'), nullif(current_setting('my.own', true), '')";
    let clean = dosql(&server, &database.dsn, state).await["command_response"]["body"].clone();
    for dirt in [
        "SET work_mem = '8MB'; SELECT 1",
        "SET search_path = pg_catalog; SELECT 1",
        "SET ROLE other; SELECT 1",
        "SET SESSION AUTHORIZATION other; SELECT 1",
        "PREPARE p AS SELECT 1; SELECT 1",
        "CREATE TEMP TABLE people (id int); SELECT 1",
        "LISTEN news; SELECT 1",
        "SELECT pg_advisory_lock(42)",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1; SELECT 1",
        "SET timezone = 'Asia/Kolkata'; SELECT now()",
        "SELECT set_config('my.own', 'x', false)",
        "SELECT set_config('my.own', 'x', false), 'x'::mood",
        "SET work_mem = '8MB'; SELECT 1/0",
    ] {
        dosql(&server, &database.dsn, dirt).await;
        // More calls than there are connections: every one of them is seen.
        for _ in 0..20 {
            let seen = dosql(&server, &database.dsn, state).await;
            assert_eq!(
                seen["command_response"]["body"], clean,
                "after {dirt}: {seen}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept_apart_by_the_whole_string() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE ROLE limited LOGIN PASSWORD 'right'")
        .await
        .unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let port = database.cluster().port();
    let name: String = database
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    let limited = |password: &str| {
        format!("dbname={name} user=limited password={password} host=127.0.0.1 port={port}")
    };
    let reply = dosql(&server, &limited("right"), "SELECT current_user::text").await;
    assert_eq!(reply["command_response"]["body"], json!([["limited"]]));
    let reply = dosql(
        &server,
        &limited("wrong-canary"),
        "SELECT current_user::text",
    )
    .await;
    assert_eq!(reply["error"]["error_code"], "OperationalError");
    assert!(!reply.to_string().contains("canary") && !server.log().contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_takes_its_statement_along() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (a int)")
        .await
        .unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let sql = "INSERT INTO t VALUES (1); SELECT pg_sleep(60)";
    let call = json!({"database_connection_str": database.dsn, "schema": {"sql": sql}});
    let request = server
        .http
        .post(format!("{}/v1/do/postgres_v2/DoSQL", server.base))
        .json(&call);
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    let call = tokio::spawn(request.send());
    until(&database, sleeping, 1).await;
    call.abort();
    until(&database, sleeping, 0).await;
    until(&database, "SELECT count(*) FROM t", 0).await;
}

/// Asks again and again until the count is as expected; the test's own time limit is the end.
async fn until(database: &Database, sql: &str, expected: i64) {
    while database.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) != expected {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_survive_changed_definitions() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let select = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["*"]}});
    for (definition, expected) in [
        (
            "CREATE TABLE t (a int); INSERT INTO t VALUES (1)",
            json!([[1]]),
        ),
        ("ALTER TABLE t ADD b text DEFAULT 'x'", json!([[1, "x"]])),
        ("ALTER TABLE t ALTER a TYPE text", json!([["1", "x"]])),
        (
            "DROP TABLE t; CREATE TABLE t (c date); INSERT INTO t VALUES ('2024-01-31')",
            json!([["2024-01-31"]]),
        ),
    ] {
        database.batch_execute(definition).await.unwrap();
        let (_, reply) = server.call("postgres_v2/SelectValuesV2", &select).await;
        assert_eq!(
            reply["command_response"]["body"], expected,
            "{definition}: {reply}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_follow_changed_definitions() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let insert = |value: Value| json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["a"], "values": [[value]]}});
    let where_a = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["a"], "where": [["a", "=", "1.5"]]}});
    for (definition, value, expected) in [
        ("CREATE TABLE t (a int)", json!(null), json!([])),
        // The types of the parameters were inferred from the old definition.
        (
            "DROP TABLE t; CREATE TABLE t (a date)",
            json!(null),
            json!([]),
        ),
        (
            "DROP TABLE t; CREATE TABLE t (a int)",
            json!("5"),
            json!([]),
        ),
        (
            "ALTER TABLE t ALTER a TYPE numeric",
            json!("1.5"),
            json!([[1.5]]),
        ),
    ] {
        database.batch_execute(definition).await.unwrap();
        let (_, reply) = server
            .call("postgres_v2/InsertValuesV2", &insert(value))
            .await;
        assert_eq!(reply["error"], Value::Null, "{definition}: {reply}");
        let (_, reply) = server.call("postgres_v2/SelectValuesV2", &where_a).await;
        if expected != json!([]) {
            assert_eq!(
                reply["command_response"]["body"], expected,
                "{definition}: {reply}"
            );
        }
    }
    // A change over the host itself is never missed.
    for (kind, expected) in [("int", json!([[7]])), ("text", json!([["007"]]))] {
        let create = json!({"database_connection_str": database.dsn, "table_name": "u", "schema": {"column_definitions": [{"name": "a", "type": kind}]}});
        let drop =
            json!({"database_connection_str": database.dsn, "table_name": "u", "schema": {}});
        let mut insert = insert(json!("007"));
        insert["table_name"] = "u".into();
        let select = json!({"database_connection_str": database.dsn, "table_name": "u", "schema": {"columns": ["a"]}});
        for (command, call) in [("CreateTableV2", &create), ("InsertValuesV2", &insert)] {
            let (_, reply) = server.call(&format!("postgres_v2/{command}"), call).await;
            assert_eq!(reply["error"], Value::Null, "{kind}: {reply}");
        }
        let (_, reply) = server.call("postgres_v2/SelectValuesV2", &select).await;
        assert_eq!(reply["command_response"]["body"], expected);
        server.call("postgres_v2/DropTableV2", &drop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_used_for_a_bounded_time() {
    let database = Database::fresh().await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(&config, "[limits]\nprepared_ms = 0\n").unwrap();
    let server = Server::start(
        env!("CARGO_BIN_EXE_airlock"),
        &["--config", config.to_str().unwrap()],
        &[],
    );
    let insert = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["a"], "values": [["007"]]}});
    for (definition, expected) in [
        ("CREATE TABLE t (a int)", "7"),
        ("DROP TABLE t; CREATE TABLE t (a text)", "007"),
    ] {
        database.batch_execute(definition).await.unwrap();
        let (_, reply) = server.call("postgres_v2/InsertValuesV2", &insert).await;
        assert_eq!(reply["error"], Value::Null, "{reply}");
        let row = database
            .query_one("SELECT a::text FROM t", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, String>(0), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_past_its_deadline_is_cancelled() {
    let database = Database::fresh().await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(&config, "[limits]\ndeadline_ms = 300\n").unwrap();
    let server = Server::start(
        env!("CARGO_BIN_EXE_airlock"),
        &["--config", config.to_str().unwrap()],
        &[],
    );
    let reply = dosql(
        &server,
        &database.dsn,
        "SET statement_timeout = 0; SELECT pg_sleep(60)",
    )
    .await;
    assert_eq!(reply["error"]["error_code"], "QueryCanceled", "{reply}");
    until(&database, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'", 0).await;
}

/// Ten thousand calls that wait for the database, or for a connection to it, hold no instance.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_wait_hold_no_instance() {
    const CALLS: u64 = 10_000;
    let database = Database::fresh().await;
    let limits = Limits {
        // Each call is planned in an instance of its own.
        plan_cache_bytes: 0,
        deadline_ms: 600_000,
        pool_waiting: CALLS as usize,
        ..Limits::default()
    };
    let runtime = Arc::new(Runtime::empty(limits).unwrap());
    let connector = runtime.load_embedded(Policy::default()).unwrap();
    see_an_instance(&runtime).await;
    database
        .batch_execute("SELECT pg_advisory_lock(7)")
        .await
        .unwrap();
    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        // All plans differ: calls that want the same one at the same time would share it.
        let sql = format!(
            "SELECT {number} FROM pg_advisory_lock_shared(7), pg_advisory_unlock_shared(7)"
        );
        let parameters = json!({
            "database_connection_str": database.dsn,
            "schema": {"sql": sql, "fetch_results": true},
        });
        let parameters = Parameters::from(parameters.as_object().unwrap().clone());
        let runtime = runtime.clone();
        calls.spawn(async move {
            let command = runtime.command("postgres_v2", "DoSQL").unwrap();
            let reply = runtime.run(&command, parameters).await.unwrap();
            let body = reply.body.collect().await.unwrap();
            assert_eq!(body, format!("[[{number}]]").into_bytes());
        });
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE wait_event = 'advisory' AND datname = current_database()";
    let end = Instant::now() + Duration::from_secs(300);
    loop {
        let instances = runtime.instances();
        let planned = connector.usage().stats().plan_misses;
        let row = database.query_one(waiting, &[]).await.unwrap();
        let waiting: i64 = row.get(0);
        if planned == CALLS
            && runtime.planning_calls() == 0
            && instances == 0
            && waiting == limits.pool_connections as i64
        {
            break;
        }
        assert!(
            Instant::now() < end,
            "{planned} planned, {instances} instances are left, {waiting} connections wait"
        );
        tokio::task::yield_now().await;
    }
    assert!(calls.try_join_next().is_none(), "a call did not wait");
    assert_eq!(runtime.instances(), 0);
    database
        .batch_execute("SELECT pg_advisory_unlock(7)")
        .await
        .unwrap();
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
    assert_eq!(runtime.instances(), 0);
}

/// Shows that an instance is counted while it plans.
async fn see_an_instance(runtime: &Arc<Runtime>) {
    let looping = Guest::planning("(loop $again (br $again))").component();
    runtime.load(&looping, Policy::default()).unwrap();
    assert_eq!(runtime.instances(), 0);
    let planning = runtime.clone();
    let call = tokio::spawn(async move {
        let command = planning.command("hostile", "C").unwrap();
        planning.plan(&command, Parameters::default()).await
    });
    while runtime.instances() == 0 {
        assert!(!call.is_finished(), "it was never counted");
        tokio::task::yield_now().await;
    }
    assert_eq!(
        call.await.unwrap().unwrap_err().culprit(),
        Culprit::Connector
    );
    assert_eq!(runtime.instances(), 0);
}
