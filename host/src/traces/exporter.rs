//! Bounds and counts the spans that wait to be sent.
//!
//! Whoever ends a span hands it over and goes on: where too many wait, because the collector is slow or
//! away, the span is dropped and counted.

use crate::metrics::TraceSpans;
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Time after which spans are sent that are fewer than a batch.
const DELAY: Duration = Duration::from_secs(1);

/// Most spans of one request: some hundred KiB.
const BATCH: usize = 512;

/// Takes spans while fewer than `most` wait.
#[derive(Debug)]
pub(super) struct Bounded {
    batches: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    most: usize,
    spans: TraceSpans,
}

impl Bounded {
    /// Hands spans to the exporter that `exporter` makes, which gets the number of those that wait.
    pub(super) fn new<E: SpanExporter + 'static>(
        exporter: impl FnOnce(Arc<AtomicUsize>) -> E,
        most: usize,
        spans: TraceSpans,
    ) -> Bounded {
        let most = most.max(1);
        let waiting = Arc::<AtomicUsize>::default();
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(most)
            .with_max_export_batch_size(BATCH.min(most))
            .with_scheduled_delay(DELAY)
            .build();
        let batches = BatchSpanProcessor::builder(exporter(waiting.clone()));
        Bounded {
            batches: batches.with_batch_config(config).build(),
            waiting,
            most,
            spans,
        }
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::AcqRel) < self.most {
            self.batches.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            self.spans.drop_one();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Counts what another exporter sends.
#[derive(Debug)]
pub(super) struct Counting<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    spans: TraceSpans,
    fails: AtomicBool,
}

impl<E: SpanExporter> Counting<E> {
    pub(super) fn new(exporter: E, waiting: Arc<AtomicUsize>, spans: TraceSpans) -> Counting<E> {
        Counting {
            exporter,
            waiting,
            spans,
            fails: AtomicBool::new(false),
        }
    }

    /// Tells when sending begins to fail, and when it works again: not of each batch.
    fn tell(&self, sent: &OTelSdkResult) {
        match (sent, self.fails.swap(sent.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => {
                tracing::warn!(%error, "spans cannot be sent to the collector for now");
            }
            (Ok(()), true) => tracing::info!("spans are sent to the collector again"),
            _ => {}
        }
    }
}

impl<E: SpanExporter> SpanExporter for Counting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let sent = self.exporter.export(batch).await;
        self.waiting.fetch_sub(count, Ordering::AcqRel);
        self.spans.sent(count, sent.is_ok());
        self.tell(&sent);
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
