//! Listens, and drains when told to stop.

use super::admin::admin;
use super::routes::HttpService;
use crate::secret::Secret;
use crate::swap::Deployment;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::make::Shared;

/// Serves the admin surface of `deployment` to those who have `token`, until it is dropped.
pub async fn serve_admin(listener: TcpListener, deployment: Arc<Deployment>, token: Secret) {
    if let Err(error) = axum::serve(listener, admin(deployment, token)).await {
        tracing::error!(%error, "the admin surface ended");
    }
}

/// Serves `service` on `listener` until `stop` is done, then lets the calls under way finish for at
/// most `drain`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    service: HttpService,
    stop: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let stop = async move {
        stop.await;
        tracing::info!("stopping: calls under way may finish");
        let _ = stopping.send(());
    };
    let expired = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(drain).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = async { axum::serve(listener, Shared::new(service)).with_graceful_shutdown(stop).await } => served,
        () = expired => {
            tracing::warn!("some calls did not finish in time and are cancelled");
            Ok(())
        }
    }
}
