//! What the operator lets a connector do.
//!
//! A policy is the host's word: nothing that a component says of itself widens it. `config/` reads
//! policies, `connector/` holds components to their digest and limits, `check/` holds plans to the
//! rest, and `exec/` and `databases.rs` do what only they can.

use crate::connector::Digest;
use crate::fault::{Fault, Kind};
use crate::limits::{ConnectorLimits, Limits, Profile};
use crate::plan::Access;
use crate::recording::CallId;
use airlock_connector::statements::Kinds;
use airlock_connector::{Ident, QualifiedName};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// Longest name of a database here, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Name of a database in the configuration: 1 to 64 characters of `a-z`, `0-9`, `_` and `-`. No
/// connection string looks like it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseName(Arc<str>);

/// Why a text is no name of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a database's name must be 1 to {MAX_NAME_BYTES} characters of a-z, 0-9, _ and -")]
pub struct InvalidDatabaseName;

/// A role of the database server, in double quotes where it is printed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(Ident);

/// What one connector may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What it may take of the host.
    pub limits: ConnectorLimits,
    /// The one component that it may be; any where there is none.
    pub sha256: Option<Digest>,
    /// What it may import.
    pub imports: Imports,
    /// What its statements may be.
    pub statements: StatementRules,
    /// What its transactions begin with.
    pub session: SessionRules,
    /// Which sessions show the id of the request that they work on.
    pub show_requests: ShowRequests,
    /// How much one call may give and change.
    pub caps: Caps,
    /// A single statement that changes something runs without a transaction block, which saves a round
    /// trip. Where its confirmation is lost, nobody can tell whether it is stored.
    pub unconfirmed_writes: bool,
    /// The table in which calls that change something are recorded by the engine's ids of process and task,
    /// so that a repeated one is answered as the first was; none where they are not.
    pub idempotency_table: Option<QualifiedName>,
    /// The calls that a version has to plan as the one before it did; none have to without a rule.
    pub replay: Option<ReplayRule>,
    /// The named databases that its calls may use; without a list all, and connection strings.
    pub databases: Option<BTreeSet<DatabaseName>>,
}

/// What a version has to plan as the one before it did, to take its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRule {
    /// File of recorded calls.
    pub calls: PathBuf,
    /// Those that may be planned differently.
    pub allowed: BTreeSet<CallId>,
}

/// What a connector may import beside the contract's types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Imports {
    /// Nothing.
    #[default]
    None,
    /// Interfaces of WASI 0.2, as interpreters and programs of many languages do: without files, network,
    /// environment and input, with clocks that stand still and numbers that are random in looks only.
    /// Its plans are not kept.
    VirtualWasi,
}

/// What the statements of a connector may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRules {
    /// The widest access.
    pub access: Access,
    /// Kinds of statements that text of callers may hold; all where there is no list.
    pub raw_sql: Option<BTreeSet<String>>,
}

/// What is set for each transaction, and for nothing beyond it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionRules {
    /// The role that statements run as, in place of that of the login.
    pub role: Option<Role>,
    /// Time for one statement in milliseconds.
    pub statement_timeout_ms: Option<u32>,
    /// Time for one lock in milliseconds.
    pub lock_timeout_ms: Option<u32>,
}

/// Which sessions of a database show the id of the request that they work on. It costs the server some
/// microseconds for each call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ShowRequests {
    /// None.
    Never,
    /// Those in a transaction block: they hold locks.
    #[default]
    Transactions,
    /// All.
    Always,
}

/// Bounds on what one call gives and changes; those of the host hold beside them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    /// Most rows of a reply.
    pub reply_rows: Option<u64>,
    /// Largest body of a reply in bytes.
    pub reply_bytes: Option<usize>,
    /// Most rows that all statements of a call affect together.
    pub affected_rows: Option<u64>,
}

impl DatabaseName {
    /// Takes a name.
    ///
    /// # Errors
    /// When it is not one.
    pub fn new(name: &str) -> Result<DatabaseName, InvalidDatabaseName> {
        let fits = (1..=MAX_NAME_BYTES).contains(&name.len());
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        match fits && name.bytes().all(plain) {
            true => Ok(DatabaseName(name.into())),
            false => Err(InvalidDatabaseName),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Role {
    /// Takes the name of a role as the server stores it.
    ///
    /// # Errors
    /// When it is no name, or the one by which SET ROLE goes back to the login.
    pub fn new(name: &str) -> Result<Role, String> {
        match name {
            "none" => Err("no role is called \"none\": SET ROLE takes it for the login".into()),
            name => Ident::new(name.to_owned())
                .map(Role)
                .map_err(|error| error.to_string()),
        }
    }

    /// The name as the server stores it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Policy {
    /// The defaults for connectors of `profile`.
    #[must_use]
    pub fn of(profile: Profile) -> Policy {
        Policy {
            limits: ConnectorLimits::of(profile),
            ..Policy::default()
        }
    }
}

/// Nothing is withheld from a connector that no table of the configuration names.
impl Default for StatementRules {
    fn default() -> Self {
        StatementRules {
            access: Access::Define,
            raw_sql: None,
        }
    }
}

impl SessionRules {
    /// Whether there is anything to set, so that a plan needs a transaction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == SessionRules::default()
    }
}

impl Caps {
    /// Most rows of a reply, by this policy and the host.
    #[must_use]
    pub fn reply_rows(&self, host: &Limits) -> u64 {
        let own = self.reply_rows.unwrap_or(u64::MAX);
        own.min(host.reply_rows)
    }

    /// Largest body of a reply in bytes, by this policy and the host.
    #[must_use]
    pub fn reply_bytes(&self, host: &Limits) -> usize {
        let own = self.reply_bytes.unwrap_or(usize::MAX);
        own.min(host.reply_bytes)
    }
}

/// A call that the policy of `connector` does not allow: `rule` is the key and its value as they are
/// written, `needs` what the call would need.
#[must_use]
pub fn denied(connector: &str, rule: &str, needs: &str) -> Fault {
    let message = format!("the policy of {connector} has {rule}; {needs}");
    Fault::new(Kind::Denied, "PolicyDenied", message)
}

/// A list as it is written in the configuration.
#[must_use]
pub fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("{name:?}")).collect();
    format!("[{}]", quoted.join(", "))
}

/// The access that statements of these kinds need, as far as their text tells.
#[must_use]
pub fn needed_by(kinds: &Kinds) -> Access {
    if kinds.only_read() {
        Access::Read
    } else if kinds.only_read_or_change_rows() {
        Access::Write
    } else {
        Access::Define
    }
}
