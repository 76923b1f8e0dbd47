//! Makes one connection: resolve, dial, TLS, log in.

use super::connection::Connection;
use super::connection_string::{ConnectionString, SessionAttributes, SslMode};
use super::error;
use super::host::Host;
use super::stream::Stream;
use super::tls::Tls;
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_postgres::config::{ChannelBinding, SslMode as DriverSslMode, SslNegotiation};
use tokio_postgres::tls::NoTls;
use tokio_postgres::{Client, Config};

/// The message that asks the server for TLS: length 8, code 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Why one host gave no session, in libpq's words.
type Reason = String;

/// Tries the hosts in order and returns the first connection.
///
/// # Errors
/// With the reasons of all hosts.
pub(super) async fn connect(
    target: &ConnectionString,
    limits: &Limits,
) -> Result<Connection, Fault> {
    let budget = target
        .connect_timeout
        .unwrap_or(Duration::from_millis(limits.connect_ms));
    let mut reasons = String::new();
    for host in &target.hosts {
        match tokio::time::timeout(budget, connect_host(target, host, limits)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(reason)) => reasons.push_str(&reason),
            Err(_) => reasons.push_str(&format!("{} failed: timeout expired", host.at())),
        }
        reasons.push('\n');
    }
    Err(Fault::new(Kind::Connection, "OperationalError", reasons))
}

async fn connect_host(
    target: &ConnectionString,
    host: &Host,
    limits: &Limits,
) -> Result<Connection, Reason> {
    if let Some(refusal) = host.refusal() {
        return Err(refusal);
    }
    let addresses = resolve(host).await?;
    let mut reason = format!("{} failed: no address", host.at());
    for address in addresses {
        match connect_address(target, host, address, limits).await {
            Ok(connection) => return Ok(connection),
            Err(failed) => reason = format!("{} failed: {failed}", at(host, address)),
        }
    }
    Err(reason)
}

/// Resolves once; what is dialled is one of these addresses.
async fn resolve(host: &Host) -> Result<Vec<SocketAddr>, Reason> {
    let name = host.address.as_deref().unwrap_or(&host.name);
    match tokio::net::lookup_host((name, host.port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(_) => Err(format!(
            "could not translate host name \"{name}\" to address: Name or service not known"
        )),
    }
}

fn at(host: &Host, address: SocketAddr) -> String {
    let address = Some(address.ip().to_string());
    Host {
        address,
        ..host.clone()
    }
    .at()
}

async fn connect_address(
    target: &ConnectionString,
    host: &Host,
    address: SocketAddr,
    limits: &Limits,
) -> Result<Connection, Reason> {
    let stream = dial(address).await?;
    let negotiated = negotiate(stream, target.ssl_mode).await?;
    let mut connection = match negotiated {
        (stream, false) => log_in(target, stream, address, limits).await?,
        (stream, true) => match log_in_tls(target, host, stream, address, limits).await {
            // As libpq does: prefer falls back where the handshake fails.
            Err(reason)
                if target.ssl_mode == SslMode::Prefer
                    && reason.starts_with("error performing TLS handshake") =>
            {
                log_in(target, dial(address).await?, address, limits).await?
            }
            other => other?,
        },
    };
    accept(&mut connection, target.session).await?;
    Ok(connection)
}

pub(super) async fn dial(address: SocketAddr) -> Result<TcpStream, Reason> {
    let stream = TcpStream::connect(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?".to_owned()
        }
        _ => error.to_string(),
    })?;
    stream
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Asks for TLS where the mode wants it; true when the server goes along.
pub(super) async fn negotiate(
    mut stream: TcpStream,
    mode: SslMode,
) -> Result<(TcpStream, bool), Reason> {
    if mode == SslMode::Disable {
        return Ok((stream, false));
    }
    let answer = async {
        stream.write_all(&SSL_REQUEST).await?;
        stream.read_u8().await
    };
    match answer.await {
        Ok(b'S') => Ok((stream, true)),
        Ok(b'N') if mode == SslMode::Prefer => Ok((stream, false)),
        Ok(b'N') => Err("server does not support SSL, but SSL was required".into()),
        Ok(other) => Err(format!(
            "received invalid response to SSL negotiation: {}",
            char::from(other)
        )),
        Err(_) => Err(error::CLOSED.trim_end().into()),
    }
}

async fn log_in(
    target: &ConnectionString,
    stream: TcpStream,
    address: SocketAddr,
    limits: &Limits,
) -> Result<Connection, Reason> {
    let mut config = config(target);
    config.ssl_mode(DriverSslMode::Disable);
    let (client, connection) = config
        .connect_raw(Stream::new(stream), NoTls)
        .await
        .map_err(|error| error::connection(&error))?;
    Connection::start(client, connection, address, None, target.is_pooled, limits)
        .await
        .map_err(|error| error::connection(&error))
}

async fn log_in_tls(
    target: &ConnectionString,
    host: &Host,
    stream: TcpStream,
    address: SocketAddr,
    limits: &Limits,
) -> Result<Connection, Reason> {
    let mut config = config(target);
    // The server has agreed already, so the handshake follows at once.
    config
        .ssl_mode(DriverSslMode::Require)
        .ssl_negotiation(SslNegotiation::Direct);
    let name = if host.name.is_empty() {
        address.ip().to_string()
    } else {
        host.name.clone()
    };
    let tls = Tls::new(target.ssl_mode, name.clone())
        .map_err(|error| format!("error performing TLS handshake: {error}"))?;
    let connect = tls
        .connect()
        .ok_or_else(|| format!("\"{name}\" is no name of a server"))?;
    let (client, connection) = config
        .host(&name)
        .connect_raw(Stream::new(stream), connect)
        .await
        .map_err(|error| error::connection(&error))?;
    Connection::start(
        client,
        connection,
        address,
        Some(tls),
        target.is_pooled,
        limits,
    )
    .await
    .map_err(|error| error::connection(&error))
}

fn config(target: &ConnectionString) -> Config {
    let mut config = Config::new();
    config
        .user(&target.user)
        .application_name(&target.application_name);
    if let Some(password) = &target.password {
        config.password(password.expose());
    }
    if let Some(dbname) = &target.dbname {
        config.dbname(dbname);
    }
    if let Some(options) = &target.options {
        config.options(options);
    }
    if target.require_channel_binding {
        config.channel_binding(ChannelBinding::Require);
    }
    config
}

/// Whether the server is of the kind that `target_session_attrs` asks for.
async fn accept(connection: &mut Connection, wanted: SessionAttributes) -> Result<(), Reason> {
    const READ_ONLY: &str = "SELECT current_setting('transaction_read_only') = 'on'";
    const STANDBY: &str = "SELECT pg_is_in_recovery()";
    let (question, expected, refusal) = match wanted {
        SessionAttributes::Any => return Ok(()),
        SessionAttributes::ReadWrite => (READ_ONLY, false, "session is read-only"),
        SessionAttributes::ReadOnly => (READ_ONLY, true, "session is not read-only"),
        SessionAttributes::Primary => (STANDBY, false, "server is in hot standby mode"),
        SessionAttributes::Standby => (STANDBY, true, "server is not in hot standby mode"),
    };
    let question = ask(connection.session.client(), question);
    match connection.wire.during(pin!(question)).await {
        Ok(answer) if answer == expected => Ok(()),
        Ok(_) => Err(refusal.into()),
        Err(failed) => Err(error::connection(&failed)),
    }
}

async fn ask(client: &Client, question: &str) -> Result<bool, tokio_postgres::Error> {
    client.query_one(question, &[]).await?.try_get(0)
}
