//! What is counted of each database.
//!
//! Pools are made for whole connection strings, which callers may bring: only the names of databases in
//! the configuration are labels, and everything else is `other`.

use super::kept::{Kept, OTHER};
use super::register::Register;
use prometheus::{
    Histogram, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Registry, Result,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const LABELS: [&str; 1] = ["database"];

/// The families that tell databases apart.
#[derive(Debug)]
pub(super) struct Databases {
    waits: HistogramVec,
    connects: HistogramVec,
    failures: IntCounterVec,
    turned_away: IntCounter,
    connections: IntGaugeVec,
    waiting: IntGaugeVec,
    breakers: IntGaugeVec,
    kept: Kept<Box<str>, DatabaseMetrics>,
}

/// The numbers of one database.
#[derive(Debug)]
pub struct DatabaseMetrics {
    name: Box<str>,
    pub(super) wait: Histogram,
    pub(super) connect: Histogram,
    pub(super) connect_failures: IntCounter,
    turned_away: IntCounter,
}

/// What the pools of one database hold at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolReading {
    /// Connections that wait for a call.
    pub idle: usize,
    /// Connections that calls use, and those that are being made or closed.
    pub in_use: usize,
    /// Most connections that there may be.
    pub most: usize,
    /// Calls that wait for a connection.
    pub waiting: usize,
    /// Pools that make no connection for now, because the last ones failed.
    pub open_breakers: usize,
}

/// What all pools hold at a moment, by the database of their label.
pub type PoolReadings = BTreeMap<Box<str>, PoolReading>;

impl Databases {
    /// Tells at most `most` databases apart.
    pub(super) fn new(
        registry: &Registry,
        most: usize,
        turned_away: IntCounter,
    ) -> Result<Databases> {
        let register = Register(registry);
        let waits = register.durations(
            "airlock_pool_wait_duration_seconds",
            "Time that a call waited for a connection, connecting included.",
            &LABELS,
        )?;
        let connects = register.durations(
            "airlock_connect_duration_seconds",
            "Time for making a connection, whether that succeeded or not.",
            &LABELS,
        )?;
        let failures = register.counters(
            "airlock_connect_failures_total",
            "Connections that could not be made.",
            &LABELS,
        )?;
        let connections = register.gauges(
            "airlock_pool_connections",
            "Connections in the pools.",
            &["database", "state"],
        )?;
        let waiting = register.gauges(
            "airlock_pool_waiting_calls",
            "Calls that wait for a connection.",
            &LABELS,
        )?;
        let breakers = register.gauges(
            "airlock_pool_open_breakers",
            "Pools that make no connection for now, because the last ones failed.",
            &LABELS,
        )?;
        let other = handles(OTHER, [&waits, &connects], &failures, &turned_away)?;
        Ok(Databases {
            waits,
            connects,
            failures,
            turned_away,
            connections,
            waiting,
            breakers,
            kept: Kept::new(most, other),
        })
    }

    /// The handles of a database; none of a name is one of them.
    pub(super) fn get(&self, name: Option<&str>) -> Arc<DatabaseMetrics> {
        let Some(name) = name.filter(|name| *name != OTHER) else {
            return self.kept.other().clone();
        };
        self.kept.get(
            name.into(),
            || {
                let durations = [&self.waits, &self.connects];
                handles(name, durations, &self.failures, &self.turned_away)
            },
            |name| {
                let labels = [&**name];
                let _ = self.waits.remove_label_values(&labels);
                let _ = self.connects.remove_label_values(&labels);
                let _ = self.failures.remove_label_values(&labels);
            },
        )
    }

    /// All databases that are told apart, and the others.
    pub(super) fn all(&self) -> Vec<Arc<DatabaseMetrics>> {
        let kept = self.kept.all().into_iter().map(|(_, database)| database);
        kept.chain([self.kept.other().clone()]).collect()
    }

    /// Takes over what the pools hold. One at a time may do so.
    pub(super) fn take(&self, readings: &PoolReadings) {
        for family in [&self.connections, &self.waiting, &self.breakers] {
            family.reset();
        }
        let set = |family: &IntGaugeVec, labels: &[&str], value: usize| {
            if let Ok(gauge) = family.get_metric_with_label_values(labels) {
                gauge.set(value as i64);
            }
        };
        for (name, reading) in readings {
            set(&self.connections, &[name, "idle"], reading.idle);
            set(&self.connections, &[name, "in_use"], reading.in_use);
            set(&self.waiting, &[name], reading.waiting);
            set(&self.breakers, &[name], reading.open_breakers);
        }
    }
}

fn handles(
    name: &str,
    [waits, connects]: [&HistogramVec; 2],
    failures: &IntCounterVec,
    turned_away: &IntCounter,
) -> Result<DatabaseMetrics> {
    let labels = [name];
    Ok(DatabaseMetrics {
        name: name.into(),
        wait: waits.get_metric_with_label_values(&labels)?,
        connect: connects.get_metric_with_label_values(&labels)?,
        connect_failures: failures.get_metric_with_label_values(&labels)?,
        turned_away: turned_away.clone(),
    })
}

impl DatabaseMetrics {
    /// The value of the label `database`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A call waited so long for a connection.
    pub(crate) fn waited(&self, time: Duration) {
        self.wait.observe(time.as_secs_f64());
    }

    /// A call was turned away, as too many wait.
    pub(crate) fn turn_away(&self) {
        self.turned_away.inc();
    }

    /// A connect took so long.
    pub(crate) fn connected(&self, time: Duration, succeeded: bool) {
        self.connect.observe(time.as_secs_f64());
        if !succeeded {
            self.connect_failures.inc();
        }
    }
}
