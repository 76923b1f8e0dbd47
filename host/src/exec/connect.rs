//! Makes one connection: resolve, dial, TLS, log in. What the network policy does not allow is neither
//! looked up nor dialled.

use super::connection::{Connection, Endpoint, Made};
use super::connection_string::{ConnectionString, SessionAttributes};
use super::dial;
use super::error;
use super::frames::Longest;
use super::gate::{Gate, InForce};
use super::host::{Called, Host, Place};
use super::log_in;
use super::tls::Tls;
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::network::{Denial, HostName, SslMode};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Client;

/// Why one host gave no session, in libpq's words.
pub(super) type Reason = String;

/// Why one host gave no session.
pub(super) enum Failed {
    /// Another may.
    Here(Reason),
    /// The operator does not allow it.
    Denied(Denial),
}

impl From<Reason> for Failed {
    fn from(reason: Reason) -> Self {
        Failed::Here(reason)
    }
}

impl From<Denial> for Failed {
    fn from(denial: Denial) -> Self {
        Failed::Denied(denial)
    }
}

/// Tries the hosts in order and returns the first connection.
///
/// # Errors
/// With the reasons of all hosts; with the rule where the policy does not allow one of them.
pub(super) async fn connect(
    target: &ConnectionString,
    gate: &Gate,
    limits: &Limits,
) -> Result<Connection, Fault> {
    let attempt = Attempt::new(target, gate, limits);
    let mode = attempt.ssl_mode()?;
    for host in &target.hosts {
        attempt.permit(host)?;
    }
    let budget = attempt.budget();
    let mut reasons = String::new();
    for host in &target.hosts {
        match tokio::time::timeout(budget, attempt.host(host, mode)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(Failed::Denied(denial))) => return Err(denial.into()),
            Ok(Err(Failed::Here(reason))) => reasons.push_str(&reason),
            Err(_) => reasons.push_str(&format!("{} failed: timeout expired", host.at(None))),
        }
        reasons.push('\n');
    }
    Err(Fault::new(Kind::Connection, "OperationalError", reasons))
}

/// One connection on its way, under the policy that was in force when it began.
pub(super) struct Attempt<'a> {
    target: &'a ConnectionString,
    gate: &'a Gate,
    pub(super) in_force: Arc<InForce>,
    limits: &'a Limits,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        target: &'a ConnectionString,
        gate: &'a Gate,
        limits: &'a Limits,
    ) -> Attempt<'a> {
        Attempt {
            target,
            gate,
            in_force: gate.in_force(),
            limits,
        }
    }

    /// Time for one host.
    pub(super) fn budget(&self) -> Duration {
        let most = Duration::from_millis(self.limits.connect_ms);
        let wanted = self.target.connect_timeout;
        wanted.map_or(most, |wanted| wanted.min(most))
    }

    /// The mode that is asked for. What a caller does not say is raised to what the operator demands.
    pub(super) fn ssl_mode(&self) -> Result<SslMode, Fault> {
        let wanted = self.target.tls.mode;
        let least = match self.target.operator {
            None => self.in_force.network.least_ssl_mode,
            // The operator wrote both.
            Some(_) => SslMode::default(),
        };
        match wanted {
            Some(wanted) if wanted < least => {
                let message = format!(
                    "[network] has least_sslmode = \"{least}\"; the connection string has sslmode={wanted}"
                );
                Err(Fault::new(Kind::Denied, "PolicyDenied", message))
            }
            Some(wanted) => Ok(wanted),
            None => Ok(least.max(SslMode::Prefer)),
        }
    }

    /// Whether the host may be looked up and dialled, as far as that is known before.
    pub(super) fn permit(&self, host: &Host) -> Result<(), Denial> {
        let network = &self.in_force.network;
        match &host.place {
            Place::Name(name) => network.permits_lookup(name, host.port),
            Place::Address(address, called) => {
                if let Some(Called::Name(name)) = called {
                    network.permits_name(name, host.port)?;
                }
                network.permits(None, SocketAddr::new(*address, host.port))
            }
            // An empty name among others is one, by a comma too many: its turn may never come.
            Place::Socket(_) if self.target.hosts.len() > 1 => Ok(()),
            Place::Socket(directory) => network.permits_socket(Path::new(directory)),
        }
    }

    async fn host(&self, host: &Host, mode: SslMode) -> Result<Connection, Failed> {
        let addresses = match &host.place {
            Place::Socket(directory) => return Ok(self.socket(host, directory).await?),
            Place::Address(address, _) => vec![SocketAddr::new(*address, host.port)],
            Place::Name(name) => self.permitted(name, host.port).await?,
        };
        let mut reason = format!("{} failed: no address", host.at(None));
        for address in addresses {
            match self.address(host, address, mode).await {
                Ok(connection) => return Ok(connection),
                Err(failed) => reason = format!("{} failed: {failed}", host.at(Some(address.ip()))),
            }
        }
        Err(reason.into())
    }

    /// The addresses of a name that may be dialled. It is resolved here and nowhere else.
    pub(super) async fn permitted(
        &self,
        name: &HostName,
        port: u16,
    ) -> Result<Vec<SocketAddr>, Failed> {
        let found = self.gate.look_up(name, port).await?;
        let mut permitted = Vec::new();
        let mut denied = None;
        for address in found {
            match self.in_force.network.permits(Some(name), address) {
                Ok(()) => permitted.push(address),
                Err(denial) => {
                    tracing::debug!(%name, %address, "not dialled");
                    denied = Some(denial);
                }
            }
        }
        match denied {
            Some(denial) if permitted.is_empty() => Err(denial.into()),
            _ => Ok(permitted),
        }
    }

    async fn socket(&self, host: &Host, directory: &str) -> Result<Connection, Reason> {
        let network = &self.in_force.network;
        let permitted = network.permits_socket(Path::new(directory));
        permitted.map_err(|denial| format!("{} failed: {denial}", host.at(None)))?;
        let path = format!("{directory}/.s.PGSQL.{}", host.port);
        let connected = async {
            let stream = dial::socket(&path).await?;
            let made = self.made(Endpoint::Socket(path.clone()));
            let connection = log_in::plainly(self.target, stream, made, self.limits).await?;
            accept(connection, self.target.session).await
        };
        let connected = connected.await;
        connected.map_err(|failed| format!("{} failed: {failed}", host.at(None)))
    }

    async fn address(
        &self,
        host: &Host,
        address: SocketAddr,
        mode: SslMode,
    ) -> Result<Connection, Reason> {
        let (target, limits) = (self.target, self.limits);
        let made = || self.made(Endpoint::Address(address));
        let stream = dial::tcp(address).await?;
        let connection = match dial::negotiate(stream, mode).await? {
            (stream, false) => log_in::plainly(target, stream, made(), limits).await?,
            (stream, true) => {
                let tls = self.tls(host, mode)?;
                match log_in::over_tls(target, stream, tls, made(), limits).await {
                    // As libpq does: prefer falls back where the handshake fails.
                    Err(reason)
                        if mode == SslMode::Prefer && reason.starts_with(error::HANDSHAKE) =>
                    {
                        let stream = dial::tcp(address).await?;
                        log_in::plainly(target, stream, made(), limits).await?
                    }
                    other => other?,
                }
            }
        };
        accept(connection, target.session).await
    }

    fn tls(&self, host: &Host, mode: SslMode) -> Result<Tls, Reason> {
        let operator = self.target.operator.as_ref();
        let name = host.tls_name().unwrap_or_default();
        let roots = || self.in_force.roots(operator);
        let tls = Tls::new(mode, &self.target.tls, operator, roots, name);
        tls.map_err(|reason| format!("{}: {reason}", error::HANDSHAKE))
    }

    fn made(&self, endpoint: Endpoint) -> Made {
        Made {
            endpoint,
            tls: None,
            under: self.in_force.clone(),
            longest: Longest::new(self.limits.message_bytes),
        }
    }
}

/// The connection, where its server is of the kind that `target_session_attrs` asks for.
async fn accept(
    mut connection: Connection,
    wanted: SessionAttributes,
) -> Result<Connection, Reason> {
    const READ_ONLY: &str = "SELECT current_setting('transaction_read_only') = 'on'";
    const STANDBY: &str = "SELECT pg_is_in_recovery()";
    let (question, expected, refusal) = match wanted {
        SessionAttributes::Any => return Ok(connection),
        SessionAttributes::ReadWrite => (READ_ONLY, false, "session is read-only"),
        SessionAttributes::ReadOnly => (READ_ONLY, true, "session is not read-only"),
        SessionAttributes::Primary => (STANDBY, false, "server is in hot standby mode"),
        SessionAttributes::Standby => (STANDBY, true, "server is not in hot standby mode"),
    };
    let question = ask(connection.session.client(), question);
    let answer = connection.wire.during(pin!(question)).await;
    match answer {
        Ok(answer) if answer == expected => Ok(connection),
        Ok(_) => Err(refusal.into()),
        Err(failed) => Err(error::connection(&failed)),
    }
}

async fn ask(client: &Client, question: &str) -> Result<bool, tokio_postgres::Error> {
    client.query_one(question, &[]).await?.try_get(0)
}
