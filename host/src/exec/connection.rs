//! One connection to the server: its session and the messages of it, from login to end.

use super::dial;
use super::frames::Longest;
use super::gate::InForce;
use super::session::Session;
use super::tls::Tls;
use super::wire::Wire;
use crate::limits::Limits;
use crate::network::SslMode;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_postgres::{CancelToken, Client, Connection as Driver, Error, NoTls};

/// A connection that is logged in. It is closed when it is dropped.
pub(super) struct Connection {
    pub(super) session: Session,
    // Behind the session: it ends when the client is gone.
    pub(super) wire: Wire,
    made: Arc<Made>,
}

/// How a connection was made.
pub(super) struct Made {
    pub(super) endpoint: Endpoint,
    /// How TLS is made to this server, where it is.
    pub(super) tls: Option<Tls>,
    /// The network policy that it was made under.
    pub(super) under: Arc<InForce>,
    /// How long the server's messages may be.
    pub(super) longest: Longest,
}

/// What was dialled.
#[derive(Debug)]
pub(super) enum Endpoint {
    Address(SocketAddr),
    /// The path of a socket.
    Socket(String),
}

impl Connection {
    /// Begins the session of a client that is logged in.
    pub(super) async fn start<S, T>(
        client: Client,
        driver: Driver<S, T>,
        made: Made,
        is_pooled: bool,
        limits: &Limits,
    ) -> Result<Connection, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut session, mut wire) = Session::new(client, driver, is_pooled, limits);
        wire.during(pin!(session.settle())).await?;
        Ok(Connection {
            session,
            wire,
            made: Arc::new(made),
        })
    }

    /// The network policy that it was made under.
    pub(super) fn made_under(&self) -> &Arc<InForce> {
        &self.made.under
    }

    /// What was dialled.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.made.endpoint
    }

    /// Whether it is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.made.tls.is_some()
    }

    /// Whether the server sent a message that is too long, which ended the connection.
    pub(super) fn got_too_much(&self) -> bool {
        self.made.longest.is_exceeded()
    }

    /// Whether it can be used no more; takes in what has come since it was used last.
    pub(super) fn has_ended(&mut self) -> bool {
        self.wire.catch_up();
        self.session.is_broken || self.session.client().is_closed()
    }

    /// Brings a connection on which the caller's SQL ran back to how it was, if that can be known.
    pub(super) async fn reset(&mut self) -> bool {
        self.wire.during(pin!(self.session.reset())).await
    }

    /// Closes it, and waits until the server has ended it; for at most `grace`, then it is torn down.
    /// What was sent is worked on to its end.
    pub(super) async fn close(self, grace: Duration) {
        drop(self.session);
        self.wire.finish(grace).await;
    }

    /// Asks the server to stop what it is doing for this connection, then closes it.
    pub(super) async fn cancel(self, grace: Duration) {
        self.canceller().cancel(grace).await;
        self.close(grace).await;
    }

    /// Closes it when what was sent is done. What takes longer than `grace` is cancelled.
    pub(super) async fn close_or_cancel(mut self, grace: Duration) {
        let canceller = self.canceller();
        drop(self.session);
        if !self.wire.has_finished(grace).await {
            canceller.cancel(grace).await;
            self.wire.finish(grace).await;
        }
    }

    /// What can cancel what runs on it.
    pub(super) fn canceller(&self) -> Canceller {
        Canceller {
            token: self.session.client().cancel_token(),
            made: self.made.clone(),
        }
    }
}

/// Asks a server to stop what it is doing for one connection. The connection must not be used again: a
/// request that comes late would stop something else.
pub(super) struct Canceller {
    token: CancelToken,
    made: Arc<Made>,
}

impl Canceller {
    /// Sends the request, for at most `grace`.
    pub(super) async fn cancel(&self, grace: Duration) {
        let token = &self.token;
        let request = async {
            // Exactly what was dialled before: it was allowed, and it is the same server.
            let stream = match &self.made.endpoint {
                Endpoint::Address(address) => dial::tcp(*address).await.ok()?,
                Endpoint::Socket(path) => {
                    let stream = dial::socket(path).await.ok()?;
                    return token.cancel_query_raw(stream, NoTls).await.ok();
                }
            };
            let Some(tls) = &self.made.tls else {
                return token.cancel_query_raw(stream, NoTls).await.ok();
            };
            let (stream, _) = dial::negotiate(stream, SslMode::Require).await.ok()?;
            token.cancel_query_raw(stream, tls.connect()?).await.ok()
        };
        if !matches!(timeout(grace, request).await, Ok(Some(()))) {
            tracing::warn!("a request to cancel did not go through");
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", &self.made.endpoint)
            .finish_non_exhaustive()
    }
}
