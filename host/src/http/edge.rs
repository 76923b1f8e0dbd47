//! What every request passes on its way in and its response on the way out, on every listener: an id, a
//! look at the head, the end of panics, and the headers that all responses have.

use super::activity::{Activity, UnderWay};
use super::request_id::{self, RequestId};
use super::{envelope, security};
use crate::fault::Fault;
use crate::limits::Limits;
use crate::panics;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hyper::Version;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::header::{HOST, TRANSFER_ENCODING};
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::Service;
use tracing::Instrument as _;

/// Marks requests that came over TLS.
#[derive(Clone, Copy)]
pub(super) struct Secure;

/// The service of one connection.
pub(super) struct Edge<S> {
    pub(super) service: S,
    pub(super) activity: Arc<Activity>,
    pub(super) limits: Arc<Limits>,
    pub(super) tls: bool,
}

impl<S> hyper::service::Service<hyper::Request<Incoming>> for Edge<S>
where
    S: Service<Request, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Counted>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Counted>, Infallible>>;

    fn call(&self, request: hyper::Request<Incoming>) -> Self::Future {
        let under_way = self.activity.begin(request.version());
        let id = RequestId::of(request.headers());
        let span = tracing::error_span!("request", request_id = id.as_str());
        let has_body = !request.body().is_end_stream();
        let refusal = misfit(&request, &self.limits);
        let (activity, tls) = (self.activity.clone(), self.tls);
        let mut service = self.service.clone();
        let answer = async move {
            let mut response = match refusal {
                Some(refusal) => refusal,
                None => {
                    let mut request = request.map(Body::new);
                    request
                        .headers_mut()
                        .insert(request_id::HEADER, id.header());
                    if tls {
                        request.extensions_mut().insert(Secure);
                    }
                    let answer = async move { service.call(request).await };
                    match AssertUnwindSafe(answer).catch_unwind().await {
                        Ok(Ok(response)) => response,
                        Ok(Err(never)) => match never {},
                        Err(_) => panicked(),
                    }
                }
            };
            if has_body && response.status() != StatusCode::OK {
                activity.leave_unread();
            }
            let headers = response.headers_mut();
            security::add(headers, tls);
            headers.insert(request_id::HEADER, id.header());
            Ok(response.map(|body| Counted { body, under_way }))
        };
        answer.instrument(span).boxed()
    }
}

/// What a panic said stays out of the response and the log: it can hold values.
fn panicked() -> Response<Body> {
    tracing::error!(
        outcome = "InternalServerError",
        "a request ended in a panic"
    );
    envelope::failure(&Fault::internal(panics::PANICKED))
}

/// The response to a head that is well-formed and still cannot be served.
fn misfit<B>(request: &hyper::Request<B>, limits: &Limits) -> Option<Response<Body>> {
    let headers = request.headers();
    let fields = headers.iter();
    let size = fields.map(|(name, value)| name.as_str().len() + value.len());
    let size = size.sum::<usize>() + request.uri().path().len();
    if headers.len() > limits.head_fields || size > limits.head_bytes {
        let message = format!(
            "the request has more than {} header fields (head_fields) or {} bytes of them (head_bytes)",
            limits.head_fields, limits.head_bytes
        );
        return Some(envelope::refusal(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "RequestHeaderFieldsTooLarge",
            &message,
        ));
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let chunked = codings.next().is_none_or(|coding| {
        coding.as_bytes().eq_ignore_ascii_case(b"chunked") && codings.next().is_none()
    });
    if !chunked {
        let message = "send the body with a Content-Length or with Transfer-Encoding chunked alone";
        let code = "BadRequest";
        return Some(envelope::refusal(StatusCode::BAD_REQUEST, code, message));
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        // HTTP/1.0 and HTTP/2 need none.
        (None, _) => request.version() != Version::HTTP_11,
        (Some(host), None) => is_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
    };
    (!host).then(|| {
        let message = "send one Host header with the name of the server";
        envelope::refusal(StatusCode::BAD_REQUEST, "BadRequest", message)
    })
}

/// Empty, or what names a host and perhaps a port: the rest of a URI does not belong in there.
fn is_host(host: &[u8]) -> bool {
    host.is_empty()
        || (!host.contains(&b'@') && hyper::http::uri::Authority::try_from(host).is_ok())
}

/// The body of a response. Its request is under way until all of it is out.
pub(super) struct Counted {
    body: Body,
    under_way: UnderWay,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.under_way.asked();
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(_))) = frame {
            self.under_way.handed_over();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
