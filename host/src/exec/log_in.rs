//! Logs in over a connection that is open.

use super::connect::Reason;
use super::connection::{Connection, Made};
use super::connection_string::ConnectionString;
use super::error;
use super::frames::{Followed, Frames};
use super::shown::APPLICATION;
use super::stream::Stream;
use super::tls::Tls;
use crate::limits::Limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::NoTls;

/// Logs in without TLS.
pub(super) async fn plainly<S>(
    target: &ConnectionString,
    stream: S,
    made: Made,
    limits: &Limits,
) -> Result<Connection, Reason>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut config = config(target);
    config.ssl_mode(SslMode::Disable);
    let (client, connection) = config
        .connect_raw(
            Frames::new(Stream::new(stream), made.longest.clone()),
            NoTls,
        )
        .await
        .map_err(|error| error::connection(&error))?;
    Connection::start(client, connection, made, target.is_pooled, limits)
        .await
        .map_err(|error| error::connection(&error))
}

/// Makes TLS, which the server has agreed to, and logs in.
pub(super) async fn over_tls(
    target: &ConnectionString,
    stream: TcpStream,
    tls: Tls,
    made: Made,
    limits: &Limits,
) -> Result<Connection, Reason> {
    let mut config = config(target);
    // The server has agreed already, so the handshake follows at once.
    config
        .ssl_mode(SslMode::Require)
        .ssl_negotiation(SslNegotiation::Direct)
        .host(tls.server_name());
    let connect = tls
        .connect()
        .ok_or_else(|| format!("\"{}\" is no name of a server", tls.server_name()))?;
    let (client, connection) = config
        .connect_raw(
            Stream::new(stream),
            Followed {
                connect,
                longest: made.longest.clone(),
            },
        )
        .await
        .map_err(|error| error::connection(&error))?;
    let made = Made {
        tls: Some(tls),
        ..made
    };
    Connection::start(client, connection, made, target.is_pooled, limits)
        .await
        .map_err(|error| error::connection(&error))
}

fn config(target: &ConnectionString) -> Config {
    let mut config = Config::new();
    config
        .user(&target.user)
        .application_name(target.application_name.as_deref().unwrap_or(APPLICATION))
        .channel_binding(target.tls.channel_binding);
    if let Some(password) = &target.password {
        config.password(password.expose());
    }
    if let Some(dbname) = &target.dbname {
        config.dbname(dbname);
    }
    if let Some(options) = &target.options {
        config.options(options);
    }
    config
}
