//! `/console`: the page for administrators. It holds nothing but its own code, so it needs no token;
//! what it shows it asks the admin surface for, with the token that its user gives it.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::routing::get;

/// The page loads its own files and asks its own server, and nothing else; no text becomes code.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
     form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// A file by its name in the directory beside this one.
macro_rules! bundled {
    ($name:literal, $kind:expr) => {
        ($name, $kind, include_str!(concat!("console/", $name)))
    };
}

/// What the page loads: name, type and text.
const FILES: &[(&str, &str, &str)] = &[
    bundled!("index.html", HTML),
    bundled!("icon.svg", IMAGE),
    bundled!("style.css", CSS),
    bundled!("api.js", SCRIPT),
    bundled!("chart.js", SCRIPT),
    bundled!("command.js", SCRIPT),
    bundled!("confirm.js", SCRIPT),
    bundled!("connection.js", SCRIPT),
    bundled!("connector.js", SCRIPT),
    bundled!("connectors.js", SCRIPT),
    bundled!("diff.js", SCRIPT),
    bundled!("dom.js", SCRIPT),
    bundled!("exact.js", SCRIPT),
    bundled!("field.js", SCRIPT),
    bundled!("figures.js", SCRIPT),
    bundled!("form.js", SCRIPT),
    bundled!("main.js", SCRIPT),
    bundled!("plan.js", SCRIPT),
    bundled!("policy.js", SCRIPT),
    bundled!("reply.js", SCRIPT),
    bundled!("schema.js", SCRIPT),
    bundled!("series.js", SCRIPT),
    bundled!("sign_in.js", SCRIPT),
    bundled!("versions.js", SCRIPT),
];

/// The paths of the console.
pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/console", get(|| async { file("index.html") }))
        .route("/console/", get(|| async { to_the_page() }))
        .route(
            "/console/{file}",
            get(async |Path(name): Path<String>| file(&name)),
        )
}

fn file(name: &str) -> Response<Body> {
    let Some((_, kind, text)) = FILES.iter().find(|(known, ..)| *known == name) else {
        let mut response = Response::new(Body::from("there is no such file; see /console"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::new(Body::from(*text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// The page names its files from where it is, and that is without the slash.
fn to_the_page() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static("../console"));
    response
}
