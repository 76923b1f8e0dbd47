//! Who may call: the API key.

use super::envelope;
use crate::secret::Secret;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response, StatusCode};
use subtle::ConstantTimeEq as _;

/// Header that carries the key.
const HEADER: &str = "spiff-connector-proxy-api-key";

/// The response to a request that may not pass: its path is protected and it does not have the key.
/// Decided before routing, so an unknown command tells a stranger nothing.
pub(super) fn refusal(key: Option<&Secret>, request: &Request) -> Option<Response<Body>> {
    let key = key?;
    let refused = request.method() != Method::OPTIONS
        && is_protected(request.uri().path())
        && !has_key(request, key);
    refused.then(|| envelope::json(StatusCode::UNAUTHORIZED, "{\"error\":\"Unauthorized\"}\n"))
}

fn is_protected(path: &str) -> bool {
    path == "/v1/commands" || path == "/v1/auths" || path.starts_with("/v1/do/")
}

fn has_key(request: &Request, key: &Secret) -> bool {
    let given = request
        .headers()
        .get(HEADER)
        .map(|value| value.as_bytes().trim_ascii());
    given.is_some_and(|given| given.ct_eq(key.expose().as_bytes()).into())
}
