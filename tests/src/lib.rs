//! What the end-to-end tests share: a real PostgreSQL with a fresh database for each test, a running
//! `airlock serve`, small connectors, and those that mean harm.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod attacks;
mod database;
pub mod fuzz;
pub mod hostile;
mod made_once;
mod memory;
mod node;
pub mod pgbouncer;
pub mod proxy;
mod python;
pub mod secrets;
mod server;
pub mod types;
pub mod world;

pub use database::{Database, cluster};
pub use memory::resident_bytes;
pub use node::Node;
pub use python::Python;
pub use server::Server;

/// The `postgres_admin` connector.
pub const POSTGRES_ADMIN: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/airlock-postgres-admin.wasm"));

/// A connector that answers everything it was given.
pub const RECORDER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest-recorder.wasm"));

/// A connector that answers what it finds of the world. It imports all of WASI 0.2 that programs do.
pub const WASI_PROBE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest-wasi-probe.wasm"));
