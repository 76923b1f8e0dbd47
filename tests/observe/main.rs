//! What operators see: metrics, figures, traces, lines of the log, and sessions of the database.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod collector;
mod dashboard;
mod exposition;
mod labels;
mod metrics;
mod sessions;
mod traces;
mod world;
