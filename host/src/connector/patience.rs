//! How long a planning call is waited for, and how it gives way to others meanwhile.

use super::engine;
use crate::limits::ConnectorLimits;
use crate::priority::{self, LOWEST};
use wasmtime::{Store, UpdateDeadline};

/// Epochs that a brief call may take: one whole one at least. A usual plan takes a hundredth of that.
const BRIEF_EPOCHS: u64 = 2;

/// Processor time in milliseconds for which the priority of a thread goes down by one step. The lowest
/// one is reached after a tenth of a second: the largest plans take about that.
const STEP_MS: i64 = 5;

/// How long a planning call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Up to the limits of the connector.
    Full,
    /// A moment: long enough for nearly every plan.
    Brief,
    /// As [`Patience::Full`]. The longer it takes, the more the thread gives way to others, and it
    /// cannot go back: it has to end afterwards.
    GivingWay,
}

impl Patience {
    /// Whether `limits` would let a call go on that this stops.
    pub(super) fn is_shorter_than(self, limits: &ConnectorLimits) -> bool {
        self == Patience::Brief && BRIEF_EPOCHS < engine::epochs(limits.plan_ms)
    }

    /// Has a store wait that long from now on.
    pub(super) fn set<T: 'static>(self, store: &mut Store<T>, limits: &ConnectorLimits) {
        let mut left = engine::epochs(limits.plan_ms);
        match self {
            Patience::Full => store.set_epoch_deadline(left),
            Patience::Brief => store.set_epoch_deadline(left.min(BRIEF_EPOCHS)),
            Patience::GivingWay => {
                store.set_epoch_deadline(1);
                let mut lowered = 0;
                store.epoch_deadline_callback(move |_| {
                    left = left.saturating_sub(1);
                    if left == 0 {
                        return Ok(UpdateDeadline::Interrupt);
                    }
                    give_way(&mut lowered);
                    Ok(UpdateDeadline::Continue(1))
                });
            }
        }
    }
}

/// Lowers the priority of this thread by what it took of the processor so far. By time on the clock, a
/// plan that does not get the processor would be put back still further.
fn give_way(lowered: &mut i32) {
    let steps = priority::taken_ms() / STEP_MS;
    let wanted = i32::try_from(steps).map_or(LOWEST, |steps| (1 + steps).min(LOWEST));
    if wanted > *lowered {
        priority::lower(wanted - *lowered);
        *lowered = wanted;
    }
}
