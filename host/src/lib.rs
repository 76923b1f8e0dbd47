//! Airlock runs workflow connectors as sandboxed WebAssembly components.
//!
//! A connector turns one call, a command and its JSON parameters, into a plan: SQL text plus
//! pointers to the values that fill it. This library checks the plan, runs it over its own pooled
//! PostgreSQL connection and shapes the reply. The connector holds no connection, no credential, no
//! socket and no clock, and never sees a value that it only passes through.
//!
//! ```
//! use airlock::{Limits, Parameters, Runtime, postgres::Cluster};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let database = Cluster::start()?;
//! let runtime = Runtime::new(Limits::default())?;
//! let call = serde_json::json!({
//!     "database_connection_str": database.connection_string().expose(),
//!     "schema": {"sql": "SELECT %s + 1 AS n", "values": [41], "fetch_results": true, "rows": "objects"},
//! });
//! let command = runtime.command("postgres_v2", "DoSQL")?;
//! let reply = runtime.run(&command, Parameters::parse(call.to_string().as_bytes())?).await?;
//! assert_eq!(reply.body.collect().await?, br#"[{"n":42}]"#);
//! # Ok(()) }
//! ```
//!
//! # Stages
//! Each stage is a value that the next one consumes; only the last two do I/O:
//!
//! `Parameters → Call (sealed) → Plan → CheckedPlan → Execution → Reply`
//!
//! Checked plans are kept and used again for calls of the same shape, see [`plan_cache`].
//!
//! [`call`] reads and seals parameters, [`connector`] plans in the sandbox, [`check`] decides whether
//! a plan may run under the [`policy`] of its connector, [`databases`] knows where, [`exec`] runs it within the
//! [`network`] policy,
//! [`runtime`] puts them together; [`swap`] brings components into service, [`http`] serves calls. [`metrics`] counts what goes on and
//! [`observation`] times it, for [`figures`], [`traces`] and the log.
//! Dependencies point one way: `http, cli → swap → runtime → connector, exec → plan`.
#![deny(unsafe_code)]

pub mod admin;
pub mod call;
pub mod certificates;
pub mod check;
pub mod clock;
pub mod config;
pub mod connector;
pub mod databases;
pub mod description;
pub mod exec;
pub mod expiry;
pub mod fault;
pub mod figures;
pub mod http;
pub mod input;
pub mod insert;
pub mod limits;
pub mod metrics;
pub mod network;
pub mod observation;
pub mod panics;
pub mod plan;
pub mod plan_cache;
mod planning;
pub mod policy;
pub mod postgres;
mod priority;
mod probe;
pub mod recording;
pub mod replay;
pub mod reply;
pub mod runtime;
pub mod seal;
pub mod secret;
pub mod sqlstate;
pub mod status;
pub mod swap;
pub mod traces;
pub mod transaction;
pub mod usage;
pub mod verdict;
pub mod versions;

pub use call::Parameters;
pub use connector::{CompileCache, Compiler, Connector};
pub use databases::Databases;
pub use exec::ConnectionString;
pub use fault::Fault;
pub use limits::{ConnectorLimits, Limit, Limits, Profile};
pub use network::Network;
pub use policy::{Imports, Policy};
pub use reply::Reply;
pub use runtime::Runtime;
pub use secret::Secret;
pub use transaction::TransactionStatus;

/// The examples of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../docs/src/embed.md")]
struct Embed;
