//! Runs checked plans in PostgreSQL.
//!
//! `tokio_postgres` types stay in here. A [`Database`] keeps a pool of connections for each whole
//! connection string; connections are never shared across different ones. A connection whose state
//! is not known to be clean is closed, never reused. Whoever runs a plan also moves the messages of
//! its connection, see `wire.rs`.

mod array;
mod batch;
mod bind;
mod chunks;
mod clock;
mod connect;
mod connection;
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
mod target;
mod tls;
mod to_json;
mod wire;
mod write;
mod zone;

pub use connection_string::ConnectionString;
pub use execution::{Execution, Progress};
pub use rows::Outcome;
pub use target::Target;

use crate::call::Call;
use crate::check::CheckedPlan;
use crate::fault::Fault;
use crate::limits::Limits;
use chunks::{Chunks, Slot};
use clock::Clock;
use execution::Deadline;
use futures_util::future::{Either, select};
use run::Job;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

/// The databases that calls name by connection string.
#[derive(Debug)]
pub struct Database {
    pools: pool::Pools,
    clock: Arc<Clock>,
    limits: Limits,
}

impl Database {
    /// Keeps no connection yet.
    ///
    /// # Errors
    /// When the system gives no thread for its clock.
    pub fn new(limits: Limits) -> Result<Database, Fault> {
        Ok(Database {
            pools: pool::Pools::new(limits),
            clock: Arc::new(Clock::start().map_err(Fault::internal)?),
            limits,
        })
    }

    /// Begins to run `plan` with the values of `call`, all or nothing, in the database `target`.
    /// Earlier plans of the call affected so many rows as `affected` says. Nothing happens until the
    /// execution is polled.
    #[must_use]
    pub fn execute(
        self: &Arc<Self>,
        plan: Arc<CheckedPlan>,
        call: Arc<Call>,
        target: Arc<Target>,
        affected: u64,
        deadline: Instant,
    ) -> Execution {
        let database = self.clone();
        let slot = Slot::default();
        let mut chunks = Chunks::new(slot.clone());
        let deadline = Deadline {
            at: deadline,
            clock: self.clock.clone(),
            given_ms: self.limits.deadline_ms,
        };
        let expiry = deadline.clone();
        let run = async move {
            let run = pin!(async {
                let lease = database.pools.lease(&target.connection_string).await;
                let mut lease = lease.map_err(|fault| target.failed(fault))?;
                let job = Job::new(&plan, &call.input, &database.limits, affected);
                let (session, wire) = lease.parts()?;
                let outcomes = wire.during(pin!(job.run(session, &mut chunks))).await;
                lease.finish(plan.resets_session(), &outcomes);
                outcomes
            });
            match select(run, pin!(expiry.expire())).await {
                Either::Left((outcomes, _)) => outcomes,
                Either::Right((expired, _)) => Err(expired),
            }
        };
        Execution::new(run, slot, deadline)
    }
}
