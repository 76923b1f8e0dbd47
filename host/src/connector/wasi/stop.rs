//! Why WASI stopped a connector.

use super::random::MAX_BYTES;
use std::sync::Arc;
use thiserror::Error;

/// What a connector did that ends it.
#[derive(Debug, Error)]
pub(in crate::connector) enum Stop {
    /// It reached the limit of this name.
    #[error("it reached the limit {0}")]
    Limit(&'static str),
    /// It called a function that is there in name only.
    #[error("it called {interface}#{function}, which is closed")]
    Closed {
        /// Name of the interface as it is imported.
        interface: Arc<str>,
        /// Name of the function.
        function: Arc<str>,
    },
    /// It ended the program that it is.
    #[error("it exited with the code {0} instead of answering")]
    Exited(u8),
    /// It asked for more random bytes than one call gives.
    #[error("it asked for {0} random bytes at once; {MAX_BYTES} are the most")]
    TooRandom(u64),
    /// It waited for nothing, which never comes.
    #[error("it polled an empty list")]
    PolledNothing,
    /// It has a handle to something that there is not: a defect of the host.
    #[error("it used a handle that leads to nothing")]
    NoSuchHandle,
    /// It has no state to work on: a defect of the host.
    #[error("it called WASI, which is not granted")]
    NotGranted,
}
