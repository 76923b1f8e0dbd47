//! `wasi:cli` and `wasi:filesystem/preopens`: a program without arguments, variables, directories and
//! terminals.

use super::streams::{InputStream, OutputStream};
use super::{Caller, Interface, Stop};
use wasmtime::component::{Resource, ResourceType, Val};

/// A terminal: there is never one.
struct Absent;

pub(super) fn environment(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.func_wrap("get-environment", |_: Caller<'_>, ()| {
        Ok((Vec::<(String, String)>::new(),))
    })?;
    linked.func_wrap("get-arguments", |_: Caller<'_>, ()| {
        Ok((Vec::<String>::new(),))
    })?;
    linked.func_wrap("initial-cwd", |_: Caller<'_>, ()| Ok((None::<String>,)))
}

/// Exiting is no way to answer.
pub(super) fn exit(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.func_wrap(
        "exit",
        |_: Caller<'_>, (status,): (Result<(), ()>,)| -> wasmtime::Result<()> {
            Err(Stop::Exited(status.is_err().into()).into())
        },
    )?;
    linked.func_wrap(
        "exit-with-code",
        |_: Caller<'_>, (code,): (u8,)| -> wasmtime::Result<()> { Err(Stop::Exited(code).into()) },
    )
}

pub(super) fn stdin(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.func_wrap("get-stdin", |_: Caller<'_>, ()| {
        Ok((Resource::<InputStream>::new_own(0),))
    })
}

/// Standard output and standard error are one and the same.
pub(super) fn output(linked: &mut Interface<'_>, function: &str) -> wasmtime::Result<()> {
    linked.func_wrap(function, |_: Caller<'_>, ()| {
        Ok((Resource::<OutputStream>::new_own(0),))
    })
}

pub(super) fn terminal(linked: &mut Interface<'_>, resource: &str) -> wasmtime::Result<()> {
    linked.resource(resource, ResourceType::host::<Absent>(), |_, _| Ok(()))
}

pub(super) fn no_terminal(linked: &mut Interface<'_>, function: &str) -> wasmtime::Result<()> {
    linked.func_wrap(function, |_: Caller<'_>, ()| {
        Ok((None::<Resource<Absent>>,))
    })
}

/// No directory, and so no file.
pub(super) fn preopens(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.func_new("get-directories", |_: Caller<'_>, _, _, results| {
        results.fill(Val::List(Vec::new()));
        Ok(())
    })
}
