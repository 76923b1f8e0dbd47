//! The native baseline: what a Rust developer would write by hand for exactly these queries, with
//! axum and tokio-postgres and nothing between them.
//!
//! It reads the same request bodies and answers the same bytes as Airlock, over the same kind of pool
//! and with the same SQL text. It knows its database, its tables and their types beforehand, so it
//! neither plans, seals nor checks anything, and it ignores the connection string of a call. It never
//! runs in the process of the benchmark.

mod insert;
mod numeric;
mod pool;
mod select;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use std::fmt::Display;
use tokio::net::TcpListener;

/// Largest body of a request, as Airlock's default.
const BODY_BYTES: usize = 64 << 20;

/// In front of the body of a reply.
const BEFORE: &[u8] = br#"{"command_response": {"body": "#;

/// After it.
const AFTER: &[u8] =
    br#", "mimetype": "application/json"}, "error": null, "command_response_version": 2}"#;

/// Serves the database at `dsn` on a free loopback port until the process is ended.
pub(crate) async fn serve(dsn: &str) {
    let router = Router::new()
        .route(
            "/v1/do/postgres_v2/SelectValuesV2",
            post(select::select_values),
        )
        .route(
            "/v1/do/postgres_v2/InsertValuesV2",
            post(insert::insert_values),
        )
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(pool::pool(dsn));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    eprintln!("listening on http://{}", listener.local_addr().unwrap());
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    axum::serve(listener, router).await.unwrap();
}

fn reply(body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Whatever went wrong: the benchmark only has to notice.
struct Failure(String);

impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0).into_response()
    }
}
