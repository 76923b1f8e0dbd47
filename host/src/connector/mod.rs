//! Sandboxed components: loading, describing, planning.
//!
//! `wasmtime` types stay in here. A component gets no import but the contract's types; every call
//! runs in a fresh instance with its own fuel, deadline and memory bound, and the instance is always
//! dropped.

mod bindings;
mod component;
mod convert;
mod digest;
mod engine;
mod store;

pub use component::Connector;
pub use digest::Digest;
pub use engine::Sandbox;
