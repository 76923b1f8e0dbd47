//! Runs checked plans in PostgreSQL.
//!
//! `tokio_postgres` types stay in here. A [`Database`] keeps a pool of connections for each whole
//! connection string; connections are never shared across different ones. A connection whose state
//! is not known to be clean is closed, never reused.

mod array;
mod bind;
mod connect;
mod connection_string;
mod conninfo;
mod datetime;
mod error;
mod failed;
mod host;
mod numeric;
mod pool;
mod prepare;
mod quoted;
mod render;
mod rows;
mod run;
mod session;
mod statement;
mod tls;

pub use connection_string::ConnectionString;
pub use rows::Outcome;

use crate::check::CheckedPlan;
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use serde_json::Value;
use std::time::{Duration, Instant};

/// The databases that calls name by connection string.
#[derive(Debug)]
pub struct Database {
    pools: pool::Pools,
    limits: Limits,
}

impl Database {
    /// Keeps no connection yet.
    #[must_use]
    pub fn new(limits: Limits) -> Database {
        Database {
            pools: pool::Pools::new(limits),
            limits,
        }
    }

    /// Runs `plan` with the values of `input`, all or nothing, and returns one outcome for each
    /// statement.
    ///
    /// Dropping the future cancels what runs in the database and closes the connection.
    ///
    /// # Errors
    /// Where there is no connection, the database refuses, or the deadline passes. Nothing is stored
    /// then, except where the fault says that the outcome is unknown.
    pub async fn run(
        &self,
        target: &ConnectionString,
        plan: &CheckedPlan,
        input: &Value,
        deadline: Instant,
    ) -> Result<Vec<Outcome>, Fault> {
        let run = async {
            let mut lease = self.pools.lease(target).await?;
            let outcomes = run::run(lease.session()?, plan, input, &self.limits).await;
            lease.finish(plan.resets_session(), &outcomes);
            outcomes
        };
        match tokio::time::timeout_at(deadline.into(), run).await {
            Ok(outcomes) => outcomes,
            Err(_) => Err(expired(Duration::from_millis(self.limits.deadline_ms))),
        }
    }
}

fn expired(deadline: Duration) -> Fault {
    Fault::new(
        Kind::Deadline,
        "QueryCanceled",
        format!("the call took longer than its deadline of {deadline:?} and was cancelled"),
    )
}
