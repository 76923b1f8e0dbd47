//! Large replies go out while their rows come in, and one that breaks off is never taken for a success.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_tests::{Database, Server};
use serde_json::{Value, json};

/// Starts a server with these limits.
fn serve(limits: &str) -> (Server, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(&config, format!("[limits]\n{limits}\n")).unwrap();
    let arguments = ["--config", config.to_str().unwrap()];
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &arguments, &[]);
    (server, directory)
}

fn select(database: &Database, table: &str) -> Value {
    json!({"database_connection_str": database.dsn, "table_name": table, "schema": {"columns": ["*"]}})
}

async fn send(server: &Server, command: &str, call: &Value) -> reqwest::Response {
    let url = format!("{}/v1/do/postgres_v2/{command}", server.base);
    server.http.post(url).json(call).send().await.unwrap()
}

/// Asks again and again until the count is as expected; the test's own time limit is the end.
async fn until(database: &Database, sql: &str, expected: i64) {
    while database.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) != expected {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_replies_are_streamed_and_small_ones_are_not() {
    let database = Database::fresh().await;
    database
        .batch_execute(
            "CREATE TABLE t AS SELECT n, 'row ' || n AS text, (n / 100.0)::numeric(12,2) AS price FROM generate_series(1, 100000) n",
        )
        .await
        .unwrap();
    let (server, _directory) = serve("");
    let response = send(&server, "SelectValuesV2", &select(&database, "t")).await;
    assert_eq!(response.content_length(), None);
    let reply: Value = response.json().await.unwrap();
    assert_eq!(reply["error"], Value::Null);
    let rows = reply["command_response"]["body"].as_array().unwrap();
    assert_eq!(rows.len(), 100_000);
    for (at, row) in rows.iter().enumerate() {
        let n = at + 1;
        let price = format!("{}.{:02}", n / 100, n % 100);
        assert_eq!(row.to_string(), format!("[{n},\"row {n}\",{price}]"));
    }
    let mut few = select(&database, "t");
    few["schema"]["limit"] = 1.into();
    let response = send(&server, "SelectValuesV2", &few).await;
    assert!(response.content_length().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_as_objects_are_streamed_alike() {
    let database = Database::fresh().await;
    let (server, _directory) = serve("");
    let sql =
        "SELECT n AS \"the \"\"n\"\"\", repeat('x', 50) AS x FROM generate_series(1, 20000) n";
    let call = json!({"database_connection_str": database.dsn, "schema": {"sql": sql, "fetch_results": true, "rows": "objects"}});
    let (_, reply) = server.call("postgres_v2/DoSQL", &call).await;
    let rows = reply["command_response"]["body"].as_array().unwrap();
    assert_eq!(rows.len(), 20_000);
    assert_eq!(
        rows[19_999],
        json!({"the \"n\"": 20_000, "x": "x".repeat(50)})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_behind_the_first_rows_is_an_error_of_the_call() {
    let database = Database::fresh().await;
    database
        .batch_execute(
            "CREATE VIEW broken AS SELECT n, 1 / (50000 - n) AS q FROM generate_series(1, 100000) n;
             CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
        )
        .await
        .unwrap();
    let (server, _directory) = serve("");
    let response = send(&server, "SelectValuesV2", &select(&database, "broken")).await;
    assert_eq!(
        response.content_length(),
        None,
        "the reply was not streamed"
    );
    let text = response.text().await.unwrap();
    assert!(text.contains("[40000,0]"), "the rows in front are missing");
    let reply: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(reply["error"]["error_code"], "DivisionByZero");
    assert_eq!(reply["command_response"]["body"], Value::Null);
    // The rows are out before COMMIT refuses them.
    let sql = "INSERT INTO t SELECT n % 30000 FROM generate_series(1, 50000) n RETURNING n";
    let call = json!({"database_connection_str": database.dsn, "schema": {"sql": sql, "fetch_results": true}});
    let response = send(&server, "DoSQL", &call).await;
    assert_eq!(
        response.content_length(),
        None,
        "the reply was not streamed"
    );
    let reply: Value = response.json().await.unwrap();
    assert_eq!(reply["error"]["error_code"], "UniqueViolation");
    assert_eq!(reply["command_response"]["body"], Value::Null);
    until(&database, "SELECT count(*) FROM t", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_are_bounded_by_rows_and_bytes() {
    let database = Database::fresh().await;
    database
        .batch_execute(
            "CREATE TABLE t AS SELECT n, repeat('x', 1000) AS x FROM generate_series(1, 2000) n",
        )
        .await
        .unwrap();
    for (limits, table, limit) in [
        ("reply_rows = 1999", "t", "reply_rows"),
        ("reply_bytes = 1000000", "t", "reply_bytes"),
        ("reply_bytes = 1000", "t", "reply_bytes"),
    ] {
        let (server, _directory) = serve(limits);
        let (status, reply) = server
            .call("postgres_v2/SelectValuesV2", &select(&database, table))
            .await;
        let error = &reply["error"];
        assert_eq!(
            (status, &error["error_code"]),
            (200, &json!("ProgramLimitExceeded")),
            "{limits}"
        );
        assert!(
            error["message"].as_str().unwrap().contains(limit),
            "{error}"
        );
        assert_eq!(reply["command_response"]["body"], Value::Null);
    }
    let (server, _directory) = serve("reply_rows = 2000");
    let (_, reply) = server
        .call("postgres_v2/SelectValuesV2", &select(&database, "t"))
        .await;
    assert_eq!(reply["error"], Value::Null);
}

/// Rows without end, as far as a test can tell.
/// Gives a row as soon as it has it; a function such as `generate_series` would first write them all
/// down.
const ENDLESS: &str = "CREATE VIEW endless AS WITH RECURSIVE numbers(n) AS \
     (SELECT 1::bigint UNION ALL SELECT n + 1 FROM numbers) SELECT repeat('x', 1000) FROM numbers";

const RUNNING: &str = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%endless%' AND state = 'active' AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_ends_the_statement() {
    let database = Database::fresh().await;
    database.batch_execute(ENDLESS).await.unwrap();
    let (server, _directory) = serve("reply_bytes = 1000000000000");
    let mut response = send(&server, "SelectValuesV2", &select(&database, "endless")).await;
    assert!(response.chunk().await.unwrap().is_some());
    until(&database, RUNNING, 1).await;
    drop(response);
    until(&database, RUNNING, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_slow_is_cut_off_at_the_deadline() {
    let database = Database::fresh().await;
    database.batch_execute(ENDLESS).await.unwrap();
    let (server, _directory) = serve("reply_bytes = 1000000000000\ndeadline_ms = 500");
    let response = send(&server, "SelectValuesV2", &select(&database, "endless")).await;
    // Nobody reads, until the statement is gone.
    until(&database, RUNNING, 0).await;
    let text = response.text().await.unwrap();
    let reply: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(reply["error"]["error_code"], "QueryCanceled");
    assert_eq!(reply["command_response"]["body"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_reply() {
    let database = Database::fresh().await;
    database
        .batch_execute(
            "CREATE TABLE t AS SELECT n, repeat('x', 100) AS x FROM generate_series(1, 600000) n",
        )
        .await
        .unwrap();
    let (server, _directory) = serve("");
    let mut few = select(&database, "t");
    few["schema"]["limit"] = 1.into();
    send(&server, "SelectValuesV2", &few)
        .await
        .text()
        .await
        .unwrap();
    let before = peak_kib(&server);
    let mut response = send(&server, "SelectValuesV2", &select(&database, "t")).await;
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes += chunk.len();
    }
    assert!(bytes > 60_000_000, "only {bytes} bytes");
    let grown = peak_kib(&server).saturating_sub(before);
    assert!(
        grown < 32 << 10,
        "{bytes} bytes of reply took {grown} KiB of memory"
    );
}

/// The most memory that the server had resident so far, within what the kernel counts in batches.
fn peak_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
