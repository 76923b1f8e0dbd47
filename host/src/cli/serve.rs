//! `airlock serve`: configure, load, listen, serve, drain.

use super::{Ending, Result, ServeArguments, async_runtime, connectors, logging};
use airlock::Secret;
use airlock::admin::Admin;
use airlock::http::{self, App, HttpService};
use airlock::postgres::Cluster;
use airlock::swap::{self, ConfigFile, Deployment};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Serves until it is told to stop.
pub(super) fn run(arguments: ServeArguments) -> Result<Ending> {
    logging::start(arguments.log_format);
    open_more_files();
    let mut config = connectors::configure(&arguments.connectors)?;
    config.listen = arguments.listen.unwrap_or(config.listen);
    let deployment = Arc::new(connectors::deployment(config)?);
    // What is refused is logged, and no reason to deny the others service.
    connectors::deploy_all(&deployment)?;
    let cluster = if arguments.embedded_postgres {
        Some(Cluster::start()?)
    } else {
        None
    };
    if let Some(cluster) = &cluster {
        print_connection_string(cluster)?;
    }
    let given = arguments.connectors;
    let config_file = given.config.clone().map(|path| {
        let read = move || connectors::configure(&given).map_err(|error| error.to_string());
        ConfigFile {
            path,
            read: Box::new(read),
        }
    });
    async_runtime()?.block_on(listen(deployment, config_file))?;
    Ok(Ending::Done)
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
/// drains.
pub(super) async fn listen(
    deployment: Arc<Deployment>,
    config_file: Option<ConfigFile>,
) -> Result<()> {
    let config = deployment.config();
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
    // All of it ends with this function.
    let mut beside = JoinSet::new();
    if let Some(admin) = &config.admin {
        let (listener, token) = open_admin(admin).await?;
        beside.spawn(http::serve_admin(listener, deployment.clone(), token));
    }
    let hangups = Arc::new(Notify::new());
    let mut hangup = signal(SignalKind::hangup())?;
    let read_again = hangups.clone();
    beside.spawn(async move {
        while hangup.recv().await.is_some() {
            read_again.notify_one();
        }
    });
    beside.spawn(swap::watch(
        deployment.clone(),
        config_file.map(Arc::new),
        hangups,
    ));
    tracing::info!("listening on http://{}", listener.local_addr()?);
    http::serve(
        listener,
        HttpService::new(App::new(deployment.runtime().clone(), &config)),
        stop,
        drain,
    )
    .await?;
    Ok(())
}

/// Listens where the server is administered.
async fn open_admin(admin: &Admin) -> Result<(TcpListener, Secret)> {
    let token = admin.token.read_or_make()?;
    let listener = TcpListener::bind(admin.listen)
        .await
        .map_err(|error| format!("cannot listen on {} of [admin]: {error}", admin.listen))?;
    tracing::info!("administered at http://{}", listener.local_addr()?);
    Ok((listener, token))
}

/// The database is private and goes away with this process, so its password may be seen.
pub(super) fn print_connection_string(cluster: &Cluster) -> io::Result<()> {
    writeln!(
        io::stdout(),
        "database_connection_str: {}",
        cluster.connection_string().expose()
    )
}
