//! The connector-proxy protocol over HTTP.
//!
//! HTTP statuses exist only in here. `envelope.rs` maps faults to them; `routes.rs` is the protocol;
//! `access.rs` decides who may call and `cors.rs` which browsers; `serve.rs` listens and drains.

mod access;
mod commands;
mod cors;
mod envelope;
mod perform;
mod routes;
mod serve;

pub use routes::{App, HttpService};
pub use serve::serve;
