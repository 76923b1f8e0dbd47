//! The admin surface of a running server: opened beside its calls, ended behind them.
//!
//! It answers for as long as calls are under way, so that what holds up the end can be looked at. Then it
//! takes no more, and what an administrator runs may finish as well.

use super::Result;
use airlock::Secret;
use airlock::admin::Admin;
use airlock::http::{self, App, Drained, Listener};
use airlock::swap::Deployment;
use futures_util::{Stream, StreamExt as _, stream};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Where the server is administered. It is closed when this is dropped.
pub(super) struct Surface {
    /// Takes an order to stop, and one to stop at once.
    stop: Sender<()>,
    serving: JoinSet<Drained>,
}

impl Surface {
    /// Opens what `admin` asks for, for `deployment`, whose calls `app` serves.
    ///
    /// # Errors
    /// Where the token or the address cannot be had.
    pub(super) async fn open(
        admin: &Admin,
        deployment: &Arc<Deployment>,
        app: &Arc<App>,
    ) -> Result<Surface> {
        let (socket, token) = listen(admin).await?;
        let runtime = deployment.runtime();
        let listener = Listener {
            socket,
            limits: *runtime.limits(),
            clock: runtime.clock().clone(),
            tls: None,
            connections: runtime.metrics().connections("admin")?,
        };
        let service = http::admin(deployment.clone(), app.clone(), &token);
        let (stop, mut stops) = channel(2);
        let stops = stream::poll_fn(move |context| stops.poll_recv(context));
        let mut serving = JoinSet::new();
        serving.spawn(http::serve(listener, service, stops));
        Ok(Surface { stop, serving })
    }

    /// Takes no more and lets what is under way finish, for as long as is `left` or until the next of
    /// `signals`.
    pub(super) async fn end(
        mut self,
        left: Duration,
        mut signals: impl Stream<Item = ()> + Unpin,
    ) -> Drained {
        // It serves until it is told to stop, so it listens.
        let _ = self.stop.send(()).await;
        let ended = tokio::select! {
            ended = self.serving.join_next() => ended,
            signal = timeout(left, signals.next()) => {
                if signal.is_err() && !left.is_zero() {
                    tracing::warn!("what an administrator ran did not finish within drain_ms and is cancelled");
                }
                let _ = self.stop.send(()).await;
                self.serving.join_next().await
            }
        };
        ended
            .and_then(std::result::Result::ok)
            .unwrap_or(Drained::CutOff)
    }
}

async fn listen(admin: &Admin) -> Result<(TcpListener, Secret)> {
    let token = admin.token.read_or_make()?;
    let listener = TcpListener::bind(admin.listen)
        .await
        .map_err(|error| format!("cannot listen on {} of [admin]: {error}", admin.listen))?;
    tracing::info!("administered at http://{}", listener.local_addr()?);
    Ok((listener, token))
}
