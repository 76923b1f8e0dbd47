//! A panic in one request: it is an error of that request, and its text stays here.

use super::limits::{h2, liveness};
use super::raw::Raw;
use airlock::Limits;
use airlock::clock::Clock;
use airlock::http::{Drained, Listener, serve};
use airlock::metrics::Metrics;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use futures_util::stream;
use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// The log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_says_where_and_in_which_request_and_no_more() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    airlock::panics::leave_out_messages();
    let go_on = Arc::new(Notify::new());
    let gate = go_on.clone();
    // The server with a service that has a defect.
    let service = tower::service_fn(move |request: Request| {
        let gate = gate.clone();
        async move {
            match request.uri().path() {
                "/defect" => panic!("the value is a canary"),
                "/wait" => gate.notified().await,
                _ => {}
            }
            Ok::<_, Infallible>(Response::new(Body::from("well")))
        }
    });
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let listener = Listener {
        socket,
        limits: Limits::default(),
        clock: Arc::new(Clock::start().unwrap()),
        tls: None,
        connections: Metrics::new(&Limits::default())
            .unwrap()
            .connections("test")
            .unwrap(),
    };
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    let signals = stream::once(async move { stopped.notified().await });
    let server = tokio::spawn(serve(listener, service, signals));

    let mut raw = Raw::connect(&address).await;
    raw.send("GET /defect HTTP/1.1\r\nHost: a\r\nX-Request-Id: broken-1\r\n\r\n")
        .await;
    let response = raw.response().await;
    let _ = std::panic::take_hook();
    let response = response.unwrap();
    assert_eq!(response.status, 500);
    assert_eq!(response.header("x-request-id"), Some("broken-1"));
    assert!(
        response.body.contains("InternalServerError"),
        "{response:?}"
    );
    assert!(!response.body.contains("canary"), "{response:?}");
    // The connection goes on.
    raw.send("GET /well HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(raw.response().await.unwrap().status, 200);

    // So do the other requests of a connection that has several.
    let mut client = h2(&address).await;
    let get = |path: &str| {
        http::Request::get(format!("http://a{path}"))
            .body(())
            .unwrap()
    };
    let (waiting, _) = client.send_request(get("/wait"), true).unwrap();
    let (broken, _) = client.send_request(get("/defect"), true).unwrap();
    assert_eq!(broken.await.unwrap().status(), 500);
    let (well, _) = client.send_request(liveness(), true).unwrap();
    assert_eq!(well.await.unwrap().status(), 200);
    go_on.notify_one();
    assert_eq!(waiting.await.unwrap().status(), 200);

    stop.notify_one();
    assert_eq!(server.await.unwrap(), Drained::Whole);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("broken-1"))
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("tests/edge/panics.rs:")),
        "{log}"
    );
    assert!(!log.contains("canary"), "{log}");
}
