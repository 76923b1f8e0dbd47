//! Things break on purpose: the connection, the server, what others do to the data. Each test states
//! what the caller is told and what is stored then, and that nothing is left behind.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod answer;
mod cancels;
mod capacity;
mod commits;
mod definitions;
mod dirt;
mod disk;
mod floods;
mod kills;
mod ledger;
mod locks;
mod phases;
mod read_only;
mod reuse;
mod world;
