//! What connection strings can reach: hostile ones, the network policy, and servers that answer badly.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod answers;
mod hostile;
mod policy;
mod table;
mod traced;
mod world;
