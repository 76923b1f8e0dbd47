//! Sends what an exporter has to a collector, over plain HTTP.
//!
//! The collector is the operator's, from the configuration, so no policy for callers applies to it.

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use std::pin::Pin;
use std::time::Duration;

/// Time for one request, from the lookup of the name to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest answer that is read, in bytes: a collector says what it refused, in a few words.
const MOST_BYTES: u64 = 64 << 10;

/// A collector, over connections that are kept.
#[derive(Debug)]
pub(super) struct Collector(ureq::Agent);

impl Collector {
    pub(super) fn new() -> Collector {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            // The headers can hold a token, and are for this collector alone.
            .max_redirects(0)
            .proxy(None)
            .build();
        Collector(config.into())
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, body.as_ref());
        let (parts, mut body) = self.0.run(request)?.into_parts();
        let body = body.with_config().limit(MOST_BYTES).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }
}

// The trait is async and this is not: the exporter has a thread of its own, which may wait.
impl HttpClient for Collector {
    fn send_bytes<'c, 'f>(
        &'c self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'c: 'f,
        Self: 'f,
    {
        Box::pin(async move { self.send(request) })
    }
}
