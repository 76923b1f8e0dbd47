//! What every response tells browsers and caches: replies are data of this caller and nothing else.

use hyper::HeaderMap;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// The headers and their values. Nothing but the console is a page that loads or runs anything.
const HEADERS: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-store"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// Whoever spoke TLS once does so for a year.
const TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Room for the header fields of most responses.
pub(super) const USUAL_FIELDS: usize = 11;

/// Adds the headers to a response that goes over TLS or not. What the response says of its content itself
/// stays: the console is a page.
pub(super) fn add(headers: &mut HeaderMap, tls: bool) {
    for (name, value) in HEADERS {
        let said = headers.entry(name);
        said.or_insert(HeaderValue::from_static(value));
    }
    if tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, TRANSPORT);
    }
}
