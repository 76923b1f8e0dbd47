//! What a live connector says of itself and what it is held to, for those who call it by hand.
//!
//! Nothing in here is a value of a call or a secret. It serialises to the JSON of the admin surface.

use crate::config::Config;
use crate::connector::{Connector, Digest};
use crate::limits::ConnectorLimits;
use crate::plan::{Access, Command};
use crate::policy::{DatabaseName, Imports, Policy, Role};
use serde::Serialize;
use std::path::Path;

/// A connector, its commands and its policy.
#[derive(Debug, Serialize)]
pub struct Description<'c> {
    /// Its name.
    pub name: &'c str,
    /// Its version, as it says itself.
    pub version: &'c str,
    /// One sentence about it.
    pub summary: &'c str,
    /// SHA-256 of the component.
    pub digest: Digest,
    /// Size of the component in bytes.
    pub bytes: usize,
    /// What the component imports.
    pub imports: Vec<&'c str>,
    /// The commands, in the order in which they are listed.
    pub commands: Vec<&'c Command>,
    /// What it may do.
    pub policy: PolicyDescription<'c>,
    /// The databases that its calls may name.
    pub databases: Vec<&'c str>,
    /// Whether its calls may bring connection strings of their own.
    pub connection_strings: bool,
}

/// What a connector may do, by the keys of the configuration. Where nothing is said, there is none.
#[derive(Debug, Serialize)]
pub struct PolicyDescription<'c> {
    /// The widest access.
    pub access: Access,
    /// Kinds of statements that text of callers may hold.
    pub raw_sql: Option<Vec<&'c str>>,
    /// The named databases that its calls may use.
    pub databases: Option<Vec<&'c str>>,
    /// Role that its statements run as.
    pub role: Option<&'c str>,
    /// Time for one statement in milliseconds.
    pub statement_timeout_ms: Option<u32>,
    /// Time for one lock in milliseconds.
    pub lock_timeout_ms: Option<u32>,
    /// Most rows of a reply.
    pub reply_rows: Option<u64>,
    /// Largest reply in bytes.
    pub reply_bytes: Option<usize>,
    /// Most rows that all statements of a call affect together.
    pub affected_rows: Option<u64>,
    /// Whether a single change runs without a transaction block.
    pub unconfirmed_writes: bool,
    /// Table in which calls that change something are recorded.
    pub idempotency_table: Option<String>,
    /// What the component may import beside the contract.
    pub imports: &'static str,
    /// The one component that it may be.
    pub sha256: Option<Digest>,
    /// File of recorded calls that a new version has to plan as the live one does.
    pub replay: Option<&'c Path>,
    /// What it may take of the host.
    pub limits: ConnectorLimits,
}

impl<'c> Description<'c> {
    /// Describes a connector, whose calls use the databases of `config`.
    #[must_use]
    pub fn of(connector: &'c Connector, config: &'c Config) -> Description<'c> {
        let policy = connector.policy();
        let commands = connector.commands().iter();
        let imports = connector.imports().iter();
        let databases = config.databases.names_for(policy);
        Description {
            name: connector.name(),
            version: connector.version(),
            summary: connector.summary(),
            digest: connector.digest(),
            bytes: connector.size(),
            imports: imports.map(|import| import.name.as_str()).collect(),
            commands: commands.map(|spec| &spec.command).collect(),
            policy: policy.as_ref().into(),
            databases: databases.map(DatabaseName::as_str).collect(),
            connection_strings: config.databases.takes_connection_strings(policy),
        }
    }
}

impl<'c> From<&'c Policy> for PolicyDescription<'c> {
    fn from(policy: &'c Policy) -> Self {
        let (session, caps) = (&policy.session, &policy.caps);
        let raw_sql = policy.statements.raw_sql.as_ref();
        let databases = policy.databases.as_ref();
        let table = policy.idempotency_table.as_ref();
        PolicyDescription {
            access: policy.statements.access,
            raw_sql: raw_sql.map(|kinds| kinds.iter().map(String::as_str).collect()),
            databases: databases.map(|names| names.iter().map(DatabaseName::as_str).collect()),
            role: session.role.as_ref().map(Role::as_str),
            statement_timeout_ms: session.statement_timeout_ms,
            lock_timeout_ms: session.lock_timeout_ms,
            reply_rows: caps.reply_rows,
            reply_bytes: caps.reply_bytes,
            affected_rows: caps.affected_rows,
            unconfirmed_writes: policy.unconfirmed_writes,
            idempotency_table: table.map(ToString::to_string),
            imports: match policy.imports {
                Imports::None => "none",
                Imports::VirtualWasi => "virtual-wasi",
            },
            sha256: policy.sha256,
            replay: policy.replay.as_ref().map(|rule| rule.calls.as_path()),
            limits: policy.limits,
        }
    }
}
