//! How a server stops.

use super::limits::h2;
use super::raw::Raw;
use super::table::post;
use super::{serve, sql, until, until_logged};
use airlock_tests::{Database, Server};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::net::TcpStream;

const SLEEPING: &str = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()";

fn terminate(server: &Server) {
    kill(Pid::from_raw(server.id() as i32), Signal::SIGTERM).unwrap();
}

/// Rows that take a second and more than what is on its way at once.
const SLOW_ROWS: &str =
    "SELECT repeat('x', 100000), pg_sleep(0.01)::text FROM generate_series(1, 100)";

#[tokio::test(flavor = "multi_thread")]
async fn calls_under_way_finish_and_idle_connections_end() {
    let database = Database::fresh().await;
    let (server, _directory) = serve("");
    let address = server.address().to_owned();
    let mut idle = Raw::connect(&address).await;
    idle.send("GET /liveness HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let response = idle.response().await.unwrap();
    assert_eq!(response.header("connection"), None);
    let idle_h2 = h2(&address).await;
    database
        .batch_execute("SELECT pg_advisory_lock(7)")
        .await
        .unwrap();
    let mut busy = Raw::connect(&address).await;
    let waits = "SELECT 5 AS pg_sleep FROM pg_advisory_lock(7)";
    busy.send(post(sql(&database, waits).to_string())).await;
    let url = format!("{}/v1/do/postgres_v2/DoSQL", server.base);
    let streaming = server
        .http
        .post(url)
        .json(&sql(&database, SLOW_ROWS))
        .send();
    let mut streaming = streaming.await.unwrap();
    until(&database, SLEEPING, 2).await;
    terminate(&server);
    assert!(idle.rest().await.is_empty());
    drop(idle_h2);
    until_logged(&server, "stopping").await;
    // Who comes now finds nobody.
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    database
        .batch_execute("SELECT pg_advisory_unlock(7)")
        .await
        .unwrap();
    let response = busy.response().await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.header("connection"), Some("close"));
    assert!(response.body.contains("[[5]]"), "{response:?}");
    assert!(busy.rest().await.is_empty());
    let mut text = Vec::new();
    while let Some(part) = streaming.chunk().await.unwrap() {
        text.extend_from_slice(&part);
    }
    let reply: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(reply["error"], json!(null));
    assert_eq!(
        reply["command_response"]["body"].as_array().unwrap().len(),
        100
    );
    assert_eq!(server.exit_code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_take_longer_than_drain_ms_are_cancelled_and_rolled_back() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (n int)")
        .await
        .unwrap();
    let (server, _directory) = serve("drain_ms = 300");
    let mut raw = Raw::connect(server.address()).await;
    let slow = "INSERT INTO t SELECT 1 FROM pg_sleep(600) RETURNING n";
    raw.send(post(sql(&database, slow).to_string())).await;
    until(&database, SLEEPING, 1).await;
    terminate(&server);
    assert!(raw.rest().await.is_empty());
    assert_eq!(server.exit_code(), Some(3));
    // Cancelled, not left to run for nobody.
    until(&database, SLEEPING, 0).await;
    until(&database, "SELECT count(*) FROM t", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let database = Database::fresh().await;
    let (server, _directory) = serve("drain_ms = 3600000\ndeadline_ms = 3600000");
    let mut raw = Raw::connect(server.address()).await;
    raw.send(post(sql(&database, "SELECT pg_sleep(600)").to_string()))
        .await;
    until(&database, SLEEPING, 1).await;
    terminate(&server);
    until_logged(&server, "stopping").await;
    terminate(&server);
    assert!(raw.rest().await.is_empty());
    assert_eq!(server.exit_code(), Some(3));
    until(&database, SLEEPING, 0).await;
}
