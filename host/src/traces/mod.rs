//! Traces of calls, sent to a collector over OTLP.
//!
//! A [`Traces`] is there only where the operator names a collector; without one, calls do not come here.
//! `call.rs` makes the spans of a call from what its [`Observation`](crate::observation::Observation)
//! notes, `exporter.rs` bounds and counts what waits, and `collector.rs` sends it over plain HTTP.
//!
//! No span holds a value, a secret or SQL text: text of callers can hold values, and so can that of a
//! connector which was given some unsealed. A statement is told by the word that it begins with, if that
//! is one of SQL's.

mod call;
mod collector;
mod exporter;
mod operation;

pub use call::{CallTrace, Called, StatementSpan};

use crate::fault::Fault;
use crate::limits::Limits;
use crate::metrics::TraceSpans;
use collector::Collector;
use exporter::{Bounded, Counting};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use std::time::Duration;

/// Name of the service unless `OTEL_SERVICE_NAME` says otherwise.
const SERVICE: &str = "airlock";

/// Where traces go, and which calls have one.
#[derive(Debug, Clone, PartialEq)]
pub struct TracesConfig {
    /// Where spans are posted, such as `http://127.0.0.1:4318/v1/traces`.
    pub endpoint: String,
    /// The part of the calls that have a trace, from 0 to 1, where their caller does not decide; none
    /// for what `OTEL_TRACES_SAMPLER` says, all of them without that.
    pub sample_ratio: Option<f64>,
}

/// Makes and sends traces.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    callers: TraceContextPropagator,
    spans_of_a_call: usize,
}

impl Traces {
    /// Begins to send spans as `config` says. What becomes of them is counted in `spans`.
    ///
    /// # Errors
    /// Where the endpoint is none.
    pub fn start(
        config: &TracesConfig,
        limits: &Limits,
        spans: TraceSpans,
    ) -> Result<Traces, Fault> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new())
            .with_endpoint(config.endpoint.as_str())
            .build()
            .map_err(Fault::internal)?;
        let bounded = Bounded::new(
            |waiting| Counting::new(exporter, waiting, spans.clone()),
            limits.trace_spans,
            spans.clone(),
        );
        let mut builder = SdkTracerProvider::builder()
            .with_resource(resource())
            .with_span_processor(bounded);
        if let Some(ratio) = config.sample_ratio {
            let root = Sampler::TraceIdRatioBased(ratio);
            builder = builder.with_sampler(Sampler::ParentBased(Box::new(root)));
        }
        let provider = builder.build();
        Ok(Traces {
            tracer: provider.tracer(SERVICE),
            provider,
            callers: TraceContextPropagator::new(),
            spans_of_a_call: limits.call_spans,
        })
    }

    /// Begins the trace of a call, as a part of the one that its caller tells of; none where the call
    /// shall have none.
    #[must_use]
    pub fn begin(&self, caller: &dyn Extractor, called: &Called<'_>) -> Option<CallTrace> {
        let caller = self.callers.extract_with_context(&Context::new(), caller);
        CallTrace::begin(&self.tracer, &caller, called, self.spans_of_a_call)
    }

    /// Sends what waits, for at most so long, and no more from then on. Blocks; call it off the async
    /// threads.
    pub fn finish(&self, most: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(most) {
            tracing::warn!(%error, "not all spans were sent");
        }
    }
}

/// What the spans are about: this service, and what the environment says beside that.
fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let told = Resource::builder().with_attribute(version.clone()).build();
    let name = told.get(&Key::new("service.name"));
    match name.map(|name| name.to_string()) {
        Some(name) if !name.starts_with("unknown_service") => told,
        _ => Resource::builder()
            .with_attribute(version)
            .with_service_name(SERVICE)
            .build(),
    }
}
