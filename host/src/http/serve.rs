//! Listens, and drains when told to stop.

use axum::Router;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Far below the deadlines of calls, and seldom enough to cost nothing.
const TICK: Duration = Duration::from_secs(1);

/// Serves `router` on `listener` until `stop` is done, then lets the calls under way finish for at
/// most `drain`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> io::Result<()> {
    let ticking = tokio::spawn(tick());
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
    let served = tokio::select! {
        served = async { axum::serve(listener, router).with_graceful_shutdown(stop).await } => served,
        () = expired => {
            tracing::warn!("some calls did not finish in time and are cancelled");
            Ok(())
        }
    };
    ticking.abort();
    served
}

/// Keeps a timer due soon. Where none is, the runtime wakes a thread for every deadline that a call
/// sets, however far away; that is measurable with few clients.
async fn tick() {
    loop {
        tokio::time::sleep(TICK).await;
    }
}
