//! `/v1/do/{connector}/{command}`: runs one command.

use super::envelope;
use super::routes::App;
use crate::call::Parameters;
use crate::fault::{Fault, Kind};
use crate::reply::Reply;
use crate::runtime::FoundCommand;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Instant;

/// What the path takes.
pub(super) const ALLOW: &str = "HEAD, POST, GET, OPTIONS";

/// Runs the command that the path names with the parameters in the body.
pub(super) async fn perform(
    State(app): State<Arc<App>>,
    Path((connector, command)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    match *request.method() {
        Method::GET | Method::HEAD | Method::POST => {}
        Method::OPTIONS => return super::routes::options(ALLOW),
        _ => return envelope::method_not_allowed(ALLOW),
    }
    // The command is looked up before the body is read.
    let found = match app.runtime.command(&connector, &command) {
        Ok(found) => found,
        Err(fault) => return envelope::failure(&fault),
    };
    if !is_json(request.headers()) {
        let message = "send the parameters as JSON with Content-Type application/json";
        return envelope::refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            message,
        );
    }
    let Ok(body) = axum::body::to_bytes(request.into_body(), app.runtime.limits().body_bytes).await
    else {
        let message = format!(
            "the body cannot be read, or is longer than the {} bytes of body_bytes",
            app.runtime.limits().body_bytes
        );
        return envelope::refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            &message,
        );
    };
    let started = Instant::now();
    let result = run(&app, &found, &body).await;
    log(&found, &command, started, &result);
    match result {
        Ok(reply) => envelope::success(&reply),
        Err(fault) => envelope::failure(&fault),
    }
}

async fn run(app: &App, found: &FoundCommand, body: &[u8]) -> Result<Reply, Fault> {
    let Ok(_permit) = app.calls.try_acquire() else {
        return Err(Fault::new(
            Kind::Overload,
            "TooManyRequests",
            "too many calls are under way; try again in a second",
        ));
    };
    let parameters = Parameters::parse(body)?;
    app.runtime.run(found, parameters).await
}

/// `application/json` or `application/*+json`, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Logs who did what and how it went: never a value, never a message, which can hold one.
fn log(found: &FoundCommand, command: &str, started: Instant, result: &Result<Reply, Fault>) {
    let duration_us = started.elapsed().as_micros();
    let connector = found.planned_by();
    match result {
        Ok(_) => tracing::info!(connector, command, duration_us, outcome = "ok"),
        Err(fault) if fault.kind == Kind::Connector || fault.kind == Kind::Internal => {
            let cause = fault.source().map(ToString::to_string);
            let culprit = tracing::field::debug(fault.culprit());
            tracing::error!(connector, command, duration_us, outcome = %fault.code, culprit, message = fault.message, cause);
        }
        Err(fault) => {
            tracing::info!(connector, command, duration_us, outcome = %fault.code, culprit = ?fault.culprit())
        }
    }
}
