//! `/metrics` and `/v1/figures` of the admin surface: what is counted and measured.

use super::envelope;
use crate::fault::Fault;
use crate::figures::Figures;
use crate::panics;
use crate::runtime::Runtime;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Where Prometheus reads.
pub(super) const METRICS: &str = "/metrics";

/// The text format of Prometheus.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Whether a request does nothing but read the metrics.
pub(super) fn reads_metrics(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && request.uri().path() == METRICS
}

/// All metrics as Prometheus reads them.
pub(super) async fn metrics(runtime: Arc<Runtime>) -> Result<Response<Body>, Fault> {
    let text = spawn_blocking(move || runtime.metrics_text()).await;
    let text = text.map_err(|_| Fault::internal(panics::PANICKED))??;
    let mut response = envelope::json(StatusCode::OK, text);
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    Ok(response)
}

/// All figures as JSON.
pub(super) async fn figures(runtime: Arc<Runtime>) -> Result<Figures, Fault> {
    let figures = spawn_blocking(move || Figures::of(&runtime)).await;
    figures.map_err(|_| Fault::internal(panics::PANICKED))
}
