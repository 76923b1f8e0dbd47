//! `airlock serve`: configure, load, listen, serve, drain.

use super::{Ending, Result, ServeArguments, async_runtime, connectors, logging};
use airlock::Runtime;
use airlock::config::Config;
use airlock::http::{self, App, HttpService};
use airlock::postgres::Cluster;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serves until it is told to stop.
pub(super) fn run(arguments: ServeArguments) -> Result<Ending> {
    logging::start(arguments.log_format);
    let mut config = connectors::configure(&arguments.connectors)?;
    config.listen = arguments.listen.unwrap_or(config.listen);
    let runtime = connectors::load(&config)?;
    let cluster = if arguments.embedded_postgres {
        Some(Cluster::start()?)
    } else {
        None
    };
    if let Some(cluster) = &cluster {
        print_connection_string(cluster)?;
    }
    async_runtime()?.block_on(listen(runtime, config))?;
    Ok(Ending::Done)
}

/// Listens and serves `runtime` until a signal to stop, then drains.
pub(super) async fn listen(runtime: Runtime, config: Config) -> Result<()> {
    let drain = Duration::from_millis(config.limits.drain_ms);
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    tracing::info!("listening on http://{}", listener.local_addr()?);
    http::serve(
        listener,
        HttpService::new(App::new(Arc::new(runtime), &config)),
        stop,
        drain,
    )
    .await?;
    Ok(())
}

/// The database is private and goes away with this process, so its password may be seen.
pub(super) fn print_connection_string(cluster: &Cluster) -> io::Result<()> {
    writeln!(
        io::stdout(),
        "database_connection_str: {}",
        cluster.connection_string().expose()
    )
}
