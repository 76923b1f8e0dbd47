//! Sandboxed components: loading, describing, planning.
//!
//! `wasmtime` types stay in here. A component is compiled in a process of its own, see [`compile`], or
//! taken from where it was compiled before, see [`CompileCache`]. It gets no import but the contract's
//! types, and where its policy grants it a closed WASI, see `wasi`; every call runs in a fresh instance
//! with its own fuel,
//! deadline and memory bound, and the instance is always dropped.

mod bindings;
pub mod compile;
mod compile_cache;
mod component;
mod convert;
mod digest;
mod engine;
mod patience;
mod store;
mod wasi;

/// Name of the connector that this program contains.
pub const EMBEDDED: &str = "postgres_v2";

pub use compile::Compiler;
pub use compile_cache::{CompileCache, CompileCacheError, CompileCacheKey, CompileCacheStats};
pub use component::{Connector, Import};
pub use digest::Digest;
pub use engine::{Sandbox, scans_pages};
pub(crate) use patience::Patience;
