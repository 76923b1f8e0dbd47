//! The HTTP edge of `airlock serve`: what it does with clients that mean harm, are broken or are slow.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod accept;
mod drain;
mod headers;
mod limits;
mod panics;
mod raw;
mod replies;
mod requests;
mod table;
mod tls;

use airlock_tests::{Database, Server};
use serde_json::{Value, json};

const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// Starts a server with these limits.
fn serve(limits: &str) -> (Server, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(&config, format!("[limits]\n{limits}\n")).unwrap();
    let arguments = ["--config", config.to_str().unwrap()];
    (Server::start(AIRLOCK, &arguments, &[]), directory)
}

/// The parameters of a DoSQL that gives what `sql` does.
fn sql(database: &Database, sql: &str) -> Value {
    json!({"database_connection_str": database.dsn, "schema": {"sql": sql, "fetch_results": true}})
}

/// The server does what it is for.
async fn assert_serves(server: &Server, database: &Database) {
    let (status, reply) = server
        .call("postgres_v2/DoSQL", &sql(database, "SELECT 1"))
        .await;
    assert_eq!(status, 200, "{reply}");
    assert_eq!(reply["command_response"]["body"], json!([[1]]), "{reply}");
}

/// Asks again and again until the count is as expected; the test's own time limit is the end.
async fn until(database: &Database, sql: &str, expected: i64) {
    while database.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) != expected {
        tokio::task::yield_now().await;
    }
}

/// Waits for a line of the log.
async fn until_logged(server: &Server, line: &str) {
    while !server.log().contains(line) {
        tokio::task::yield_now().await;
    }
}
