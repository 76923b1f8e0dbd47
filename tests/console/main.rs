//! The console: what its paths answer, and how it works in a real browser with a real PostgreSQL.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod api;
mod browser;
mod drain;
mod page;
mod world;
