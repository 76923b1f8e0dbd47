//! Accepts connections, and drains when told to stop.

use super::connection::Protocol;
use super::refuse::Refusals;
use super::tls::Certificates;
use crate::clock::Clock;
use crate::limits::Limits;
use crate::metrics::Connections;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use futures_util::{Stream, StreamExt as _};
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::Service;

/// Time to wait where the system has no more files or memory for connections: some that are open end.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Where and how a server listens.
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// What bounds its connections.
    pub limits: Limits,
    /// What looks at its connections every now and then.
    pub clock: Arc<Clock>,
    /// What it shows of itself, where it speaks TLS.
    pub tls: Option<Arc<Certificates>>,
    /// Where its connections are counted.
    pub connections: Connections,
}

/// How serving ended, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drained {
    /// All calls that were under way finished.
    Whole,
    /// Some were cancelled.
    CutOff,
}

/// Serves `service` on a listener until the first of `signals`, then lets the calls under way finish for
/// at most `drain_ms`, or until the second of `signals`. What is left then is cancelled.
pub async fn serve<S>(
    listener: Listener,
    service: S,
    signals: impl Stream<Item = ()> + Send,
) -> Drained
where
    S: Service<Request, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let mut signals = pin!(signals);
    let drain = Duration::from_millis(listener.limits.drain_ms);
    let mut open = Open::new(&listener);
    let mut failing = false;
    loop {
        tokio::select! {
            accepted = listener.socket.accept() => match accepted {
                Ok((stream, _)) => {
                    failing = false;
                    open.take(stream, &service);
                }
                Err(error) => failing = wait_after(&error, failing).await,
            },
            Some(_) = open.tasks.join_next() => {}
            Some(()) = signals.next() => break,
        }
    }
    drop(listener);
    open.stop(drain, signals).await
}

/// The connections that are open.
struct Open {
    protocol: Arc<Protocol>,
    tls: Option<Arc<Certificates>>,
    room: Arc<Semaphore>,
    connections: Connections,
    refusals: Refusals,
    tasks: JoinSet<()>,
    stopping: watch::Sender<bool>,
}

impl Open {
    fn new(listener: &Listener) -> Open {
        let most = listener.limits.connections.min(Semaphore::MAX_PERMITS);
        Open {
            protocol: Arc::new(Protocol::new(listener)),
            tls: listener.tls.clone(),
            room: Arc::new(Semaphore::new(most)),
            connections: listener.connections.clone(),
            refusals: Refusals::new(),
            tasks: JoinSet::new(),
            stopping: watch::Sender::new(false),
        }
    }

    /// Serves one more connection, or turns it away.
    fn take<S>(&mut self, stream: TcpStream, service: &S)
    where
        S: Service<Request, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            self.connections.refuse();
            self.refusals.turn_away(stream, self.tls.is_some());
            return;
        };
        // Replies are written whole, so waiting for more to send gains nothing.
        let _ = stream.set_nodelay(true);
        let (protocol, service) = (self.protocol.clone(), service.clone());
        let open = self.connections.open();
        let (tls, stopping) = (self.tls.clone(), self.stopping.subscribe());
        self.tasks.spawn(async move {
            let _room: OwnedSemaphorePermit = room;
            let _open = open;
            let Some(certificates) = tls else {
                return protocol.drive(stream, service, stopping).await;
            };
            match timeout(protocol.handshake(), certificates.accept(stream)).await {
                Ok(Ok(stream)) => protocol.drive(stream, service, stopping).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took longer than header_ms"),
            }
        });
    }

    /// Lets the connections end, then ends them.
    async fn stop(
        mut self,
        drain: Duration,
        mut signals: impl Stream<Item = ()> + Unpin,
    ) -> Drained {
        // Without connections there is nobody to tell.
        let _ = self.stopping.send(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        tokio::select! {
            () = ended => return Drained::Whole,
            () = sleep(drain) => {
                tracing::warn!("some calls did not finish within drain_ms and are cancelled");
            }
            // Who told so says so.
            Some(()) = signals.next() => {}
        }
        self.tasks.shutdown().await;
        Drained::CutOff
    }
}

/// Waits until accepting may succeed again; gives whether it fails for now. A client that left before it
/// was accepted is no failure.
async fn wait_after(error: &io::Error, failing: bool) -> bool {
    if matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    ) {
        return failing;
    }
    if !failing {
        tracing::error!(%error, "connections cannot be accepted for now");
    }
    sleep(EXHAUSTED).await;
    true
}
