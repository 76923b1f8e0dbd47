//! `wasi:io/streams` and `wasi:io/error`: input that is at its end, and output that is captured.

use super::poll::Pollable;
use super::{Caller, Interface, output, state};
use wasmtime::component::{ComponentType, Lower, Resource, ResourceType, WasmList};

/// `wasi:io/streams.input-stream`: nothing comes from it.
pub(super) struct InputStream;

/// `wasi:io/streams.output-stream`: what is written to it is captured.
pub(super) struct OutputStream;

/// `wasi:io/error.error`: there is never one.
pub(super) struct IoError;

/// `wasi:io/streams.stream-error`
#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[allow(dead_code, reason = "no operation fails, but the type has this case")]
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

pub(super) fn error(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.resource("error", ResourceType::host::<IoError>(), |_, _| Ok(()))
}

pub(super) fn streams(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    let (input, output) = (
        ResourceType::host::<InputStream>(),
        ResourceType::host::<OutputStream>(),
    );
    linked.resource("input-stream", input, |_, _| Ok(()))?;
    linked.resource("output-stream", output, |_, _| Ok(()))?;
    for stream in ["input-stream", "output-stream"] {
        subscribe(linked, stream)?;
    }
    reading(linked)?;
    writing(linked)?;
    splicing(linked)
}

/// Streams are always ready.
fn subscribe(linked: &mut Interface<'_>, stream: &str) -> wasmtime::Result<()> {
    let ready = |mut caller: Caller<'_>| {
        let pollable = state(&mut caller)?.subscribe(0)?;
        Ok((Resource::<Pollable>::new_own(pollable),))
    };
    let name = format!("[method]{stream}.subscribe");
    match stream {
        "input-stream" => linked.func_wrap(
            &name,
            move |caller: Caller<'_>, (_,): (Resource<InputStream>,)| ready(caller),
        ),
        _ => linked.func_wrap(
            &name,
            move |caller: Caller<'_>, (_,): (Resource<OutputStream>,)| ready(caller),
        ),
    }
}

fn reading(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    for name in ["read", "blocking-read"] {
        let name = format!("[method]input-stream.{name}");
        linked.func_wrap(
            &name,
            |_: Caller<'_>, (_, _): (Resource<InputStream>, u64)| {
                Ok((Err::<Vec<u8>, _>(StreamError::Closed),))
            },
        )?;
    }
    for name in ["skip", "blocking-skip"] {
        let name = format!("[method]input-stream.{name}");
        linked.func_wrap(
            &name,
            |_: Caller<'_>, (_, _): (Resource<InputStream>, u64)| {
                Ok((Err::<u64, _>(StreamError::Closed),))
            },
        )?;
    }
    Ok(())
}

fn writing(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.func_wrap(
        "[method]output-stream.check-write",
        |_: Caller<'_>, (_,): (Resource<OutputStream>,)| {
            Ok((Ok::<_, StreamError>(output::PERMIT_BYTES),))
        },
    )?;
    for name in ["write", "blocking-write-and-flush"] {
        let name = format!("[method]output-stream.{name}");
        linked.func_wrap(
            &name,
            |caller: Caller<'_>, (_, bytes): (Resource<OutputStream>, WasmList<u8>)| {
                output::write(caller, &bytes)?;
                Ok((Ok::<_, StreamError>(()),))
            },
        )?;
    }
    for name in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        let name = format!("[method]output-stream.{name}");
        linked.func_wrap(
            &name,
            |caller: Caller<'_>, (_, count): (Resource<OutputStream>, u64)| {
                output::write_zeroes(caller, count)?;
                Ok((Ok::<_, StreamError>(()),))
            },
        )?;
    }
    for name in ["flush", "blocking-flush"] {
        let name = format!("[method]output-stream.{name}");
        linked.func_wrap(&name, |_: Caller<'_>, (_,): (Resource<OutputStream>,)| {
            Ok((Ok::<_, StreamError>(()),))
        })?;
    }
    Ok(())
}

/// There is no input that could go out again.
fn splicing(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    type Splice = (Resource<OutputStream>, Resource<InputStream>, u64);
    for name in ["splice", "blocking-splice"] {
        let name = format!("[method]output-stream.{name}");
        linked.func_wrap(&name, |_: Caller<'_>, (_, _, _): Splice| {
            Ok((Err::<u64, _>(StreamError::Closed),))
        })?;
    }
    Ok(())
}
