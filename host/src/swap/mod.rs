//! Brings component files into service, and keeps doing so while calls run.
//!
//! A [`Deployment`] knows which file each connector comes from. It reads a file whole, has the runtime
//! compile, check and try it out, and only then does it go live; what is refused never displaces what
//! is live. [`watch`] notices that files or the configuration changed. Nothing here knows what is in a
//! component; see [`crate::versions`] for what is live.

mod compare;
mod deployment;
mod file;
mod seen;
mod watch;

pub use compare::{Comparison, Source};
pub use deployment::{Deployment, Why};
pub use watch::{ConfigFile, watch};
