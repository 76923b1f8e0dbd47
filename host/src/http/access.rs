//! Who may call: the API key.

use super::key::Key;
use super::{envelope, openapi};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response, StatusCode};

/// Header that carries the key.
pub(super) const HEADER: &str = "spiff-connector-proxy-api-key";

/// The response to a request that may not pass: its path is protected and it does not have the key.
/// Decided before routing, so an unknown command tells a stranger nothing.
pub(super) fn refusal(key: Option<&Key>, request: &Request) -> Option<Response<Body>> {
    let key = key?;
    let refused = request.method() != Method::OPTIONS
        && is_protected(request.uri().path())
        && !has_key(request, key);
    refused.then(|| envelope::json(StatusCode::UNAUTHORIZED, "{\"error\":\"Unauthorized\"}\n"))
}

/// Whether only those with the key get an answer from this path.
pub(super) fn is_protected(path: &str) -> bool {
    matches!(path, "/v1/commands" | "/v1/auths" | openapi::PATH) || path.starts_with("/v1/do/")
}

fn has_key(request: &Request, key: &Key) -> bool {
    let given = request.headers().get(HEADER);
    given.is_some_and(|given| key.is(given.as_bytes().trim_ascii()))
}
