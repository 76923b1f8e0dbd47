//! Generated from `wit/`; `convert.rs` turns these into the host's own types.
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "connector",
});
