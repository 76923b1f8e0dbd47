//! What an instance has of the world.

use super::Stop;
use super::random::Generator;
use crate::limits::ConnectorLimits;
use std::collections::BTreeMap;

/// The world of one instance: it begins the same each time.
pub(in crate::connector) struct State {
    /// Virtual time in nanoseconds since the instance began.
    pub(super) now: u64,
    pub(super) random: Generator,
    /// Standard output and standard error, in the order in which they were written.
    pub(super) written: Vec<u8>,
    log_bytes: usize,
    /// Pollables by the number of their handle: when each is ready, in virtual time. The bound on handles
    /// bounds them.
    moments: BTreeMap<u32, u64>,
    last_pollable: u32,
}

impl State {
    /// The beginning.
    pub(in crate::connector) fn new(limits: &ConnectorLimits) -> State {
        State {
            now: 0,
            random: Generator::new(),
            written: Vec::new(),
            log_bytes: limits.log_bytes,
            moments: BTreeMap::new(),
            last_pollable: 0,
        }
    }

    /// How much more may be written, in bytes.
    pub(super) fn room(&self) -> usize {
        self.log_bytes.saturating_sub(self.written.len())
    }

    /// A pollable that is ready at `moment`, by its number.
    pub(super) fn subscribe(&mut self, moment: u64) -> Result<u32, Stop> {
        let next = self.last_pollable.checked_add(1);
        self.last_pollable = next.ok_or(Stop::Limit("its handles"))?;
        self.moments.insert(self.last_pollable, moment);
        Ok(self.last_pollable)
    }

    /// When a pollable is ready.
    pub(super) fn moment(&self, pollable: u32) -> Result<u64, Stop> {
        let moment = self.moments.get(&pollable);
        moment.copied().ok_or(Stop::NoSuchHandle)
    }

    /// Forgets a pollable.
    pub(super) fn unsubscribe(&mut self, pollable: u32) {
        self.moments.remove(&pollable);
    }

    /// Waits for a moment: time moves there at once.
    pub(super) fn wait_until(&mut self, moment: u64) {
        self.now = self.now.max(moment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_moves_time_forward_only() {
        let mut state = State::new(&ConnectorLimits::default());
        state.wait_until(5);
        state.wait_until(3);
        assert_eq!(state.now, 5);
    }

    #[test]
    fn pollables_are_forgotten() {
        let mut state = State::new(&ConnectorLimits::default());
        let pollable = state.subscribe(7).unwrap();
        assert_eq!(state.moment(pollable).unwrap(), 7);
        state.unsubscribe(pollable);
        assert!(state.moment(pollable).is_err() && state.moments.is_empty());
    }
}
