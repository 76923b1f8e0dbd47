//! Tells of calls that are turned away, without a line for each: there can be thousands in a second, and
//! writing lines would take from those that are served.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a line is written at most.
const EVERY: Duration = Duration::from_secs(1);

/// Calls that were turned away since the last line.
#[derive(Debug, Default)]
pub(super) struct TurnedAway(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    calls: u64,
    told: Option<Instant>,
}

impl TurnedAway {
    /// Counts one that was turned away with `code`, and tells of all since the last line where that was a
    /// while ago.
    pub(super) fn note(&self, code: &str) {
        if let Some(calls) = self.due(Instant::now()) {
            tracing::warn!(calls, outcome = code, "calls are turned away");
        }
    }

    /// How many to tell of, where it is time.
    fn due(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.calls += 1;
        if state
            .told
            .is_some_and(|told| now.duration_since(told) < EVERY)
        {
            return None;
        }
        state.told = Some(now);
        Some(std::mem::take(&mut state.calls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_tells_of_many() {
        let turned_away = TurnedAway::default();
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        assert_eq!(turned_away.due(start), Some(1));
        assert_eq!(turned_away.due(after(10)), None);
        assert_eq!(turned_away.due(after(999)), None);
        assert_eq!(turned_away.due(after(1_000)), Some(3));
        assert_eq!(turned_away.due(after(1_001)), None);
    }
}
