//! Which browsers may call: cross-origin headers on the protocol's paths.

use super::routes::App;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, Response};
use axum::middleware::Next;
use std::sync::Arc;

/// What browsers may send; the routes decide what is there.
const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// Adds the headers to responses on `/v1` where origins are configured.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let Some(allowed) = allowed_origin(&app.cors_origins, &request) else {
        return next.run(request).await;
    };
    let preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let requested = request
        .headers()
        .get(ACCESS_CONTROL_REQUEST_HEADERS)
        .cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if preflight {
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(METHODS),
        );
        if let Some(requested) = requested {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested);
        }
    }
    response
}

/// The origin to answer: the request's own where it is allowed, the first where it names none.
fn allowed_origin(origins: &[String], request: &Request) -> Option<HeaderValue> {
    if !request.uri().path().starts_with("/v1") {
        return None;
    }
    match request.headers().get(ORIGIN) {
        Some(origin) => origins
            .iter()
            .any(|known| known.as_bytes() == origin.as_bytes())
            .then(|| origin.clone()),
        None => HeaderValue::from_str(origins.first()?).ok(),
    }
}
