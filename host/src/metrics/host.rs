//! What is counted of the host as a whole.

use super::register::Register;
use crate::limits::ConnectorLimits;
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, Result};

/// The label value of a fault of planning that no limit of a connector has to do with.
const NO_LIMIT: &str = "none";

/// Limits of a connector that have no key of their own.
const UNLISTED_LIMITS: [&str; 2] = ["stack_bytes", "handles"];

/// What of a call was turned away before it was begun, or while it waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    /// `concurrent_calls` were under way.
    Calls,
    /// The bodies that are held took `bodies_bytes`.
    Bodies,
    /// `pool_waiting` calls waited for the database.
    Pool,
}

/// What became of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swap {
    /// A version went live.
    Live,
    /// A candidate was refused.
    Refused,
    /// The version before came back.
    RolledBack,
    /// It was taken out of service.
    Retired,
}

/// The families that tell of the host.
#[derive(Debug)]
pub(super) struct Host {
    turned_away: IntCounterVec,
    swaps: IntCounterVec,
    planning_faults: IntCounterVec,
    unknown_commands: IntCounter,
    connectors: IntGauge,
    planning_calls: IntGauge,
    instances: IntGauge,
    plan_cache_entries: IntGauge,
    plan_cache_bytes: IntGauge,
    connections: IntGaugeVec,
    connections_refused: IntCounterVec,
    trace_spans: TraceSpans,
}

/// What the host holds at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostReading {
    /// Connectors that are live.
    pub connectors: usize,
    /// Planning calls that run or wait for room.
    pub planning_calls: usize,
    /// Instances that plan, counted in core modules.
    pub instances: u64,
    /// Plans that are kept.
    pub plan_cache_entries: usize,
    /// What they take, in bytes.
    pub plan_cache_bytes: u64,
}

/// Spans of traces, by what became of them.
#[derive(Debug, Clone)]
pub struct TraceSpans {
    exported: IntCounter,
    failed: IntCounter,
    dropped: IntCounter,
}

/// The connections of one listener.
#[derive(Debug, Clone)]
pub struct Connections {
    open: IntGauge,
    refused: IntCounter,
}

impl TurnedAway {
    const ALL: [TurnedAway; 3] = [TurnedAway::Calls, TurnedAway::Bodies, TurnedAway::Pool];

    fn name(self) -> &'static str {
        match self {
            TurnedAway::Calls => "calls",
            TurnedAway::Bodies => "bodies",
            TurnedAway::Pool => "pool",
        }
    }
}

impl Swap {
    const ALL: [Swap; 4] = [Swap::Live, Swap::Refused, Swap::RolledBack, Swap::Retired];

    fn name(self) -> &'static str {
        match self {
            Swap::Live => "live",
            Swap::Refused => "refused",
            Swap::RolledBack => "rolled_back",
            Swap::Retired => "retired",
        }
    }
}

impl Host {
    pub(super) fn new(registry: &Registry) -> Result<Host> {
        let register = Register(registry);
        let build = register.gauges(
            "airlock_build_info",
            "1, with the version of Airlock.",
            &["version"],
        )?;
        build
            .get_metric_with_label_values(&[env!("CARGO_PKG_VERSION")])?
            .set(1);
        let spans = register.counters(
            "airlock_trace_spans_total",
            "Spans that a collector took, did not take, or that were dropped as too many waited.",
            &["result"],
        )?;
        let spans = |result| spans.get_metric_with_label_values(&[result]);
        let host = Host {
            trace_spans: TraceSpans {
                exported: spans("exported")?,
                failed: spans("failed")?,
                dropped: spans("dropped")?,
            },
            turned_away: register.counters(
                "airlock_turned_away_total",
                "Calls that were turned away, by what there was too much of.",
                &["reason"],
            )?,
            swaps: register.counters(
                "airlock_swaps_total",
                "Changes of what serves as a connector, refused candidates included.",
                &["result"],
            )?,
            planning_faults: register.counters(
                "airlock_planning_faults_total",
                "Connectors that broke their contract, by the limit that they reached.",
                &["limit"],
            )?,
            unknown_commands: register.counter(
                "airlock_unknown_commands_total",
                "Calls of commands that there are not.",
            )?,
            connectors: register.gauge("airlock_connectors", "Connectors that are live.")?,
            planning_calls: register.gauge(
                "airlock_planning_calls",
                "Planning calls that run or wait for room.",
            )?,
            instances: register.gauge(
                "airlock_instances",
                "Core instances of connectors that plan.",
            )?,
            plan_cache_entries: register
                .gauge("airlock_plan_cache_entries", "Plans that are kept.")?,
            plan_cache_bytes: register
                .gauge("airlock_plan_cache_bytes", "What plans that are kept take.")?,
            connections: register.gauges(
                "airlock_http_connections",
                "Connections from clients that are open.",
                &["listener"],
            )?,
            connections_refused: register.counters(
                "airlock_http_connections_refused_total",
                "Connections from clients beyond the limit connections.",
                &["listener"],
            )?,
        };
        host.begin()?;
        Ok(host)
    }

    /// Begins the counters at 0, so that their first steps can be seen.
    fn begin(&self) -> Result<()> {
        for reason in TurnedAway::ALL {
            self.turned_away
                .get_metric_with_label_values(&[reason.name()])?;
        }
        for swap in Swap::ALL {
            self.swaps.get_metric_with_label_values(&[swap.name()])?;
        }
        for limit in limits() {
            self.planning_faults
                .get_metric_with_label_values(&[limit])?;
        }
        Ok(())
    }

    pub(super) fn turn_away(&self, reason: TurnedAway) {
        add(&self.turned_away, reason.name());
    }

    /// Where calls count that are turned away for this reason.
    pub(super) fn turned_away(&self, reason: TurnedAway) -> Result<IntCounter> {
        self.turned_away
            .get_metric_with_label_values(&[reason.name()])
    }

    pub(super) fn swapped(&self, swap: Swap) {
        add(&self.swaps, swap.name());
    }

    pub(super) fn planning_fault(&self, limit: Option<&str>) {
        let known = limits().find(|known| Some(*known) == limit);
        add(&self.planning_faults, known.unwrap_or(NO_LIMIT));
    }

    pub(super) fn unknown_command(&self) {
        self.unknown_commands.inc();
    }

    /// The connections of the listener `name`.
    pub(super) fn connections(&self, name: &'static str) -> Result<Connections> {
        Ok(Connections {
            open: self.connections.get_metric_with_label_values(&[name])?,
            refused: self
                .connections_refused
                .get_metric_with_label_values(&[name])?,
        })
    }

    pub(super) fn trace_spans(&self) -> &TraceSpans {
        &self.trace_spans
    }

    pub(super) fn take(&self, reading: &HostReading) {
        self.connectors.set(reading.connectors as i64);
        self.planning_calls.set(reading.planning_calls as i64);
        self.instances.set(reading.instances as i64);
        self.plan_cache_entries
            .set(reading.plan_cache_entries as i64);
        self.plan_cache_bytes.set(reading.plan_cache_bytes as i64);
    }

    /// Calls that were turned away so far.
    pub(super) fn all_turned_away(&self) -> u64 {
        let count =
            |reason: TurnedAway| self.turned_away(reason).map_or(0, |counter| counter.get());
        TurnedAway::ALL.into_iter().map(count).sum()
    }
}

/// The values of the label `limit`.
fn limits() -> impl Iterator<Item = &'static str> {
    let listed = ConnectorLimits::NAMES.iter().copied();
    listed.chain(UNLISTED_LIMITS).chain([NO_LIMIT])
}

fn add(family: &IntCounterVec, label: &str) {
    if let Ok(counter) = family.get_metric_with_label_values(&[label]) {
        counter.inc();
    }
}

impl TraceSpans {
    /// A collector took spans, or did not.
    pub(crate) fn sent(&self, count: usize, taken: bool) {
        let counter = match taken {
            true => &self.exported,
            false => &self.failed,
        };
        counter.inc_by(count as u64);
    }

    /// One was dropped.
    pub(crate) fn drop_one(&self) {
        self.dropped.inc();
    }
}

impl Connections {
    /// One is open until what this returns is dropped.
    pub(crate) fn open(&self) -> OpenConnection {
        self.open.inc();
        OpenConnection(self.open.clone())
    }

    /// One was refused.
    pub(crate) fn refuse(&self) {
        self.refused.inc();
    }
}

/// A connection that counts as open.
pub(crate) struct OpenConnection(IntGauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}
