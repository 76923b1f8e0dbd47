//! Projects of connectors, as their authors meet them: made, built, tested, served and changed.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod build;
mod dev;
mod golden;
mod languages;
mod new;
mod project;
