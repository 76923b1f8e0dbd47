//! TLS to the database: its modes, certificates of both sides, and SCRAM bound to the channel.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod binding;
mod certificates;
mod client;
mod modes;
mod world;
