//! What is noted of one call while it runs: its id, how long each of its stages took, and its trace.
//!
//! A call is in one stage at a time, so one look at the clock ends a stage and begins the next. Whoever
//! runs a stage says so; whoever logs, counts or traces the call reads what came of it. A look at the
//! clock is the dearest part of all that, so nobody looks who can do without.

use crate::fault::Fault;
use crate::metrics::{Outcome, Took};
use crate::traces::{CallTrace, StatementSpan};
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

impl Stage {
    fn numbered(number: u8) -> Option<Stage> {
        let stages = [Stage::Plan, Stage::PoolWait, Stage::Sql, Stage::Render];
        stages.get(usize::from(number)).copied()
    }
}

/// What is noted of one call. Times are in nanoseconds.
#[derive(Debug)]
pub struct Observation {
    request_id: Option<Box<str>>,
    /// None for most calls, and for all where nobody takes traces.
    trace: Option<Box<CallTrace>>,
    begun: Instant,
    stage: AtomicU8,
    /// When the stage was entered, since the call began.
    entered: AtomicU64,
    /// When somebody looked last, since the call began.
    looked: AtomicU64,
    /// What each stage took so far, plus one, so that 0 stands for one that never was.
    took: [AtomicU64; STAGES],
}

impl Default for Observation {
    fn default() -> Self {
        Observation::new()
    }
}

impl Observation {
    /// A call that begins now, with its plan.
    #[must_use]
    pub fn new() -> Observation {
        Observation {
            request_id: None,
            trace: None,
            begun: Instant::now(),
            stage: AtomicU8::new(Stage::Plan as u8),
            entered: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            took: Default::default(),
        }
    }

    /// The same, of a request that has this id.
    #[must_use]
    pub fn of_request(mut self, id: impl Into<Box<str>>) -> Observation {
        self.request_id = Some(id.into());
        self
    }

    /// The same, with a trace, where there is one.
    #[must_use]
    pub fn traced(mut self, trace: Option<CallTrace>) -> Observation {
        self.trace = trace.map(Box::new);
        self
    }

    /// The id of the request, where it has one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The trace, where there is one.
    #[must_use]
    pub fn trace(&self) -> Option<&CallTrace> {
        self.trace.as_deref()
    }

    /// The call comes to a stage; gives how long it is since the last look.
    pub fn enter(&self, stage: Stage) -> Duration {
        let before = self.stage.load(Ordering::Relaxed);
        let took = self.look(before);
        let now = self.looked.load(Ordering::Relaxed);
        let entered = self.entered.load(Ordering::Relaxed);
        // Only whoever runs the call changes its stage, so nothing is lost between load and store.
        self.stage.store(stage as u8, Ordering::Relaxed);
        self.entered.store(now, Ordering::Relaxed);
        if let (Some(trace), Some(before)) = (&self.trace, Stage::numbered(before)) {
            trace.stage(
                before,
                Duration::from_nanos(entered),
                Duration::from_nanos(now),
            );
        }
        took
    }

    /// A statement begins; none where nobody wants to know of it.
    pub(crate) fn statement(&self, sql: &str) -> Option<StatementSpan> {
        let trace = self.trace.as_ref()?;
        Some(trace.statement(sql, self.begun.elapsed()))
    }

    /// The call ended so, and its reply remains to be handed over.
    pub(crate) fn conclude(&self, outcome: Outcome) {
        if let Some(trace) = &self.trace {
            trace.conclude(outcome);
        }
    }

    /// The call ends, or so it seems to whoever asks: the stage that it is in goes on. Gives how long it
    /// took so far.
    pub fn end(&self) -> Duration {
        self.look(self.stage.load(Ordering::Relaxed));
        self.so_far()
    }

    /// How long it took until the last look, for those who know that nothing has happened since.
    #[must_use]
    pub fn so_far(&self) -> Duration {
        Duration::from_nanos(self.looked.load(Ordering::Relaxed))
    }

    /// Adds what went by since the last look to a stage.
    fn look(&self, stage: u8) -> Duration {
        let now = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let took = now.saturating_sub(self.looked.load(Ordering::Relaxed));
        self.looked.store(now, Ordering::Relaxed);
        if let Some(total) = self.took.get(usize::from(stage)) {
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

/// The call is over when nobody notes anything of it any more.
impl Drop for Observation {
    fn drop(&mut self) {
        if let Some(trace) = &self.trace {
            let read = |time: &AtomicU64| Duration::from_nanos(time.load(Ordering::Relaxed));
            let (entered, looked) = (read(&self.entered), read(&self.looked));
            if let Some(stage) = Stage::numbered(self.stage.load(Ordering::Relaxed)) {
                trace.stage(stage, entered, looked);
            }
            trace.end(looked);
        }
    }
}

/// Tells the span of a statement, where it has one, how the statement ended.
pub(crate) fn ended(span: Option<StatementSpan>, ended: Result<Option<u64>, &Fault>) {
    match (span, ended) {
        (Some(span), Ok(rows)) => span.succeed(rows),
        (Some(span), Err(fault)) => span.fail(fault),
        (None, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_one_another_without_a_gap() {
        let call = Observation::new();
        assert_eq!(call.took(Stage::Plan), None);
        for _ in 0..2 {
            call.enter(Stage::PoolWait);
            call.enter(Stage::Sql);
        }
        call.enter(Stage::Render);
        let whole = call.end();
        let stages = [Stage::Plan, Stage::PoolWait, Stage::Sql, Stage::Render];
        let parts: Duration = stages.iter().filter_map(|stage| call.took(*stage)).sum();
        assert_eq!(whole, parts);
        // What comes behind belongs to the last stage.
        let (plan, render) = (call.took(Stage::Plan), call.took(Stage::Render));
        assert!(call.end() > whole);
        assert_eq!(call.took(Stage::Plan), plan);
        assert!(call.took(Stage::Render) > render);
    }
}
