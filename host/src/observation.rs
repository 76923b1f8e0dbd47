//! What is noted of one call while it runs: how long each of its stages took.
//!
//! A call is in one stage at a time, so one look at the clock ends a stage and begins the next. Whoever
//! runs a stage says so; whoever logs, counts or traces the call reads what came of it.

use crate::metrics::Took;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A part of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its plan is looked up or made.
    Plan = 0,
    /// It waits for a connection to the database, or for one to be made.
    PoolWait = 1,
    /// Its statements run, up to the end of the transaction. Rows are rendered as they come in.
    Sql = 2,
    /// What is left of its reply is shaped and handed over.
    Render = 3,
}

/// How many stages there are.
const STAGES: usize = 4;

/// Stands in the place of a stage before the first one.
const NO_STAGE: u8 = u8::MAX;

/// What is noted of one call. Times are in nanoseconds.
#[derive(Debug)]
pub struct Observation {
    begun: Instant,
    stage: AtomicU8,
    /// When the stage was entered, since the call began.
    entered: AtomicU64,
    /// What each stage took so far, plus one, so that 0 stands for one that never was.
    took: [AtomicU64; STAGES],
}

impl Default for Observation {
    fn default() -> Self {
        Observation::new()
    }
}

impl Observation {
    /// A call that begins now.
    #[must_use]
    pub fn new() -> Observation {
        Observation {
            begun: Instant::now(),
            stage: AtomicU8::new(NO_STAGE),
            entered: AtomicU64::new(0),
            took: Default::default(),
        }
    }

    /// The call comes to a stage; gives how long the one before took.
    pub fn enter(&self, stage: Stage) -> Duration {
        self.change(stage as u8)
    }

    /// The call ends, or so it seems to whoever asks: the stage that it is in goes on. Gives how long it
    /// took so far.
    pub fn end(&self) -> Duration {
        self.change(self.stage.load(Ordering::Relaxed));
        Duration::from_nanos(self.entered.load(Ordering::Relaxed))
    }

    // Only whoever runs the call changes its stage, so nothing is lost between load and store.
    fn change(&self, stage: u8) -> Duration {
        let now = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let before = self.stage.load(Ordering::Relaxed);
        let entered = self.entered.load(Ordering::Relaxed);
        self.stage.store(stage, Ordering::Relaxed);
        self.entered.store(now, Ordering::Relaxed);
        let took = now.saturating_sub(entered);
        if let Some(total) = self.took.get(usize::from(before)) {
            let so_far = total.load(Ordering::Relaxed).max(1);
            total.store(so_far.saturating_add(took), Ordering::Relaxed);
        }
        Duration::from_nanos(took)
    }

    /// What a stage took in all that ended of it; none where the call never came to it.
    #[must_use]
    pub fn took(&self, stage: Stage) -> Option<Duration> {
        let took = self.took.get(stage as usize)?.load(Ordering::Relaxed);
        took.checked_sub(1).map(Duration::from_nanos)
    }

    /// The time so far, and what the stages took.
    pub(crate) fn summary(&self, whole: Duration) -> Took {
        Took {
            whole,
            plan: self.took(Stage::Plan),
            sql: self.took(Stage::Sql),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_one_another_without_a_gap() {
        let call = Observation::new();
        assert_eq!(call.took(Stage::Plan), None);
        call.enter(Stage::Plan);
        for _ in 0..2 {
            call.enter(Stage::PoolWait);
            call.enter(Stage::Sql);
        }
        call.enter(Stage::Render);
        let whole = call.end();
        let stages = [Stage::Plan, Stage::PoolWait, Stage::Sql, Stage::Render];
        let parts: Duration = stages.iter().filter_map(|stage| call.took(*stage)).sum();
        let before = whole.checked_sub(parts).unwrap();
        assert!(before < Duration::from_secs(1), "{whole:?} {parts:?}");
        // What comes behind belongs to the last stage.
        let (plan, render) = (call.took(Stage::Plan), call.took(Stage::Render));
        assert!(call.end() > whole);
        assert_eq!(call.took(Stage::Plan), plan);
        assert!(call.took(Stage::Render) > render);
    }
}
