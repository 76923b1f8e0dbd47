//! The connector-proxy protocol over HTTP.
//!
//! HTTP statuses exist only in here. `admin.rs` is the admin surface, on a listener of its own. `envelope.rs` maps faults to them; `routes.rs` is the protocol;
//! `access.rs` decides who may call and `cors.rs` which browsers; `serve.rs` listens and drains.

mod access;
mod admin;
mod commands;
mod cors;
mod envelope;
mod perform;
mod routes;
mod serve;

pub use routes::{App, HttpService};
pub use serve::{serve, serve_admin};
