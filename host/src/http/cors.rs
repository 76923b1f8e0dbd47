//! Which browsers may call: cross-origin headers on the protocol's paths.

use super::openapi;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, Response};

/// What browsers may send; the routes decide what is there.
const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// What a response says to browsers.
pub(super) struct Cors {
    allowed: HeaderValue,
    preflight: bool,
    requested: Option<HeaderValue>,
}

impl Cors {
    /// What the response to `request` says, where its path is on `/v1` or that of the document, and origins are configured.
    pub(super) fn of(origins: &[String], request: &Request) -> Option<Cors> {
        let headers = request.headers();
        Some(Cors {
            allowed: allowed_origin(origins, request)?,
            preflight: request.method() == Method::OPTIONS
                && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD),
            requested: headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
        })
    }

    /// Adds the headers.
    pub(super) fn add(self, response: &mut Response<Body>) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.allowed);
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if self.preflight {
            headers.insert(
                ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static(METHODS),
            );
            if let Some(requested) = self.requested {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested);
            }
        }
    }
}

/// The origin to answer: the request's own where it is allowed, the first where it names none.
fn allowed_origin(origins: &[String], request: &Request) -> Option<HeaderValue> {
    let path = request.uri().path();
    if origins.is_empty() || !(path.starts_with("/v1") || path == openapi::PATH) {
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
