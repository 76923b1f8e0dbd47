//! What is counted of each command.
//!
//! A command has its handles from the moment on that its connector goes live, so a call looks nothing
//! up: it adds to atomic numbers, and that is all.

use super::kept::{Kept, OTHER};
use super::outcome::Outcome;
use super::register::Register;
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry, Result};
use std::sync::Arc;
use std::time::Duration;

/// A connector and a command of it, by name.
pub(super) type Name = (Box<str>, Box<str>);

const LABELS: [&str; 2] = ["connector", "command"];

/// The families that tell commands apart.
#[derive(Debug)]
pub(super) struct Commands {
    families: Families,
    kept: Kept<Name, CommandMetrics>,
}

#[derive(Debug)]
struct Families {
    in_progress: IntGauge,
    calls: IntCounterVec,
    durations: [HistogramVec; 3],
    counters: [IntCounterVec; 5],
}

/// The numbers of one command.
#[derive(Debug)]
pub struct CommandMetrics {
    in_progress: IntGauge,
    outcomes: Vec<IntCounter>,
    pub(super) duration: Histogram,
    pub(super) plan: Histogram,
    pub(super) sql: Histogram,
    pub(super) plan_hits: IntCounter,
    pub(super) plan_misses: IntCounter,
    pub(super) fuel: IntCounter,
    pub(super) request_bytes: IntCounter,
    pub(super) reply_bytes: IntCounter,
}

impl Families {
    fn new(registry: &Registry) -> Result<Families> {
        let register = Register(registry);
        let durations = |name, help| register.durations(name, help, &LABELS);
        let counters = |name, help| register.counters(name, help, &LABELS);
        Ok(Families {
            in_progress: register.gauge("airlock_calls_in_progress", "Calls under way.")?,
            calls: register.counters(
                "airlock_calls_total",
                "Calls that ended, by how they ended.",
                &["connector", "command", "outcome"],
            )?,
            durations: [
                durations(
                    "airlock_call_duration_seconds",
                    "Time from the parameters of a call to the end of its reply.",
                )?,
                durations(
                    "airlock_plan_duration_seconds",
                    "Time of a call until it had its plan, from the cache or made anew.",
                )?,
                durations(
                    "airlock_sql_duration_seconds",
                    "Time of a call in the database, from having a connection to the end of the transaction.",
                )?,
            ],
            counters: [
                counters(
                    "airlock_plan_cache_hits_total",
                    "Calls whose plan was there, or was being made for another call.",
                )?,
                counters(
                    "airlock_plan_cache_misses_total",
                    "Calls whose plan had to be made, or could not be kept.",
                )?,
                counters(
                    "airlock_planning_fuel_total",
                    "Fuel that planning took, about one unit for each instruction.",
                )?,
                counters(
                    "airlock_request_bytes_total",
                    "Bytes of the parameters that came over HTTP.",
                )?,
                counters(
                    "airlock_reply_bytes_total",
                    "Bytes of the replies that went out over HTTP, envelopes left out.",
                )?,
            ],
        })
    }

    fn handles(&self, labels: [&str; 2]) -> Result<CommandMetrics> {
        let [connector, command] = labels;
        let outcome = |outcome: Outcome| {
            let labels = [connector, command, outcome.name()];
            self.calls.get_metric_with_label_values(&labels)
        };
        let [duration, plan, sql] = &self.durations;
        let [hits, misses, fuel, request_bytes, reply_bytes] = &self.counters;
        let histogram = |family: &HistogramVec| family.get_metric_with_label_values(&labels);
        let counter = |family: &IntCounterVec| family.get_metric_with_label_values(&labels);
        Ok(CommandMetrics {
            in_progress: self.in_progress.clone(),
            outcomes: Outcome::ALL
                .into_iter()
                .map(outcome)
                .collect::<Result<_>>()?,
            duration: histogram(duration)?,
            plan: histogram(plan)?,
            sql: histogram(sql)?,
            plan_hits: counter(hits)?,
            plan_misses: counter(misses)?,
            fuel: counter(fuel)?,
            request_bytes: counter(request_bytes)?,
            reply_bytes: counter(reply_bytes)?,
        })
    }

    /// Has nothing told of these any more. What is not there need not be removed.
    fn forget(&self, labels: [&str; 2]) {
        let [connector, command] = labels;
        for outcome in Outcome::ALL {
            let labels = [connector, command, outcome.name()];
            let _ = self.calls.remove_label_values(&labels);
        }
        for family in &self.durations {
            let _ = family.remove_label_values(&labels);
        }
        for family in &self.counters {
            let _ = family.remove_label_values(&labels);
        }
    }
}

impl Commands {
    /// Tells at most `most` commands apart.
    pub(super) fn new(registry: &Registry, most: usize) -> Result<Commands> {
        let families = Families::new(registry)?;
        let other = families.handles([OTHER, OTHER])?;
        Ok(Commands {
            kept: Kept::new(most, other),
            families,
        })
    }

    /// The handles of a command.
    pub(super) fn get(&self, connector: &str, command: &str) -> Arc<CommandMetrics> {
        self.kept.get(
            (connector.into(), command.into()),
            || self.families.handles([connector, command]),
            |(connector, command)| self.families.forget([connector, command]),
        )
    }

    /// All commands that are told apart, and what is counted beyond them.
    pub(super) fn all(&self) -> Vec<(Name, Arc<CommandMetrics>)> {
        let mut all = self.kept.all();
        let other = self.kept.other();
        if other.calls() > 0 {
            all.push(((OTHER.into(), OTHER.into()), other.clone()));
        }
        all
    }

    /// Calls under way.
    pub(super) fn in_progress(&self) -> i64 {
        self.families.in_progress.get()
    }
}

impl CommandMetrics {
    /// A call begins.
    pub(crate) fn begin(&self) {
        self.in_progress.inc();
    }

    /// A call that was begun ends.
    pub(crate) fn end(&self, outcome: Outcome, took: &Took) {
        self.in_progress.dec();
        if let Some(count) = self.outcomes.get(outcome as usize) {
            count.inc();
        }
        self.duration.observe(took.whole.as_secs_f64());
        if let Some(plan) = took.plan {
            self.plan.observe(plan.as_secs_f64());
        }
        if let Some(sql) = took.sql {
            self.sql.observe(sql.as_secs_f64());
        }
    }

    /// A plan was there.
    pub(crate) fn hit(&self) {
        self.plan_hits.inc();
    }

    /// A plan has to be made.
    pub(crate) fn miss(&self) {
        self.plan_misses.inc();
    }

    /// A planning call took this much.
    pub(crate) fn add_fuel(&self, fuel: u64) {
        self.fuel.inc_by(fuel);
    }

    /// Parameters came in.
    pub(crate) fn received(&self, bytes: usize) {
        self.request_bytes.inc_by(bytes as u64);
    }

    /// Part of a reply goes out.
    pub(crate) fn sent(&self, bytes: usize) {
        self.reply_bytes.inc_by(bytes as u64);
    }

    /// Calls that ended with `outcome`.
    #[must_use]
    pub fn ended(&self, outcome: Outcome) -> u64 {
        let count = self.outcomes.get(outcome as usize);
        count.map_or(0, IntCounter::get)
    }

    /// Calls that ended.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.outcomes.iter().map(IntCounter::get).sum()
    }
}

/// How long a call took, and parts of it; none where it did not come so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    pub(crate) whole: Duration,
    pub(crate) plan: Option<Duration>,
    pub(crate) sql: Option<Duration>,
}
