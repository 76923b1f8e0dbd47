//! Stops a storm of connects to a database that gives none.

use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Counts connects that failed in a row. From so many on only one connect is tried at a time, after a
/// pause; the others fail at once, for the reason that the last one failed for.
#[derive(Debug)]
pub(super) struct Breaker {
    /// Failures in a row from which on connects are held back.
    most: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// No connect is tried before.
    not_before: Option<Instant>,
    reason: String,
}

impl Breaker {
    pub(super) fn new(limits: &Limits) -> Breaker {
        Breaker {
            most: limits.breaker_failures.max(1),
            pause: Duration::from_millis(limits.breaker_ms),
            state: Mutex::default(),
        }
    }

    /// Whether a connect may be tried now. Whoever tries holds others back for a pause.
    ///
    /// # Errors
    /// The reason of the last failure.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Fault> {
        let mut state = self.lock();
        if state.failures < self.most {
            return Ok(());
        }
        match state.not_before {
            Some(not_before) if now < not_before => Err(Fault::new(
                Kind::Connection,
                "OperationalError",
                format!(
                    "{}(the last {} attempts failed; the next one is made in {} ms)\n",
                    state.reason,
                    state.failures,
                    not_before.duration_since(now).as_millis().max(1)
                ),
            )),
            _ => {
                state.not_before = Some(now + self.pause);
                Ok(())
            }
        }
    }

    /// Whether connects are held back.
    pub(super) fn is_open(&self) -> bool {
        self.lock().failures >= self.most
    }

    /// Takes in how a connect went.
    pub(super) fn note<T>(&self, connected: &Result<T, Fault>, now: Instant) {
        let mut state = self.lock();
        match connected {
            Ok(_) => *state = State::default(),
            // Nothing was dialled, and a policy may change at any time.
            Err(fault) if fault.kind == Kind::Denied => {}
            Err(fault) => {
                state.failures = state.failures.saturating_add(1);
                state.not_before = Some(now + self.pause);
                state.reason.clone_from(&fault.message);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_hold_connects_back() {
        let breaker = Breaker::new(&Limits {
            breaker_failures: 2,
            breaker_ms: 100,
            ..Limits::default()
        });
        let refused = || {
            Err::<(), _>(Fault::new(
                Kind::Connection,
                "OperationalError",
                "refused\n",
            ))
        };
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        breaker.note(&refused(), start);
        assert!(breaker.admit(after(1)).is_ok());
        breaker.note(&refused(), after(1));
        let held_back = breaker.admit(after(2)).unwrap_err();
        assert_eq!(held_back.code, "OperationalError");
        assert!(held_back.message.starts_with("refused\n(the last 2 "));
        // One tries after the pause, and holds the others back.
        assert!(breaker.admit(after(101)).is_ok());
        assert!(breaker.admit(after(102)).is_err());
        breaker.note(&Ok(()), after(103));
        assert!(breaker.admit(after(103)).is_ok());
        breaker.note(&refused(), after(104));
        assert!(breaker.admit(after(104)).is_ok());
    }
}
