//! A throw-away PostgreSQL, for demonstrations and tests.

mod cluster;
mod find;

pub use cluster::{Cluster, StartError};
pub use find::{NotFound, bin_dir};
