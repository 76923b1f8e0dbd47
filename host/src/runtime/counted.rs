//! A call that is counted, however it ends.

use super::FoundCommand;
use crate::fault::{Fault, Kind};
use crate::metrics::{Metrics, Outcome};
use crate::observation::Observation;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A call under way. Where it is dropped before its end, nobody waited for that, or the host panicked.
pub(super) struct Counted {
    found: FoundCommand,
    observation: Arc<Observation>,
    metrics: Arc<Metrics>,
    is_over: bool,
}

impl Counted {
    /// A call begins.
    pub(super) fn begin(found: &FoundCommand, metrics: Arc<Metrics>) -> Counted {
        found.connector.usage().begin();
        if let Some(numbers) = found.metrics() {
            numbers.begin();
        }
        Counted {
            observation: found.observation.clone().unwrap_or_default(),
            found: found.clone(),
            metrics,
            is_over: false,
        }
    }

    /// Where its stages are noted.
    pub(super) fn observation(&self) -> &Arc<Observation> {
        &self.observation
    }

    /// It succeeded, and the last stage has just begun.
    pub(super) fn succeed(mut self) {
        self.end(Outcome::Ok, self.observation.so_far());
    }

    /// It failed.
    pub(super) fn fail(mut self, fault: &Fault) {
        self.found.connector.usage().fail(fault);
        if fault.kind == Kind::Connector {
            self.metrics.planning_fault(fault.limit());
        }
        self.end(Outcome::of(fault), self.observation.end());
    }

    fn end(&mut self, outcome: Outcome, whole: Duration) {
        self.is_over = true;
        self.observation.conclude(outcome);
        if let Some(numbers) = self.found.metrics() {
            numbers.end(outcome, &self.observation.summary(whole));
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.is_over {
            let outcome = match thread::panicking() {
                true => Outcome::Internal,
                false => Outcome::ClientGone,
            };
            self.end(outcome, self.observation.end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::runtime::Runtime;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn who_breaks_a_call_off_is_told_apart() {
        let runtime = Runtime::new(Limits::default()).unwrap();
        let found = runtime.command("postgres_v2", "DoSQL").unwrap();
        let begin = || Counted::begin(&found, runtime.metrics().clone());
        drop(begin());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _call = begin();
            panic!("a defect");
        }));
        assert!(panicked.is_err());
        let metrics = runtime.metrics_text().unwrap();
        for outcome in ["client_gone", "internal"] {
            let counted = metrics.lines().find(|line| {
                line.starts_with("airlock_calls_total")
                    && line.contains("DoSQL")
                    && line.contains(outcome)
            });
            assert!(
                counted.is_some_and(|line| line.ends_with(" 1")),
                "{metrics}"
            );
        }
    }
}
