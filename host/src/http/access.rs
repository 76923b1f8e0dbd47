//! Who may call: the API key.

use super::envelope;
use super::routes::App;
use crate::secret::Secret;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use axum::middleware::Next;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// Header that carries the key.
const HEADER: &str = "spiff-connector-proxy-api-key";

/// Lets a request through when its path is open or it has the key. Decided before routing, so an
/// unknown command tells a stranger nothing.
pub(super) async fn check(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let refused = match &app.api_key {
        Some(key) if request.method() != Method::OPTIONS && is_protected(request.uri().path()) => {
            !has_key(&request, key)
        }
        _ => false,
    };
    if refused {
        return envelope::json(StatusCode::UNAUTHORIZED, "{\"error\":\"Unauthorized\"}\n");
    }
    next.run(request).await
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
