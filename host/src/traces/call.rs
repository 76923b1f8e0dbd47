//! The spans of one call: itself, and below it its stages and its statements.

use super::operation;
use crate::fault::Fault;
use crate::metrics::Outcome;
use crate::observation::Stage;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

/// The key by which a span says what kind of error it ended with.
const ERROR: &str = "error.type";

/// What is called.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    /// Name and digest of the connector, as `postgres_v2@sha256:…`.
    pub planned_by: &'a str,
    /// Name of the command.
    pub command: &'a str,
    /// Id of the request, where there is one.
    pub request_id: Option<&'a str>,
}

/// The trace of one call.
#[derive(Debug)]
pub struct CallTrace {
    tracer: SdkTracer,
    /// Holds the span of the call.
    context: Context,
    begun: SystemTime,
    /// Spans that it may still have.
    left: AtomicUsize,
    /// Spans that it would have had beyond those.
    left_out: AtomicUsize,
}

/// A statement while it runs. Where it is dropped before its end, it was given up.
#[derive(Debug)]
pub struct StatementSpan(Option<Span>);

impl CallTrace {
    pub(super) fn begin(
        tracer: &SdkTracer,
        caller: &Context,
        called: &Called<'_>,
        most: usize,
    ) -> Option<CallTrace> {
        let begun = SystemTime::now();
        let (connector, digest) = called.planned_by.split_once('@')?;
        let mut attributes = vec![
            KeyValue::new("airlock.connector", connector.to_owned()),
            KeyValue::new("airlock.connector.digest", digest.to_owned()),
            KeyValue::new("airlock.command", called.command.to_owned()),
        ];
        if let Some(id) = called.request_id {
            attributes.push(KeyValue::new("airlock.request_id", id.to_owned()));
        }
        let builder = SpanBuilder::from_name(format!("{connector}/{}", called.command))
            .with_kind(SpanKind::Server)
            .with_start_time(begun)
            .with_attributes(attributes);
        let span = tracer.build_with_context(builder, caller);
        // Nobody has to make the others where this one goes nowhere.
        span.span_context().is_sampled().then(|| CallTrace {
            tracer: tracer.clone(),
            context: Context::new().with_span(span),
            begun,
            left: AtomicUsize::new(most),
            left_out: AtomicUsize::new(0),
        })
    }

    /// The id of the trace, as 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        self.context.span().span_context().trace_id().to_string()
    }

    /// Where it runs: the name of the database.
    pub(crate) fn runs_in(&self, database: &str) {
        let database = KeyValue::new("airlock.database", database.to_owned());
        self.context.span().set_attribute(database);
    }

    /// How it ended.
    pub(crate) fn conclude(&self, outcome: Outcome) {
        let span = self.context.span();
        span.set_attribute(KeyValue::new("airlock.outcome", outcome.name()));
        if !matches!(outcome, Outcome::Ok | Outcome::ClientGone) {
            span.set_attribute(KeyValue::new(ERROR, outcome.name()));
            span.set_status(Status::error(""));
        }
    }

    /// A stage went from one time to another, both since the call began. The one in which statements run
    /// has spans of their own.
    pub(crate) fn stage(&self, stage: Stage, from: Duration, to: Duration) {
        let name = match stage {
            Stage::Plan => "plan",
            Stage::PoolWait => "pool wait",
            Stage::Render => "render",
            Stage::Sql => return,
        };
        if let Some(mut span) = self.child(SpanBuilder::from_name(name), from) {
            span.end_with_timestamp(self.at(to));
        }
    }

    /// A statement begins.
    pub(crate) fn statement(&self, sql: &str, from: Duration) -> StatementSpan {
        let operation = operation::name(sql);
        let builder = SpanBuilder::from_name(operation)
            .with_kind(SpanKind::Client)
            .with_attributes([
                KeyValue::new("db.system.name", "postgresql"),
                KeyValue::new("db.operation.name", operation),
            ]);
        StatementSpan(self.child(builder, from))
    }

    /// The call is over.
    pub(crate) fn end(&self, at: Duration) {
        let span = self.context.span();
        let left_out = self.left_out.load(Ordering::Relaxed);
        if left_out > 0 {
            let left_out = i64::try_from(left_out).unwrap_or(i64::MAX);
            span.set_attribute(KeyValue::new("airlock.spans_left_out", left_out));
        }
        span.end_with_timestamp(self.at(at));
    }

    fn child(&self, builder: SpanBuilder, from: Duration) -> Option<Span> {
        let fewer = |left: usize| left.checked_sub(1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.left.fetch_update(set, fetch, fewer).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let builder = builder.with_start_time(self.at(from));
        Some(self.tracer.build_with_context(builder, &self.context))
    }

    fn at(&self, time: Duration) -> SystemTime {
        self.begun + time
    }
}

impl StatementSpan {
    /// It succeeded, with so many rows given or affected.
    pub(crate) fn succeed(mut self, rows: Option<u64>) {
        if let Some(mut span) = self.0.take() {
            if let Some(rows) = rows {
                let rows = i64::try_from(rows).unwrap_or(i64::MAX);
                span.set_attribute(KeyValue::new("airlock.rows", rows));
            }
            span.end();
        }
    }

    /// It failed.
    pub(crate) fn fail(mut self, fault: &Fault) {
        if let Some(mut span) = self.0.take() {
            let sqlstate = fault.server.as_ref().map(|server| server.sqlstate.as_str());
            if let Some(sqlstate) = sqlstate.filter(|state| is_sqlstate(state)) {
                let sqlstate = KeyValue::new("db.response.status_code", sqlstate.to_owned());
                span.set_attribute(sqlstate);
            }
            span.set_attribute(KeyValue::new(ERROR, Outcome::of(fault).name()));
            span.set_status(Status::error(""));
            span.end();
        }
    }
}

impl Drop for StatementSpan {
    fn drop(&mut self) {
        if let Some(mut span) = self.0.take() {
            span.set_attribute(KeyValue::new(ERROR, "given_up"));
            span.set_status(Status::error(""));
            span.end();
        }
    }
}

/// Servers say what they like.
fn is_sqlstate(text: &str) -> bool {
    text.len() == 5
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
