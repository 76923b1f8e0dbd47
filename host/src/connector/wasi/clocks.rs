//! `wasi:clocks`: time that stands still but where it is waited for.

use super::poll::Pollable;
use super::{Caller, Interface, state};
use wasmtime::component::{ComponentType, Lower, Resource};

/// What the wall clock always shows: the beginning of the year 2000, UTC. Later than anything that
/// programs take for a clock that was never set.
const WALL: Datetime = Datetime {
    seconds: 946_684_800,
    nanoseconds: 0,
};

/// How fine the clocks are: the finest that there is, a nanosecond.
const RESOLUTION: Datetime = Datetime {
    seconds: 0,
    nanoseconds: 1,
};

/// `wasi:clocks/wall-clock.datetime`
#[derive(Clone, Copy, ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

pub(super) fn wall(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.func_wrap("now", |_: Caller<'_>, ()| Ok((WALL,)))?;
    linked.func_wrap("resolution", |_: Caller<'_>, ()| Ok((RESOLUTION,)))
}

pub(super) fn monotonic(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.func_wrap("now", |mut caller: Caller<'_>, ()| {
        Ok((state(&mut caller)?.now,))
    })?;
    linked.func_wrap("resolution", |_: Caller<'_>, ()| {
        Ok((u64::from(RESOLUTION.nanoseconds),))
    })?;
    linked.func_wrap(
        "subscribe-instant",
        |mut caller: Caller<'_>, (when,): (u64,)| {
            let pollable = state(&mut caller)?.subscribe(when)?;
            Ok((Resource::<Pollable>::new_own(pollable),))
        },
    )?;
    linked.func_wrap(
        "subscribe-duration",
        |mut caller: Caller<'_>, (duration,): (u64,)| {
            let state = state(&mut caller)?;
            let pollable = state.subscribe(state.now.saturating_add(duration))?;
            Ok((Resource::<Pollable>::new_own(pollable),))
        },
    )
}
