//! Drives one connection to its end.

use super::activity::{Activity, Due};
use super::edge::Edge;
use super::serve::Listener;
use super::socket::Socket;
use crate::clock::Clock;
use crate::limits::Limits;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower::Service;

/// Time for a connection to end after it was asked to.
const PARTING: Duration = Duration::from_secs(2);

/// The smallest buffer that hyper takes, in bytes.
const LEAST_BUFFER_BYTES: usize = 8 << 10;

/// How connections are served.
pub(super) struct Protocol {
    limits: Arc<Limits>,
    clock: Arc<Clock>,
    builder: Builder<TokioExecutor>,
    tls: bool,
}

impl Protocol {
    /// HTTP/1 and HTTP/2 as `listener` wants them.
    pub(super) fn new(listener: &Listener) -> Protocol {
        let limits = &listener.limits;
        let mut builder = Builder::new(TokioExecutor::new());
        let mut http1 = builder.http1();
        // Heads and connections without requests are timed here, see `activity.rs`.
        http1.header_read_timeout(None);
        // A head that is longer than the buffer is refused while it comes in.
        http1.max_buf_size(limits.head_bytes.max(LEAST_BUFFER_BYTES));
        if limits.head_fields != Limits::default().head_fields {
            // Asked for, they lie on the heap.
            http1.max_headers(limits.head_fields);
        }
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.connection_streams)
            .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX));
        Protocol {
            limits: Arc::new(*limits),
            clock: listener.clock.clone(),
            builder,
            tls: listener.tls.is_some(),
        }
    }

    /// Time for a TLS handshake.
    pub(super) fn handshake(&self) -> Duration {
        Duration::from_millis(self.limits.header_ms)
    }

    /// Serves the requests of one connection until either side ends it. Once `stopping` holds, it takes
    /// no more requests and ends when those under way have.
    pub(super) async fn drive<I, S>(
        &self,
        stream: I,
        service: S,
        mut stopping: watch::Receiver<bool>,
    ) where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        S: Service<Request, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let activity = Activity::new();
        let edge = Edge {
            service,
            activity: activity.clone(),
            limits: self.limits.clone(),
            tls: self.tls,
        };
        let socket = TokioIo::new(Socket::new(stream, activity.clone()));
        let mut connection = pin!(self.builder.serve_connection(socket, edge));
        let mut stop = pin!(stopping.wait_for(|stopping| *stopping));
        let first = activity.due(&self.limits, false).within();
        let mut check = pin!(self.clock.sleep_until(Instant::now() + first));
        let mut stopped = false;
        let mut retired = None;
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection broke off");
                    }
                    return;
                }
                _ = stop.as_mut(), if !stopped => {
                    stopped = true;
                    connection.as_mut().graceful_shutdown();
                    check.as_mut().reset(Instant::now().into());
                }
                () = check.as_mut() => match (activity.due(&self.limits, stopped), retired) {
                    (Due::Nothing(time), _) => {
                        retired = None;
                        check.as_mut().reset((Instant::now() + time).into());
                    }
                    (Due::Retire, None) => {
                        connection.as_mut().graceful_shutdown();
                        retired = Some(());
                        check.as_mut().reset((Instant::now() + PARTING).into());
                    }
                    (Due::Retire, Some(())) => return,
                    (Due::Close(reason), _) => {
                        tracing::debug!(reason, "a connection is closed");
                        return;
                    }
                },
            }
        }
    }
}
