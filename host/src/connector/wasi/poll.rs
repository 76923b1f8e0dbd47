//! `wasi:io/poll`: waiting, which takes no time.

use super::{Caller, Interface, Stop, state};
use wasmtime::component::{Resource, ResourceType};

/// `wasi:io/poll.pollable`: a moment in virtual time.
pub(super) struct Pollable;

pub(super) fn poll(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    let pollable = ResourceType::host::<Pollable>();
    linked.resource("pollable", pollable, |mut caller, pollable| {
        state(&mut caller)?.unsubscribe(pollable);
        Ok(())
    })?;
    linked.func_wrap(
        "[method]pollable.ready",
        |mut caller: Caller<'_>, (pollable,): (Resource<Pollable>,)| {
            let state = state(&mut caller)?;
            Ok((state.moment(pollable.rep())? <= state.now,))
        },
    )?;
    linked.func_wrap(
        "[method]pollable.block",
        |mut caller: Caller<'_>, (pollable,): (Resource<Pollable>,)| {
            let state = state(&mut caller)?;
            let moment = state.moment(pollable.rep())?;
            state.wait_until(moment);
            Ok(())
        },
    )?;
    linked.func_wrap(
        "poll",
        |mut caller: Caller<'_>, (pollables,): (Vec<Resource<Pollable>>,)| {
            let state = state(&mut caller)?;
            let moments = pollables
                .iter()
                .map(|pollable| state.moment(pollable.rep()));
            let moments = moments.collect::<Result<Vec<_>, _>>()?;
            state.wait_until(*moments.iter().min().ok_or(Stop::PolledNothing)?);
            let ready = (0_u32..)
                .zip(moments)
                .filter(|(_, moment)| *moment <= state.now);
            Ok((ready.map(|(index, _)| index).collect::<Vec<_>>(),))
        },
    )
}
