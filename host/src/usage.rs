//! What a version of a connector was asked and what it took.
//!
//! Counts go up for as long as the version is held, warm or live; nothing in here is a value of a call.

use crate::fault::{Culprit, Fault};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Significant digits of percentiles: each histogram takes a few kilobytes.
const DIGITS: u8 = 2;

/// What a version of a connector was asked and what it took, so far.
#[derive(Debug, Default)]
pub struct Usage {
    calls: AtomicU64,
    faults: Faults,
    plans: AtomicU64,
    plan_misses: AtomicU64,
    fuel: Spread,
    memory: Spread,
}

/// A histogram that grows with what it is given; none where it could not be made.
#[derive(Debug)]
struct Spread(Option<Mutex<Histogram<u32>>>);

#[derive(Debug, Default)]
struct Faults {
    caller: AtomicU64,
    connector: AtomicU64,
    database: AtomicU64,
    host: AtomicU64,
}

/// A reading of [`Usage`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UsageStats {
    /// Calls that were begun.
    pub calls: u64,
    /// Calls that failed.
    pub faults: FaultCounts,
    /// Calls whose plan was in the cache.
    pub plan_hits: u64,
    /// Calls whose plan had to be made, or could not be kept.
    pub plan_misses: u64,
    /// Fuel that one planning call took.
    pub fuel: Percentiles,
    /// Memory that one instance had in the end, in bytes, all linear memories together.
    pub memory_bytes: Percentiles,
}

/// Calls that failed, by who is to blame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FaultCounts {
    /// The author of the call.
    pub caller: u64,
    /// The author of the connector.
    pub connector: u64,
    /// The database, or the author of what runs in it.
    pub database: u64,
    /// The operator of this host.
    pub host: u64,
}

/// How a quantity is spread, within a hundredth. All are 0 where nothing was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// Half of what was measured is at most this.
    pub p50: u64,
    /// 99 of 100 are at most this.
    pub p99: u64,
    /// All are at most this.
    pub max: u64,
}

impl Usage {
    /// A call begins.
    pub(crate) fn begin(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// A call failed.
    pub(crate) fn fail(&self, fault: &Fault) {
        let count = match fault.culprit() {
            Culprit::Caller => &self.faults.caller,
            Culprit::Connector => &self.faults.connector,
            Culprit::Database => &self.faults.database,
            Culprit::Host => &self.faults.host,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// A plan is wanted.
    pub(crate) fn want_plan(&self) {
        self.plans.fetch_add(1, Ordering::Relaxed);
    }

    /// It has to be made.
    pub(crate) fn make_plan(&self) {
        self.plan_misses.fetch_add(1, Ordering::Relaxed);
    }

    /// An instance took this.
    pub(crate) fn took(&self, fuel: u64, memory_bytes: u64) {
        self.fuel.record(fuel);
        self.memory.record(memory_bytes);
    }

    /// What it counts now.
    #[must_use]
    pub fn stats(&self) -> UsageStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        UsageStats {
            calls: read(&self.calls),
            faults: FaultCounts {
                caller: read(&self.faults.caller),
                connector: read(&self.faults.connector),
                database: read(&self.faults.database),
                host: read(&self.faults.host),
            },
            plan_hits: read(&self.plans).saturating_sub(read(&self.plan_misses)),
            plan_misses: read(&self.plan_misses),
            fuel: self.fuel.percentiles(),
            memory_bytes: self.memory.percentiles(),
        }
    }
}

impl Default for Spread {
    fn default() -> Self {
        Spread(Histogram::new(DIGITS).ok().map(Mutex::new))
    }
}

impl Spread {
    fn record(&self, value: u64) {
        if let Some(histogram) = &self.0 {
            let mut histogram = histogram.lock().unwrap_or_else(PoisonError::into_inner);
            // It grows with what it is given, so this cannot fail.
            let _ = histogram.record(value);
        }
    }

    fn percentiles(&self) -> Percentiles {
        let Some(histogram) = &self.0 else {
            return Percentiles::default();
        };
        let histogram = histogram.lock().unwrap_or_else(PoisonError::into_inner);
        Percentiles {
            p50: histogram.value_at_quantile(0.5),
            p99: histogram.value_at_quantile(0.99),
            max: histogram.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_happens() {
        let usage = Usage::default();
        usage.begin();
        usage.want_plan();
        usage.make_plan();
        usage.want_plan();
        usage.fail(&Fault::connector("no"));
        for fuel in 1..=100 {
            usage.took(fuel * 1_000, 1 << 16);
        }
        let stats = usage.stats();
        assert_eq!((stats.calls, stats.plan_hits, stats.plan_misses), (1, 1, 1));
        assert_eq!((stats.faults.connector, stats.faults.caller), (1, 0));
        let within = |value: u64, exact: u64| value.abs_diff(exact) <= exact / 100;
        assert!(within(stats.fuel.p50, 50_000), "{:?}", stats.fuel);
        assert!(within(stats.fuel.p99, 99_000), "{:?}", stats.fuel);
        assert!(within(stats.fuel.max, 100_000), "{:?}", stats.fuel);
        assert!(within(stats.memory_bytes.p50, 1 << 16));
    }

    #[test]
    fn nothing_measured_is_nothing() {
        assert_eq!(Usage::default().stats().fuel, Percentiles::default());
    }
}
