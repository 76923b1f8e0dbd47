//! Replies and faults as HTTP responses.

use super::security::USUAL_FIELDS;
use crate::fault::{Fault, Kind};
use crate::reply;
use crate::transaction::TransactionStatus;
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};

/// Names the component that planned a call, or that was there to.
pub(super) const PLANNED_BY: HeaderName = HeaderName::from_static("x-airlock-connector");

/// Tells what became of the transaction of a call.
pub(super) const OUTCOME: HeaderName = HeaderName::from_static("x-airlock-outcome");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A response with a JSON body.
pub(super) fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(USUAL_FIELDS);
    headers.insert(CONTENT_TYPE, JSON);
    response
}

/// The response to a call that succeeded, or that did so far.
pub(super) fn success(status: Option<TransactionStatus>, body: impl Into<Body>) -> Response<Body> {
    let mut response = json(StatusCode::OK, body);
    add_outcome(&mut response, status);
    response
}

/// The response to a call of a connector that is live, with the name of its component.
pub(super) fn planned_by(mut response: Response<Body>, component: &str) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(component) {
        response.headers_mut().insert(PLANNED_BY, value);
    }
    response
}

/// The response to a call that failed.
pub(super) fn failure(fault: &Fault) -> Response<Body> {
    let mut response = json(status(fault.kind), reply::failure(fault).to_string());
    add_outcome(&mut response, fault.status);
    if fault.kind == Kind::Overload {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn add_outcome(response: &mut Response<Body>, status: Option<TransactionStatus>) {
    if let Some(status) = status {
        let value = HeaderValue::from_static(status.as_str());
        response.headers_mut().insert(OUTCOME, value);
    }
}

/// Engines read the `error_code` of a reply with status 200, and try again on 500 and above. So what
/// the database said is 200, what the caller can mend is 400, and only what may go away by itself,
/// with nothing done yet, is above.
fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Statement
        | Kind::Connection
        | Kind::Database
        | Kind::Deadline
        | Kind::OutcomeUnknown => StatusCode::OK,
        Kind::Parameters => StatusCode::BAD_REQUEST,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::UnknownCommand => StatusCode::NOT_FOUND,
        Kind::Connector | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Overload => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A response about the request itself, in the same envelope.
pub(super) fn refusal(status: StatusCode, code: &'static str, message: &str) -> Response<Body> {
    json(
        status,
        reply::failure(&Fault::parameters(code, message)).to_string(),
    )
}

/// The response to a method that the path does not have.
pub(super) fn method_not_allowed(allow: &'static str) -> Response<Body> {
    let message = format!("this path takes {allow}");
    let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", &message);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    response
}
