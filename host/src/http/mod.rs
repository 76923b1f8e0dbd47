//! The connector-proxy protocol over HTTP.
//!
//! HTTP statuses exist only in here. A connection goes through `serve.rs`, which accepts and drains;
//! `tls.rs`, or `refuse.rs` where there are too many; `connection.rs`, which drives it, with what
//! `socket.rs` and `activity.rs` know of it. A request goes through `edge.rs`, which gives it an id and
//! its response the headers of `security.rs`; `access.rs`, which decides who may call, and `cors.rs`,
//! which browsers; `routes.rs`, which is the protocol, and `perform.rs`, which runs a command with the
//! body that `receive.rs` takes, as part of the trace that `trace_parent.rs` finds, and replies by
//! `envelope.rs`.
//! `readiness.rs` tells balancers whether to send any.
//! `openapi` describes all of it to programs.
//! `admin.rs` is the admin surface, on a listener of its own, with `figures.rs`, what it measures,
//! `trial.rs`, which plans and runs what an administrator tries out, and the page of `console.rs`.

mod access;
mod activity;
mod admin;
mod commands;
mod connection;
mod console;
mod cors;
mod edge;
mod envelope;
mod figures;
mod key;
mod openapi;
mod perform;
mod readiness;
mod receive;
mod refuse;
mod request_id;
mod routes;
mod security;
mod serve;
mod socket;
mod tls;
mod trace_parent;
mod trial;
mod turned_away;

pub use admin::admin;
pub use readiness::{Readiness, leaving};
pub use routes::{App, HttpService};
pub use serve::{Drained, Listener, serve};
pub use tls::Certificates;
