//! Replies that nobody reads: the call ends, and what it held is free again.

use super::limits::{call_over_h2, h2, liveness};
use super::raw::Raw;
use super::table::post;
use super::{assert_serves, serve, sql, until, until_logged};
use airlock_tests::Database;
use serde_json::json;

/// Rows without end, each as soon as it is there.
const ENDLESS: &str = "WITH RECURSIVE numbers(n) AS (SELECT 1::bigint UNION ALL SELECT n + 1 FROM numbers) \
     SELECT repeat('endless', 1000) FROM numbers";

const RUNNING: &str = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%endless%' AND state = 'active' AND pid <> pg_backend_pid()";

/// One call at a time; nothing but `send_ms` ends it.
const LIMITS: &str = "concurrent_calls = 1\nsend_ms = 500\ndeadline_ms = 3600000\nidle_ms = 3600000\n\
                      reply_bytes = 1000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_is_closed_at_send_ms() {
    let database = Database::fresh().await;
    let (server, _directory) = serve(LIMITS);
    let mut raw = Raw::connect(server.address()).await;
    raw.send(post(sql(&database, ENDLESS).to_string())).await;
    until(&database, RUNNING, 1).await;
    // Nobody reads, until the statement is gone.
    until(&database, RUNNING, 0).await;
    until_logged(&server, "client_gone").await;
    assert_serves(&server, &database).await;
    // What is there does not end as a reply does.
    let seen = raw.rest().await;
    assert!(seen.starts_with(b"HTTP/1.1 200"));
    assert!(!seen.ends_with(b"0\r\n\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_before_its_reply_is_logged() {
    let database = Database::fresh().await;
    let (server, _directory) = serve(LIMITS);
    let endless = "SELECT pg_sleep(3600), 'endless canary' FROM generate_series(1, 10)";
    let mut raw = Raw::connect(server.address()).await;
    raw.send(post(sql(&database, endless).to_string())).await;
    until(&database, RUNNING, 1).await;
    drop(raw);
    until(&database, RUNNING, 0).await;
    until_logged(&server, "client_gone").await;
    let log = server.log();
    let mut lines = log.lines();
    let line = lines.find(|line| line.contains("client_gone")).unwrap();
    for part in ["request_id=", "postgres_v2@sha256:", "DoSQL", "sql_us="] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(!log.contains("canary"), "{log}");
    assert_serves(&server, &database).await;
    assert_eq!(server.log().matches("client_gone").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_takes_nothing_ends_with_its_connection() {
    let database = Database::fresh().await;
    let (server, _directory) = serve(LIMITS);
    let mut client = h2(server.address()).await;
    let (response, mut body) = client.send_request(call_over_h2(), false).unwrap();
    body.send_data(sql(&database, ENDLESS).to_string().into(), true)
        .unwrap();
    let mut reply = response.await.unwrap().into_body();
    // Others on the connection do not hide it.
    let (response, _) = client.send_request(liveness(), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    until(&database, RUNNING, 1).await;
    until(&database, RUNNING, 0).await;
    until_logged(&server, "client_gone").await;
    assert_serves(&server, &database).await;
    while reply
        .data()
        .await
        .expect("the reply ends as if it were whole")
        .is_ok()
    {}
}

/// A small reply is handed over whole, so its request is over; `idle_ms` ends the connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_a_window_ends_with_its_connection() {
    let (server, _directory) = serve("idle_ms = 500");
    let stream = tokio::net::TcpStream::connect(server.address())
        .await
        .unwrap();
    let (mut client, connection) = h2::client::Builder::new()
        .initial_window_size(0)
        .handshake::<_, bytes::Bytes>(stream)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let (response, _) = client.send_request(liveness(), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    let _ = connection.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_take_nothing_leave_room_for_others() {
    let database = Database::fresh().await;
    let (server, _directory) =
        serve(&LIMITS.replace("concurrent_calls = 1", "concurrent_calls = 8"));
    let mut silent = Vec::new();
    for _ in 0..8 {
        let mut raw = Raw::connect(server.address()).await;
        raw.send(post(sql(&database, ENDLESS).to_string())).await;
        silent.push(raw);
    }
    until(&database, RUNNING, 8).await;
    until(&database, RUNNING, 0).await;
    // Their permits are free when the last was logged.
    while server.log().matches("client_gone").count() < 8 {
        tokio::task::yield_now().await;
    }
    assert_serves(&server, &database).await;
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_a_little_is_served() {
    let database = Database::fresh().await;
    let (server, _directory) = serve("");
    let rows = "SELECT repeat('x', 1000) FROM generate_series(1, 3000)";
    let mut response = server
        .http
        .post(format!("{}/v1/do/postgres_v2/DoSQL", server.base))
        .json(&sql(&database, rows))
        .send()
        .await
        .unwrap();
    let mut text = Vec::new();
    while let Some(part) = response.chunk().await.unwrap() {
        text.extend_from_slice(&part);
        tokio::task::yield_now().await;
    }
    let reply: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(reply["error"], json!(null));
    assert_eq!(
        reply["command_response"]["body"].as_array().unwrap().len(),
        3000
    );
}
