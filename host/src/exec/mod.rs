//! Runs checked plans in PostgreSQL.
//!
//! `tokio_postgres` types stay in here. A [`Database`] keeps a pool of connections for each whole
//! connection string; connections are never shared across different ones. A connection whose state
//! is not known to be clean is closed, never reused. Whoever runs a plan also moves the messages of
//! its connection, see `wire.rs`.

mod array;
mod batch;
mod bind;
mod breaker;
mod chunks;
mod commit;
mod connect;
mod connection;
mod connection_string;
mod conninfo;
mod copy;
mod deadline;
mod dial;
mod error;
mod examine;
mod execution;
mod failed;
mod frames;
mod gate;
mod host;
mod json_text;
mod keywords;
mod lease;
mod log_in;
mod lookup;
mod many;
mod once;
mod opening;
mod options;
mod pool;
mod pooler;
mod prepare;
mod quoted;
mod relation;
mod render;
mod rows;
mod run;
mod server_run;
mod session;
mod settings;
mod shown;
mod statement;
mod stream;
mod target;
mod tls;
mod to_json;
mod wire;
mod write;
mod xid;
mod zone;

pub use connection_string::ConnectionString;
pub use deadline::Deadline;
pub use examine::{
    Encryption, Examination, Granted, Pooling, ServerFacts, Stage, Step, Wanted, examine,
};
pub use execution::{Execution, Progress};
pub use once::Once;
pub use pooler::{InvalidPooler, Pooler, Poolers};
pub use rows::Outcome;
pub use target::{Login, Target};

use crate::call::Call;
use crate::check::CheckedPlan;
use crate::clock::Clock;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::metrics::{Metrics, PoolReadings};
use crate::network::Network;
use crate::observation::{self, Observation};
use crate::transaction::TransactionStatus;
use chunks::{Chunks, Slot};
use commit::Open;
use execution::{Committing, Ended};
use lease::{Lease, State};
use run::{Job, Ran};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// The databases that calls name by connection string.
#[derive(Debug)]
pub struct Database {
    pools: pool::Pools,
    gate: Arc<gate::Gate>,
    clock: Arc<Clock>,
    limits: Limits,
}

impl Database {
    /// Keeps no connection yet. Deadlines go by `clock`, and what goes on is counted in `metrics`.
    #[must_use]
    pub fn new(clock: Arc<Clock>, limits: Limits, metrics: Arc<Metrics>) -> Database {
        let gate = Arc::new(gate::Gate::new(&limits));
        Database {
            pools: pool::Pools::new(gate.clone(), limits, metrics),
            gate,
            clock,
            limits,
        }
    }

    /// Holds connections to `network` from now on. Where it differs from what held before, those that are
    /// idle are not used again.
    pub fn set_network(&self, network: Network) {
        self.gate.set(network);
    }

    /// Treats the servers at these places as transaction poolers from now on. Calls under way finish on
    /// the connections that they have.
    pub fn set_poolers(&self, poolers: Poolers) {
        self.pools.set_poolers(poolers);
    }

    /// The deadline of a call that begins now and may take so long.
    #[must_use]
    pub fn deadline(&self, given: Duration) -> Deadline {
        Deadline::after(given, self.clock.clone())
    }

    /// Begins to run a plan, all or nothing. Nothing happens until the execution is polled.
    #[must_use]
    pub fn execute(self: &Arc<Self>, work: Work, deadline: &Deadline) -> Execution {
        let slot = Slot::default();
        let committing = Committing::default();
        let run = self.clone().run(
            work,
            Chunks::new(slot.clone()),
            deadline.clone(),
            committing.clone(),
        );
        Execution::new(run, slot, deadline.clone(), committing)
    }

    async fn run(
        self: Arc<Self>,
        work: Work,
        chunks: Chunks,
        deadline: Deadline,
        committing: Committing,
    ) -> Result<Ended, Fault> {
        let ran = self.to_its_end(&work, chunks, &deadline, &committing).await;
        ran.map_err(|fault| match work.plan.is_read_only() {
            true => work.target.failed(fault),
            false => work
                .target
                .failed(fault)
                .with_status(TransactionStatus::Aborted),
        })
    }

    /// Runs the statements and commits what they did.
    async fn to_its_end(
        &self,
        work: &Work,
        chunks: Chunks,
        deadline: &Deadline,
        committing: &Committing,
    ) -> Result<Ended, Fault> {
        let plan = &work.plan;
        let state = match plan.resets_session() {
            true => State::Dirty,
            false => State::Clean,
        };
        let pool = self.pools.pool(&work.target)?;
        let worked = pin!(self.work(work, &pool, chunks, state));
        let (lease, Ran { ended, is_open }) = deadline.keep(worked).await?;
        if is_open {
            committing.begin();
            let open = Open {
                lease,
                state,
                writes: !plan.is_read_only(),
            };
            let lookup = Duration::from_millis(self.limits.lookup_ms);
            let span = work.observation.statement("COMMIT");
            let committed = open.commit(&pool, deadline, lookup).await;
            observation::ended(span, committed.as_ref().map(|()| None));
            committed?;
        } else {
            lease.finish(state);
        }
        if plan.defines() {
            pool.note_definitions();
        }
        Ok(ended)
    }

    /// Runs the statements. What fails gives the connection back.
    async fn work(
        &self,
        work: &Work,
        pool: &Arc<pool::Pool>,
        mut chunks: Chunks,
        state: State,
    ) -> Result<(Lease, Ran), Fault> {
        let observation = &work.observation;
        observation.enter(observation::Stage::PoolWait);
        if let (Some(trace), Some(name)) = (observation.trace(), &work.target.name) {
            trace.runs_in(name);
        }
        let leased = pool.lease().await;
        pool.metrics()
            .waited(observation.enter(observation::Stage::Sql));
        let mut lease = leased?;
        let job = Job::new(work, &self.limits);
        let (session, wire) = lease.parts()?;
        let ran = wire.during(pin!(job.run(session, &mut chunks))).await;
        match ran {
            Ok(ran) => Ok((lease, ran)),
            Err(fault) => {
                let fault = lease.message_fault().unwrap_or(fault);
                lease.finish(state);
                Err(fault)
            }
        }
    }

    /// What the pools hold now.
    #[must_use]
    pub fn read(&self) -> PoolReadings {
        self.pools.read()
    }

    /// Waits until no connection is being reset or closed.
    pub async fn settle(&self) {
        self.pools.settle().await;
    }
}

/// A plan and what it is run with.
#[derive(Debug)]
pub struct Work {
    /// The plan.
    pub plan: Arc<CheckedPlan>,
    /// The call, whose values the plan points to.
    pub call: Arc<Call>,
    /// Where it runs.
    pub target: Arc<Target>,
    /// Rows that earlier plans of the call affected.
    pub affected: u64,
    /// How it is run only once; none where a repeated call is run again.
    pub once: Option<Once>,
    /// Where its stages are noted.
    pub observation: Arc<Observation>,
}
