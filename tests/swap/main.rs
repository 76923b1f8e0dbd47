//! Connectors are swapped while calls run: what is fit goes live, what is not changes nothing.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod admin;
mod candidates;
mod files;
mod load;
mod replay;
mod world;
