//! `airlock serve`: configure, load, listen, serve, drain.

use super::embedded::{Embedded, Entry};
use super::surface::Surface;
use super::{ConnectorArguments, Ending, Result, ServeArguments};
use super::{async_runtime, connectors, logging, notify};
use airlock::config::Config;
use airlock::http::{self, App, Certificates, Drained, HttpService, Listener};
use airlock::swap::{self, ConfigFile, Deployment};
use airlock::traces::Traces;
use futures_util::{Stream, StreamExt as _, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Serves until it is told to stop.
pub(super) fn run(arguments: ServeArguments) -> Result<Ending> {
    logging::start(arguments.log_format);
    open_more_files();
    let embedded = arguments.embedded_postgres.then(Embedded::start);
    let embedded = embedded.transpose()?;
    let entry = embedded.as_ref().map(Embedded::entry);
    let mut config = configure(&arguments.connectors, entry.as_ref())?;
    config.listen = arguments.listen.unwrap_or(config.listen);
    let deployment = Arc::new(connectors::deployment(config)?);
    // What is refused is logged, and no reason to deny the others service.
    connectors::deploy_all(&deployment)?;
    if let Some(embedded) = &embedded {
        embedded.show()?;
    }
    let given = arguments.connectors;
    let config_file = given.config.clone().map(|path| {
        let read = move || configure(&given, entry.as_ref()).map_err(|error| error.to_string());
        ConfigFile {
            path,
            read: Box::new(read),
        }
    });
    let runtime = async_runtime()?;
    let drained = runtime.block_on(listen(deployment, config_file));
    // Nobody waits any more for a plan or a component that takes long.
    runtime.shutdown_background();
    Ok(match drained? {
        Drained::Whole => Ending::Done,
        Drained::CutOff => Ending::CutOff,
    })
}

/// What the configuration file says, with the database that was started for it.
fn configure(given: &ConnectorArguments, entry: Option<&Entry>) -> Result<Config> {
    let config = connectors::configure(given)?;
    match entry {
        Some(entry) => entry.add_to(config),
        None => Ok(config),
    }
}

/// Has the system let this process open as many files as it may: each component that is mapped takes one,
/// beside connections. The usual bound is there for programs that know no more than a thousand.
fn open_more_files() {
    let most = getrlimit(Resource::Nofile).maximum;
    let all = Rlimit {
        current: most,
        maximum: most,
    };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        tracing::warn!(%error, "no more files can be open than by default");
    }
}

/// Listens, serves what is deployed and keeps it as its files are, until a signal to stop; then
/// drains, at most until the next one.
pub(super) async fn listen(
    deployment: Arc<Deployment>,
    config_file: Option<ConfigFile>,
) -> Result<Drained> {
    let config = deployment.config();
    let clock = deployment.runtime().clock().clone();
    let tls = config.tls.clone().map(Certificates::read).transpose()?;
    let tls = tls.map(Arc::new);
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| {
            format!(
                "cannot listen on {}: {error}; airlock doctor says who is there, --listen takes another address",
                config.listen
            )
        })?;
    let stops = stops()?;
    let runtime = deployment.runtime().clone();
    let traces = config.traces.as_ref().map(|traces| {
        let spans = runtime.metrics().trace_spans().clone();
        Traces::start(traces, &config.limits, spans).map(Arc::new)
    });
    let traces = traces.transpose()?;
    let app = Arc::new(App::new(runtime, &config).traced(traces.clone()));
    // All of it ends with this function.
    let mut beside = JoinSet::new();
    let surface = match &config.admin {
        Some(admin) => Some(Surface::open(admin, &deployment, &app).await?),
        None => None,
    };
    let hangups = Arc::new(Notify::new());
    let mut hangup = signal(SignalKind::hangup())?;
    let (read_again, certificates) = (hangups.clone(), tls.clone());
    beside.spawn(async move {
        while hangup.recv().await.is_some() {
            read_again.notify_one();
            if let Some(certificates) = &certificates {
                certificates.read_again();
            }
        }
    });
    beside.spawn(swap::watch(
        deployment.clone(),
        config_file.map(Arc::new),
        hangups,
    ));
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("listening on {scheme}://{}", listener.local_addr()?);
    let unready = Duration::from_millis(config.limits.unready_ms);
    let stops = http::leaving(
        app.readiness(),
        unready,
        stops.inspect(|()| notify::stopping()),
    );
    let stopped = Arc::new(OnceLock::new());
    let first = stopped.clone();
    let mut stops = pin!(stops.inspect(move |()| match first.set(Instant::now()) {
        Ok(()) => tracing::info!("stopping: calls under way may finish"),
        Err(_) => tracing::warn!("told to stop again: calls under way are cancelled"),
    }));
    let service = HttpService::new(app);
    notify::ready();
    let listener = Listener {
        socket: listener,
        limits: config.limits,
        clock,
        tls,
        connections: deployment.runtime().metrics().connections("calls")?,
    };
    let mut drained = http::serve(listener, service, &mut stops).await;
    if let Some(surface) = surface {
        let taken = stopped.get().map_or(Duration::ZERO, Instant::elapsed);
        let left = match drained {
            Drained::Whole => Duration::from_millis(config.limits.drain_ms).saturating_sub(taken),
            Drained::CutOff => Duration::ZERO,
        };
        drained = drained.max(surface.end(left, &mut stops).await);
    }
    // What was cut off is cancelled and rolled back before this process ends.
    let grace = Duration::from_millis(2 * config.limits.cancel_ms);
    if timeout(grace, deployment.runtime().settle()).await.is_err() {
        tracing::warn!("a database did not answer a request to cancel within cancel_ms");
    }
    if let Some(traces) = traces {
        let most = Duration::from_millis(config.limits.trace_flush_ms);
        tokio::task::spawn_blocking(move || traces.finish(most)).await?;
    }
    Ok(drained)
}

/// Each signal to stop.
fn stops() -> io::Result<impl Stream<Item = ()> + Send> {
    let signals = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    Ok(stream::unfold(signals, |mut signals| async {
        tokio::select! {
            _ = signals.0.recv() => {}
            _ = signals.1.recv() => {}
        }
        Some(((), signals))
    }))
}
