//! The connector `postgres_admin`, end to end: what it tells is held against what is there.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod postgres_admin {
    mod activity;
    mod describe;
    mod explain;
    mod golden;
    mod hostile;
    mod lists;
    mod parameters;
    mod sizes;
    mod world;
}
