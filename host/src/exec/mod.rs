//! Runs checked plans in PostgreSQL.
//!
//! `tokio_postgres` types stay in here. A [`Database`] keeps a pool of connections for each whole
//! connection string; connections are never shared across different ones. A connection whose state
//! is not known to be clean is closed, never reused.

mod array;
mod batch;
mod bind;
mod chunks;
mod connect;
mod connection_string;
mod conninfo;
mod copy;
mod error;
mod execution;
mod failed;
mod host;
mod json_text;
mod many;
mod opening;
mod pool;
mod prepare;
mod quoted;
mod relation;
mod render;
mod rows;
mod run;
mod session;
mod settings;
mod statement;
mod tls;
mod to_json;
mod write;
mod zone;

pub use connection_string::ConnectionString;
pub use execution::{Execution, Progress};
pub use rows::Outcome;

use crate::call::Call;
use crate::check::CheckedPlan;
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::secret::Secret;
use chunks::{Chunks, Slot};
use run::Job;
use std::sync::Arc;
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

    /// Begins to run `plan` with the values of `call`, all or nothing, over the connection string
    /// `target`. Nothing happens until the execution is polled.
    #[must_use]
    pub fn execute(
        self: &Arc<Self>,
        target: Secret,
        plan: Arc<CheckedPlan>,
        call: Arc<Call>,
        deadline: Instant,
    ) -> Execution {
        let database = self.clone();
        let slot = Slot::default();
        let mut chunks = Chunks::new(slot.clone());
        let run = async move {
            let run = async {
                let mut lease = database.pools.lease(&target).await?;
                let job = Job::new(&plan, &call.input, &database.limits);
                let outcomes = job.run(lease.session()?, &mut chunks).await;
                lease.finish(plan.resets_session(), &outcomes);
                outcomes
            };
            match tokio::time::timeout_at(deadline.into(), run).await {
                Ok(outcomes) => outcomes,
                Err(_) => Err(expired(Duration::from_millis(database.limits.deadline_ms))),
            }
        };
        Execution::new(run, slot)
    }
}

fn expired(deadline: Duration) -> Fault {
    Fault::new(
        Kind::Deadline,
        "QueryCanceled",
        format!("the call took longer than its deadline of {deadline:?} and was cancelled"),
    )
}
