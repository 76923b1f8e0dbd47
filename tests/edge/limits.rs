//! Each limit of the edge, broken.

use super::raw::Raw;
use super::table::post;
use super::{assert_serves, serve, sql, until};
use airlock_tests::Database;
use tokio::net::TcpStream;

const GET: &str = "GET /liveness HTTP/1.1\r\nHost: a\r\n\r\n";

/// Longer than any test.
const HOUR: &str = "3600000";

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_head_ends_at_header_ms() {
    let (server, _directory) = serve(&format!(
        "header_ms = 300\nidle_ms = {HOUR}\nbody_ms = {HOUR}"
    ));
    for head in ["", "GET /liveness HTTP/1.1\r\nX: "] {
        let mut raw = Raw::connect(server.address()).await;
        raw.send(head).await;
        assert!(raw.rest().await.is_empty());
    }
    // Nor may one come byte by byte.
    let mut raw = Raw::connect(server.address()).await;
    let mut sent = 0;
    while !raw.is_closed().await {
        raw.send("x").await;
        sent += 1;
    }
    assert!(sent > 1);
    // A head behind another one has its own time.
    let mut raw = Raw::connect(server.address()).await;
    raw.send(GET).await;
    assert_eq!(raw.response().await.unwrap().status, 200);
    raw.send("GET /live").await;
    assert!(raw.rest().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_bounded_by_head_bytes_and_head_fields() {
    let (server, _directory) = serve("head_bytes = 3000\nhead_fields = 20");
    for (fields, status) in [
        (format!("X: {}\r\n", "x".repeat(2_800)), 200),
        (format!("X: {}\r\n", "x".repeat(3_000)), 431),
        (format!("X: {}\r\n", "x".repeat(30_000)), 431),
        ("X: a\r\n".repeat(19), 200),
        ("X: a\r\n".repeat(20), 431),
        ("X: a\r\n".repeat(200), 431),
    ] {
        let mut raw = Raw::connect(server.address()).await;
        raw.send(format!("GET /liveness HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
            .await;
        let response = raw.response().await.unwrap();
        assert_eq!(response.status, status, "{}", fields.len());
    }
    // HTTP/2 packs fields; they count as they are.
    let mut client = h2(server.address()).await;
    for (field, status) in [("x".repeat(2_000), 200), ("x".repeat(3_500), 431)] {
        let request = http::Request::get("http://a/liveness")
            .header("x", field)
            .body(())
            .unwrap();
        let (response, _) = client.send_request(request, true).unwrap();
        assert_eq!(response.await.unwrap().status(), status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_requests_ends_at_idle_ms() {
    let (server, _directory) = serve(&format!("idle_ms = 300\nheader_ms = {HOUR}"));
    let mut raw = Raw::connect(server.address()).await;
    raw.send(GET).await;
    assert_eq!(raw.response().await.unwrap().status, 200);
    assert!(raw.rest().await.is_empty());
    // One with a request does not.
    let database = Database::fresh().await;
    let mut raw = Raw::connect(server.address()).await;
    raw.send(post(
        sql(&database, "SELECT 1 FROM pg_sleep(1)").to_string(),
    ))
    .await;
    assert_eq!(raw.response().await.unwrap().status, 200);
    // HTTP/2 is told before.
    let mut client = h2(server.address()).await;
    let (response, _) = client.send_request(liveness(), true).unwrap();
    response.await.unwrap();
    while std::future::poll_fn(|context| client.poll_ready(context))
        .await
        .is_ok()
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_connections_are_told_so() {
    let database = Database::fresh().await;
    let (server, _directory) = serve("connections = 2");
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut raw = Raw::connect(server.address()).await;
        raw.send(GET).await;
        assert_eq!(raw.response().await.unwrap().status, 200);
        open.push(raw);
    }
    for sent in ["", GET, &"x".repeat(500_000)] {
        let mut raw = Raw::connect(server.address()).await;
        raw.send(sent).await;
        let response = raw.response().await.unwrap();
        assert_eq!(response.status, 503);
        assert_eq!(response.header("retry-after"), Some("1"));
        assert_eq!(response.header("x-request-id").unwrap().len(), 32);
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert!(response.body.contains("TooManyConnections"), "{response:?}");
    }
    drop(open);
    loop {
        let mut raw = Raw::connect(server.address()).await;
        raw.send(GET).await;
        if raw.response().await.unwrap().status == 200 {
            break;
        }
    }
    assert_serves(&server, &database).await;
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), payload].concat()
}

/// Clients that keep to the rules wait; this one does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_connection_streams() {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const END_HEADERS: u8 = 4;
    let (server, _directory) = serve("connection_streams = 3");
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[]));
    // POST, http, the path, the authority and the type; the body is still to come.
    let fields = b"\x83\x86\x04\x18/v1/do/postgres_v2/DoSQL\x01\x01a\x0f\x10\x10application/json";
    for stream in [1, 3, 5, 7, 9] {
        sent.extend(frame(HEADERS, END_HEADERS, stream, fields));
    }
    let mut raw = Raw::connect(server.address()).await;
    raw.send(sent).await;
    let mut refused = Vec::new();
    while refused.len() < 2 {
        let head = raw.take(9).await;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let payload = raw.take(length).await;
        if head[3] == RST_STREAM {
            let reason = u32::from_be_bytes(payload.try_into().unwrap());
            assert_eq!(h2::Reason::from(reason), h2::Reason::REFUSED_STREAM);
            refused.push(head[8]);
        }
    }
    assert_eq!(refused, [7, 9]);
    // Others are none the worse for it.
    let mut client = h2(server.address()).await;
    let (response, _) = client.send_request(liveness(), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_ends_at_body_ms() {
    let database = Database::fresh().await;
    let (server, _directory) = serve("body_ms = 300");
    let call = String::from_utf8(post(sql(&database, "SELECT 1").to_string())).unwrap();
    let mut raw = Raw::connect(server.address()).await;
    raw.send(&call[..call.len() - 2]).await;
    let response = raw.response().await.unwrap();
    assert_eq!(response.status, 408);
    assert!(response.body.contains("body_ms"), "{response:?}");
    assert!(raw.rest().await.is_empty());
    assert_serves(&server, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_bodies_together_are_bounded_by_bodies_bytes() {
    let database = Database::fresh().await;
    let (server, _directory) = serve("bodies_bytes = 100000");
    let call = |length: usize| {
        let filler = format!("SELECT 1 /* {} */", "x".repeat(length));
        String::from_utf8(post(sql(&database, &filler).to_string())).unwrap()
    };
    let long = call(60_000);
    // Most of one body is held while the others come.
    let mut first = Raw::connect(server.address()).await;
    first.send(&long[..long.len() - 1]).await;
    loop {
        let mut raw = Raw::connect(server.address()).await;
        raw.send(&long).await;
        let response = raw.response().await.unwrap();
        if response.status == 503 {
            assert_eq!(response.header("retry-after"), Some("1"));
            assert!(response.body.contains("bodies_bytes"), "{response:?}");
            break;
        }
        assert_eq!(response.status, 200);
    }
    // Small ones still fit.
    assert_serves(&server, &database).await;
    first.send(&long[long.len() - 1..]).await;
    assert_eq!(first.response().await.unwrap().status, 200);
    // What was held is free again.
    let mut raw = Raw::connect(server.address()).await;
    raw.send(&long).await;
    assert_eq!(raw.response().await.unwrap().status, 200);
}

/// Only one call at a time, so the next one shows that the one before is gone.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_shed_before_their_body_is_read() {
    let database = Database::fresh().await;
    let (server, _directory) = serve("concurrent_calls = 1");
    let mut first = Raw::connect(server.address()).await;
    first
        .send(post(sql(&database, "SELECT pg_sleep(600)").to_string()))
        .await;
    until(&database, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state = 'active' AND pid <> pg_backend_pid()", 1).await;
    let call = String::from_utf8(post("x".repeat(10_000))).unwrap();
    let (head, _) = call.split_once("\r\n\r\n").unwrap();
    let mut second = Raw::connect(server.address()).await;
    second
        .send(format!("{head}\r\nExpect: 100-continue\r\n\r\n"))
        .await;
    let response = second.response().await.unwrap();
    assert_eq!(response.status, 503, "it was asked for its body");
    assert_eq!(response.header("retry-after"), Some("1"));
}

/// A client of HTTP/2.
pub(crate) async fn h2(address: &str) -> h2::client::SendRequest<bytes::Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) fn liveness() -> http::Request<()> {
    http::Request::get("http://a/liveness").body(()).unwrap()
}

pub(crate) fn call_over_h2() -> http::Request<()> {
    http::Request::post("http://a/v1/do/postgres_v2/DoSQL")
        .header("content-type", "application/json")
        .body(())
        .unwrap()
}
