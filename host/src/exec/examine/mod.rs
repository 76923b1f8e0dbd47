//! Looks at one database as an operator would, step by step: may it be dialled, has its name addresses,
//! does something listen there, does it speak TLS, does it let this login in, and what is it then.
//!
//! It goes by the network policy and the limits that calls go by, and makes connections as they do. It
//! changes nothing in the database, and what it tells holds neither secrets nor messages about rows.

mod facts;
mod grants;
mod pooling;
mod reach;

pub use facts::ServerFacts;
pub use grants::{Granted, Wanted};
pub use pooling::Pooling;

use super::ConnectionString;
use super::connect::{Attempt, connect};
use super::connection::{Connection, Endpoint};
use super::error;
use super::gate::Gate;
use super::pooler::Poolers;
use super::target::Login;
use crate::limits::Limits;
use crate::network::{Network, SslMode};
use std::pin::pin;
use std::time::{Duration, SystemTime};

/// A step of the way to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The network policy allows the server.
    Policy,
    /// Its name has addresses.
    Name,
    /// Something listens there.
    Reach,
    /// TLS is made as it is asked for.
    Tls,
    /// The login is let in.
    Login,
}

/// How one step went: what was found, or what went wrong.
#[derive(Debug)]
pub struct Step {
    /// The step.
    pub stage: Stage,
    /// What was found; the error is the reason why it does not go on.
    pub result: Result<String, String>,
}

/// What protects a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encryption {
    /// It is encrypted.
    pub is_encrypted: bool,
    /// The mode that was asked for says what of the certificate is checked.
    pub mode: SslMode,
    /// The server is on this machine, so nobody is in between.
    pub is_local: bool,
    /// When the first certificate that the server shows ends; none without TLS.
    pub certificate_ends: Option<SystemTime>,
}

/// What was found of a database.
#[derive(Debug)]
pub struct Examination {
    /// The steps, as far as they led.
    pub steps: Vec<Step>,
    /// What protects the connection; none where there is none.
    pub encryption: Option<Encryption>,
    /// What the server says of itself; the error is why it does not. None where there is no connection.
    pub facts: Option<Result<ServerFacts, String>>,
    /// Whether sessions are its own.
    pub pooling: Option<Pooling>,
    /// Whether its place is listed as a transaction pooler.
    pub is_listed_as_pooler: bool,
    /// What each connector would find, in the order in which they were given.
    pub granted: Vec<Granted>,
}

/// Looks at the database that `login` leads to, and at what each of `wanted` needs there.
pub async fn examine(
    login: &Login,
    poolers: &Poolers,
    network: &Network,
    limits: &Limits,
    wanted: &[Wanted],
) -> Examination {
    let mut found = Examination {
        steps: Vec::new(),
        encryption: None,
        facts: None,
        pooling: None,
        is_listed_as_pooler: false,
        granted: Vec::new(),
    };
    let Ok(target) = login.read(limits) else {
        found.failed(Stage::Policy, "the connection string cannot be read");
        return found;
    };
    let is_pooled = poolers.are_at(&target.hosts);
    found.is_listed_as_pooler = is_pooled;
    let target = ConnectionString {
        is_pooled,
        ..target
    };
    let gate = Gate::new(limits);
    gate.set(network.clone());
    let attempt = Attempt::new(&target, &gate, limits);
    let mode = match attempt.ssl_mode() {
        Ok(mode) => mode,
        Err(fault) => {
            found.failed(Stage::Policy, fault.message);
            return found;
        }
    };
    let Some(reached) = reach::reach(&attempt, &target, &mut found).await else {
        return found;
    };
    match connect(&target, &gate, limits).await {
        Ok(connection) => {
            found
                .entered(&attempt, &target, &connection, mode, &reached)
                .await;
            let grace = Duration::from_millis(limits.cancel_ms);
            let connection = found.asked(connection, wanted).await;
            let another = connect(&target, &gate, limits).await;
            found.pooling = pooling::of(connection, another.ok(), grace).await;
        }
        Err(fault) => {
            let reason = fault.message.trim();
            let is_about_tls = [error::HANDSHAKE, "SSL"]
                .iter()
                .any(|word| reason.contains(word));
            let stage = match is_about_tls {
                true => Stage::Tls,
                false => Stage::Login,
            };
            found.failed(stage, reason);
        }
    }
    found
}

impl Examination {
    pub(super) fn passed(&mut self, stage: Stage, found: impl Into<String>) {
        let result = Ok(found.into());
        self.steps.push(Step { stage, result });
    }

    pub(super) fn failed(&mut self, stage: Stage, reason: impl Into<String>) {
        let result = Err(reason.into());
        self.steps.push(Step { stage, result });
    }

    /// Notes how the connection was made.
    async fn entered(
        &mut self,
        attempt: &Attempt<'_>,
        target: &ConnectionString,
        connection: &Connection,
        mode: SslMode,
        reached: &reach::Reached<'_>,
    ) {
        let is_encrypted = connection.is_encrypted();
        let (is_local, certificate_ends) = match connection.endpoint() {
            Endpoint::Socket(_) => (true, None),
            Endpoint::Address(address) if is_encrypted => (
                address.ip().is_loopback(),
                reach::certificate_ends(attempt, target, reached, *address, mode).await,
            ),
            Endpoint::Address(address) => (address.ip().is_loopback(), None),
        };
        self.encryption = Some(Encryption {
            is_encrypted,
            mode,
            is_local,
            certificate_ends,
        });
        self.passed(Stage::Login, format!("logged in as {}", target.user));
    }

    /// Asks what the server and what connectors may there; gives the connection back.
    async fn asked(&mut self, mut connection: Connection, wanted: &[Wanted]) -> Connection {
        let client = connection.session.client();
        let facts = connection.wire.during(pin!(facts::ask(client))).await;
        self.facts = Some(facts.map_err(|failed| error::statement(&failed).message));
        for wanted in wanted {
            let granted = grants::ask(client, wanted);
            self.granted
                .push(connection.wire.during(pin!(granted)).await);
        }
        connection
    }
}
