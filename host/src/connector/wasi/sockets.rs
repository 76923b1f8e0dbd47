//! `wasi:sockets`: a network that lets nobody in.

use super::{Caller, Interface};
use wasmtime::component::{Resource, ResourceType, Val};

/// `wasi:sockets/network.network`: one can be had, and serves for nothing.
struct Network;

pub(super) fn network_type(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.resource("network", ResourceType::host::<Network>(), |_, _| Ok(()))
}

pub(super) fn network(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.func_wrap("instance-network", |_: Caller<'_>, ()| {
        Ok((Resource::<Network>::new_own(0),))
    })
}

/// Links a function that would open a socket or look up a name. Programs get to know that they may not,
/// so that those which can do without go on.
pub(super) fn denied(linked: &mut Interface<'_>, function: &str) -> wasmtime::Result<()> {
    linked.func_new(function, |mut caller: Caller<'_>, _, arguments, results| {
        for argument in arguments {
            if let Val::Resource(lent) = argument {
                lent.resource_drop(&mut caller)?;
            }
        }
        let denied = Val::Enum("access-denied".into());
        results.fill(Val::Result(Err(Some(Box::new(denied)))));
        Ok(())
    })
}
