//! WASI 0.2 for connectors that are granted it: closed, bounded, the same for each call.
//!
//! What programs need to start and to compute is there, over a [`State`] that is nothing but a few
//! numbers and a text: clocks that only move when they are waited for, random numbers that begin anew with
//! each call, empty standard input, and output that is captured. Everything else that a component may
//! import is linked so that it loads, and stops the connector when it is called.
//!
//! Nothing in here opens a file or a socket, reads a clock, sleeps or blocks.

mod cli;
mod clocks;
mod link;
mod output;
mod poll;
mod random;
mod sockets;
mod state;
mod stop;
mod streams;

pub(super) use link::{is_wasi, link};
pub(super) use output::log;
pub(super) use state::State;
pub(super) use stop::Stop;

use super::store::Meter;
use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

/// One imported interface while it is linked.
type Interface<'a> = LinkerInstance<'a, Meter>;

/// A call from an instance.
type Caller<'a> = StoreContextMut<'a, Meter>;

/// The state of the instance that calls.
fn state<'a>(caller: &'a mut Caller<'_>) -> wasmtime::Result<&'a mut State> {
    let state = caller.data_mut().wasi.as_deref_mut();
    Ok(state.ok_or(Stop::NotGranted)?)
}
