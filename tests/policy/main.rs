//! What the operator allows each connector, and what becomes of everything else.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod host;
mod role;
mod runs;
mod statements;
mod world;
