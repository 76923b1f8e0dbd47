//! What is counted and measured, for Prometheus and for people.
//!
//! [`Metrics`] owns every family. Labels are bounded: connectors and commands of components that went
//! live, databases of the configuration, and words of the host's own. Nothing that a caller, a connector
//! or a database makes up becomes a label, and nothing in here is a value or a secret.
//!
//! `command.rs` and `database.rs` hand out handles that are resolved once, so that calls add to atomic
//! numbers and look nothing up; `host.rs` and `process.rs` tell of what is there once; `spread.rs` makes
//! percentiles. Who reads all of it is [`crate::figures`], and the admin surface at `/metrics`.

mod command;
mod database;
mod host;
mod kept;
mod outcome;
mod process;
mod register;
mod spread;

pub use command::CommandMetrics;
pub(crate) use command::Took;
pub use database::{DatabaseMetrics, PoolReading, PoolReadings};
pub(crate) use host::Swap;
pub use host::{Connections, HostReading, TraceSpans, TurnedAway};
pub use outcome::Outcome;
pub use process::ProcessReading;
pub use spread::{Durations, bounds_us};

use crate::fault::Fault;
use crate::limits::Limits;
use command::Commands;
use database::Databases;
use host::Host;
use process::Process;
use prometheus::{Registry, TextEncoder};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is counted and measured of one runtime.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    commands: Commands,
    databases: Databases,
    host: Host,
    process: Process,
    /// Whoever takes over readings holds this.
    telling: Mutex<()>,
}

/// What is read at the moment of telling.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    /// What the host holds.
    pub host: HostReading,
    /// What the pools hold.
    pub pools: PoolReadings,
    /// What the process takes.
    pub process: ProcessReading,
}

/// The figures of one command since the start.
#[derive(Debug, Clone, Serialize)]
pub struct CommandFigures {
    /// Name of the connector; `other` for all commands beyond `metric_labels`.
    pub connector: Box<str>,
    /// Name of the command.
    pub command: Box<str>,
    /// Calls that ended.
    pub calls: u64,
    /// Calls that failed: neither `ok` nor `client_gone`.
    pub faults: u64,
    /// Calls that ended, by how; those that are 0 are left out.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Calls whose plan was in the cache.
    pub plan_hits: u64,
    /// Calls whose plan had to be made.
    pub plan_misses: u64,
    /// Fuel that planning took.
    pub planning_fuel: u64,
    /// Bytes of parameters.
    pub request_bytes: u64,
    /// Bytes of replies.
    pub reply_bytes: u64,
    /// Whole calls.
    pub duration: Durations,
    /// Calls until they had their plan.
    pub plan: Durations,
    /// Calls in the database.
    pub sql: Durations,
}

/// The figures of one database since the start.
#[derive(Debug, Clone, Serialize)]
pub struct DatabaseFigures {
    /// Its name in the configuration; `other` for all connection strings of callers.
    pub database: Box<str>,
    /// Connections that could not be made.
    pub connect_failures: u64,
    /// Waits for a connection.
    pub wait: Durations,
    /// Connects.
    pub connect: Durations,
}

impl Metrics {
    /// Counts nothing yet.
    ///
    /// # Errors
    /// Two families of one name, which is a defect.
    pub fn new(limits: &Limits) -> Result<Metrics, Fault> {
        Metrics::with(limits.metric_labels).map_err(Fault::internal)
    }

    fn with(most: usize) -> prometheus::Result<Metrics> {
        let registry = Registry::new();
        let host = Host::new(&registry)?;
        Ok(Metrics {
            commands: Commands::new(&registry, most)?,
            databases: Databases::new(&registry, most, host.turned_away(TurnedAway::Pool)?)?,
            host,
            process: Process::new(&registry)?,
            telling: Mutex::default(),
            registry,
        })
    }

    /// The handles of a command of a connector that goes live.
    pub(crate) fn command(&self, connector: &str, command: &str) -> Arc<CommandMetrics> {
        self.commands.get(connector, command)
    }

    /// The handles of a database of the configuration, or of all others.
    pub(crate) fn database(&self, name: Option<&str>) -> Arc<DatabaseMetrics> {
        self.databases.get(name)
    }

    /// The connections of the listener `name`.
    ///
    /// # Errors
    /// None that is known of.
    pub fn connections(&self, name: &'static str) -> Result<Connections, Fault> {
        self.host.connections(name).map_err(Fault::internal)
    }

    /// Where spans of traces are counted.
    #[must_use]
    pub fn trace_spans(&self) -> &TraceSpans {
        self.host.trace_spans()
    }

    /// A call was turned away.
    pub fn turn_away(&self, reason: TurnedAway) {
        self.host.turn_away(reason);
    }

    pub(crate) fn swapped(&self, swap: Swap) {
        self.host.swapped(swap);
    }

    /// A connector broke its contract, where it did at this limit.
    pub(crate) fn planning_fault(&self, limit: Option<&str>) {
        self.host.planning_fault(limit);
    }

    pub(crate) fn unknown_command(&self) {
        self.host.unknown_command();
    }

    /// Everything in the text format of Prometheus, version 0.0.4.
    ///
    /// # Errors
    /// Where it cannot be written, which is a defect.
    pub fn text(&self, readings: &Readings) -> Result<String, Fault> {
        // What is read is taken over and told as one: a second reader comes behind.
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        self.host.take(&readings.host);
        self.databases.take(&readings.pools);
        self.process.take(&readings.process);
        let families = self.registry.gather();
        let text = TextEncoder::new().encode_to_string(&families);
        text.map_err(Fault::internal)
    }

    /// Calls under way.
    #[must_use]
    pub fn calls_in_progress(&self) -> i64 {
        self.commands.in_progress()
    }

    /// Calls that were turned away.
    #[must_use]
    pub fn turned_away(&self) -> u64 {
        self.host.all_turned_away()
    }

    /// The figures of each command.
    #[must_use]
    pub fn commands(&self) -> Vec<CommandFigures> {
        let commands = self.commands.all().into_iter();
        commands
            .map(|((connector, command), read)| {
                let ended = Outcome::ALL.map(|outcome| (outcome, read.ended(outcome)));
                let faults = ended
                    .iter()
                    .filter(|(outcome, _)| !matches!(outcome, Outcome::Ok | Outcome::ClientGone));
                CommandFigures {
                    connector,
                    command,
                    calls: ended.iter().map(|(_, calls)| calls).sum(),
                    faults: faults.map(|(_, calls)| calls).sum(),
                    outcomes: ended
                        .iter()
                        .filter(|(_, calls)| *calls > 0)
                        .map(|(outcome, calls)| (outcome.name(), *calls))
                        .collect(),
                    plan_hits: read.plan_hits.get(),
                    plan_misses: read.plan_misses.get(),
                    planning_fuel: read.fuel.get(),
                    request_bytes: read.request_bytes.get(),
                    reply_bytes: read.reply_bytes.get(),
                    duration: Durations::of(&read.duration),
                    plan: Durations::of(&read.plan),
                    sql: Durations::of(&read.sql),
                }
            })
            .collect()
    }

    /// The figures of each database.
    #[must_use]
    pub fn databases(&self) -> Vec<DatabaseFigures> {
        let databases = self.databases.all().into_iter();
        databases
            .map(|read| DatabaseFigures {
                database: read.name().into(),
                connect_failures: read.connect_failures.get(),
                wait: Durations::of(&read.wait),
                connect: Durations::of(&read.connect),
            })
            .collect()
    }
}
