//! `/v1/do/{connector}/{command}`: runs one command.

use super::envelope;
use super::receive::{Held, receive};
use super::request_id;
use super::routes::App;
use super::trace_parent::TraceParent;
use crate::call::Parameters;
use crate::fault::{Fault, Kind};
use crate::metrics::{Outcome, TurnedAway};
use crate::observation::{Observation, Stage};
use crate::reply::{self, Body, Envelope, Reply};
use crate::runtime::FoundCommand;
use crate::traces::{CallTrace, Called};
use axum::body::Body as HttpBody;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use std::convert::Infallible;
use std::error::Error as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Level;

/// What the path takes.
pub(super) const ALLOW: &str = "HEAD, POST, GET, OPTIONS";

/// Header with the milliseconds that a call may take, where it shall be less than any may.
pub(super) const DEADLINE: HeaderName = HeaderName::from_static("x-airlock-deadline-ms");

/// Runs the command that the path names with the parameters in the body.
pub(super) async fn perform(
    State(app): State<Arc<App>>,
    Path((connector, command)): Path<(String, String)>,
    request: Request,
) -> Response<HttpBody> {
    named(app, &connector, &command, request).await
}

/// The connector and the command that a path names, where it does so plainly. Such requests need no
/// router.
pub(super) fn names(path: &str) -> Option<(&str, &str)> {
    let (connector, command) = path.strip_prefix("/v1/do/")?.split_once('/')?;
    let plain = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    (plain(connector) && plain(command)).then_some((connector, command))
}

/// Runs a command by name with the parameters in the body.
pub(super) async fn named(
    app: Arc<App>,
    connector: &str,
    command: &str,
    request: Request,
) -> Response<HttpBody> {
    match *request.method() {
        Method::GET | Method::HEAD | Method::POST => {}
        Method::OPTIONS => return super::routes::options(ALLOW),
        _ => return envelope::method_not_allowed(ALLOW),
    }
    // The command is looked up before the body is read.
    match app.runtime.command(connector, command) {
        Ok(found) => found_one(app, found, request).await,
        Err(fault) => {
            let response = envelope::failure(&fault);
            match app.runtime.versions().live().get(connector) {
                Some(connector) => envelope::planned_by(response, connector.planned_by()),
                None => response,
            }
        }
    }
}

/// Runs a command that was found with the parameters in the body.
pub(super) async fn found_one(
    app: Arc<App>,
    found: FoundCommand,
    request: Request,
) -> Response<HttpBody> {
    let component = found.planned_by().clone();
    envelope::planned_by(answer(app, found, request).await, &component)
}

async fn answer(app: Arc<App>, found: FoundCommand, request: Request) -> Response<HttpBody> {
    let found = match within(found, request.headers()) {
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
    if !is_plain(request.headers()) {
        let message = "send the body as it is, without a Content-Encoding";
        return envelope::refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            message,
        );
    }
    // Who has to be turned away need not send the body first.
    if app.calls.available_permits() == 0 {
        app.runtime.metrics().turn_away(TurnedAway::Calls);
        return fail(&app, Log::new(found), too_many_calls());
    }
    let limits = app.runtime.limits();
    let (Parts { headers, .. }, body) = request.into_parts();
    let (body, held) = match receive(body, &app.bodies, limits).await {
        Ok(received) => received,
        Err(response) => {
            if response.status() == StatusCode::SERVICE_UNAVAILABLE {
                app.runtime.metrics().turn_away(TurnedAway::Bodies);
            }
            return response;
        }
    };
    let observation = observe(&app, &found, &headers);
    let found = found.observed(Arc::new(observation));
    if let Some(metrics) = found.metrics() {
        metrics.received(body.len());
    }
    let mut log = Log::new(found.clone());
    let Ok(permit) = app.calls.clone().try_acquire_owned() else {
        app.runtime.metrics().turn_away(TurnedAway::Calls);
        return fail(&app, log, too_many_calls());
    };
    match run(&app, &found, &body).await {
        Ok(Reply { body, status, .. }) => match body {
            Body::Whole(body) => {
                log.sent(body.len());
                let reply = reply::success(&body);
                log.write(Some(&Ok(())));
                envelope::success(status, reply)
            }
            Body::Streaming(first, rest) => {
                let stream = Streaming {
                    envelope: Envelope::new(first, rest),
                    log,
                    _permit: permit,
                    _held: held,
                };
                envelope::success(status, HttpBody::from_stream(stream))
            }
        },
        Err(fault) => fail(&app, log, fault),
    }
}

async fn run(app: &App, found: &FoundCommand, body: &[u8]) -> Result<Reply, Fault> {
    let parameters = Parameters::parse(body)?;
    app.runtime.run(found, parameters).await
}

fn fail(app: &App, mut log: Log, fault: Fault) -> Response<HttpBody> {
    let response = envelope::failure(&fault);
    if fault.kind == Kind::Overload {
        app.turned_away.note(&fault.code);
    }
    log.write(Some(&Err(fault)));
    response
}

/// A call whose parameters are there.
fn observe(app: &App, found: &FoundCommand, headers: &HeaderMap) -> Observation {
    let observation = Observation::new();
    // The edge has seen to it that there is one.
    let Some(id) = headers
        .get(request_id::HEADER)
        .and_then(|id| id.to_str().ok())
    else {
        return observation;
    };
    let trace = app.traces.as_ref().and_then(|traces| {
        let called = Called {
            planned_by: found.planned_by(),
            command: found.command(),
            request_id: Some(id),
        };
        traces.begin(&TraceParent(headers), &called)
    });
    observation.of_request(id).traced(trace)
}

/// A reply on its way out. It counts as a call under way, and is logged when it ends.
struct Streaming {
    envelope: Envelope,
    log: Log,
    _permit: OwnedSemaphorePermit,
    /// The call keeps what it needs of the body.
    _held: Held,
}

impl Stream for Streaming {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let part = self.envelope.poll_next_unpin(context);
        if let Poll::Ready(Some(part)) = &part {
            self.log.sent(part.len());
        }
        part.map(|part| part.map(Ok))
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.log.write(self.envelope.outcome());
    }
}

/// Takes over the deadline that the caller asks for.
fn within(found: FoundCommand, headers: &HeaderMap) -> Result<FoundCommand, Fault> {
    let Some(given) = headers.get(DEADLINE) else {
        return Ok(found);
    };
    let deadline_ms = given.to_str().ok().and_then(|text| text.parse().ok());
    match deadline_ms.filter(|&deadline_ms| deadline_ms > 0) {
        Some(deadline_ms) => Ok(found.within(Duration::from_millis(deadline_ms))),
        None => {
            let message = format!("{DEADLINE} must be a whole number of milliseconds, at least 1");
            Err(Fault::parameters("BadRequest", message))
        }
    }
}

pub(super) fn too_many_calls() -> Fault {
    let message = "too many calls are under way; try again in a second";
    Fault::new(Kind::Overload, "TooManyRequests", message)
}

/// Whether the body is what it seems: nothing is unpacked here, so nothing small becomes large.
fn is_plain(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
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

/// What is said of a call in the log. Where nothing was said of it when this is dropped, its client is
/// gone.
struct Log {
    found: FoundCommand,
    is_written: bool,
}

impl Log {
    fn new(found: FoundCommand) -> Log {
        let is_written = false;
        Log { found, is_written }
    }

    /// A part of the reply goes out.
    fn sent(&self, bytes: usize) {
        if let Some(metrics) = self.found.metrics() {
            metrics.sent(bytes);
        }
    }

    /// Logs who did what and how it ended, if it did: never a value, never a message, which can hold
    /// one. What went well is told to those who ask for it: a line takes a tenth of the time of a small
    /// call.
    fn write(&mut self, outcome: Option<&Result<(), Fault>>) {
        self.is_written = true;
        let observation = self.found.observation();
        let trace = observation.and_then(Observation::trace);
        let wanted = !matches!(outcome, Some(Ok(()))) || tracing::enabled!(Level::DEBUG);
        if !wanted && trace.is_none() {
            return;
        }
        let duration_us = observation.map_or(0, |call| call.end().as_micros());
        let took_us = |stage| Some(observation?.took(stage)?.as_micros());
        let (plan_us, pool_wait_us) = (took_us(Stage::Plan), took_us(Stage::PoolWait));
        let (sql_us, render_us) = (took_us(Stage::Sql), took_us(Stage::Render));
        let trace_id = trace.map(CallTrace::id);
        let (connector, command) = (&**self.found.planned_by(), self.found.command());
        match outcome {
            None => tracing::info!(
                connector,
                command,
                duration_us,
                plan_us,
                pool_wait_us,
                sql_us,
                render_us,
                outcome = Outcome::ClientGone.name()
            ),
            Some(Ok(())) => tracing::debug!(
                connector,
                command,
                duration_us,
                plan_us,
                pool_wait_us,
                sql_us,
                render_us,
                outcome = "ok"
            ),
            Some(Err(fault)) if matches!(fault.kind, Kind::Connector | Kind::Internal) => {
                let cause = fault.source().map(ToString::to_string);
                let culprit = tracing::field::debug(fault.culprit());
                tracing::error!(connector, command, duration_us, plan_us, pool_wait_us, sql_us, render_us, trace_id, outcome = %fault.code, culprit, message = fault.message, cause);
            }
            Some(Err(fault)) if fault.kind == Kind::Overload => {
                tracing::debug!(connector, command, duration_us, plan_us, pool_wait_us, sql_us, render_us, trace_id, outcome = %fault.code);
            }
            Some(Err(fault)) => {
                tracing::info!(connector, command, duration_us, plan_us, pool_wait_us, sql_us, render_us, trace_id, outcome = %fault.code, culprit = ?fault.culprit());
            }
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // A panic has a line of its own.
        if !self.is_written && !thread::panicking() {
            self.write(None);
        }
    }
}
