//! From a call to its reply: plan, check, run, shape.
//!
//! `service.rs` brings connectors into service, `found.rs` is a command that was found, and `perform.rs`
//! runs its calls, which `counted.rs` counts. `readings.rs` tells what goes on.

mod counted;
mod found;
mod perform;
mod readings;
mod service;

pub use found::FoundCommand;

use crate::call::{Call, Parameters};
use crate::check::{CheckedPlan, Source};
use crate::clock::Clock;
use crate::connector::{Compiler, Connector, Digest, Sandbox};
use crate::databases::Databases;
use crate::exec::{Database, Target};
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::network::Network;
use crate::plan::{Plan, StatementOutcome};
use crate::plan_cache::{PlanCache, PlanCacheStats, PlanKey};
use crate::planning::Planning;
use crate::policy::Policy;
use crate::priority;
use crate::recording::Recorder;
use crate::verdict::Verdict;
use crate::versions::Versions;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The `postgres_v2` connector, built from this workspace.
const POSTGRES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/postgres_v2.wasm"));

/// Connectors and the databases that their plans run in. Share it behind an `Arc`.
pub struct Runtime {
    sandbox: Sandbox,
    versions: Versions,
    clock: Arc<Clock>,
    database: Arc<Database>,
    databases: ArcSwap<Databases>,
    plans: PlanCache,
    planning: Planning,
    recorder: Option<Arc<Recorder>>,
    embedded: Digest,
    metrics: Arc<Metrics>,
    limits: Limits,
}

impl Runtime {
    /// A runtime without connectors.
    ///
    /// # Errors
    /// When the machine cannot provide a sandbox.
    pub fn empty(limits: Limits) -> Result<Runtime, Fault> {
        Runtime::compiling_by(Compiler::InProcess, limits)
    }

    /// A runtime without connectors, where `compiler` compiles components.
    ///
    /// # Errors
    /// As for [`Runtime::empty`].
    pub fn compiling_by(compiler: Compiler, limits: Limits) -> Result<Runtime, Fault> {
        let clock = Arc::new(Clock::start().map_err(Fault::internal)?);
        let metrics = Arc::new(Metrics::new(&limits)?);
        Ok(Runtime {
            sandbox: Sandbox::new(&limits, compiler)?,
            versions: Versions::new(limits.kept_versions),
            database: Arc::new(Database::new(clock.clone(), limits, metrics.clone())),
            clock,
            databases: ArcSwap::default(),
            plans: PlanCache::new(&limits),
            planning: Planning::new(limits.instances),
            recorder: None,
            embedded: Digest::of(POSTGRES),
            metrics,
            limits,
        })
    }

    /// Has `recorder` keep the calls that are planned from here on, as connectors see them.
    pub fn record_to(&mut self, recorder: Recorder) {
        self.recorder = Some(Arc::new(recorder));
    }

    /// A runtime with the embedded `postgres_v2` connector. Compiles it, which takes a CPU-bound
    /// fraction of a second.
    ///
    /// # Errors
    /// As for [`Runtime::empty`].
    pub fn new(limits: Limits) -> Result<Runtime, Fault> {
        let runtime = Runtime::empty(limits)?;
        runtime.load_embedded(Policy::default())?;
        Ok(runtime)
    }

    /// Loads the embedded `postgres_v2` connector and holds it to `policy`.
    ///
    /// # Errors
    /// Where the policy is too strict for it.
    pub fn load_embedded(&self, policy: impl Into<Arc<Policy>>) -> Result<Arc<Connector>, Fault> {
        self.load(POSTGRES, policy)
    }

    /// Loads a component, holds it to `policy` and puts it in the place of a connector of the same
    /// name. Calls under way finish on the old one.
    ///
    /// # Errors
    /// When the component is refused, with the reason; nothing changes then.
    pub fn load(
        &self,
        component: &[u8],
        policy: impl Into<Arc<Policy>>,
    ) -> Result<Arc<Connector>, Fault> {
        let policy = policy.into();
        let connector = Arc::new(priority::aside(|| self.compile(component, policy))?);
        self.install(connector.clone());
        Ok(connector)
    }

    /// Compiles and checks a component without putting it into service.
    ///
    /// # Errors
    /// When the component is refused, with the reason.
    pub fn compile(
        &self,
        component: &[u8],
        policy: impl Into<Arc<Policy>>,
    ) -> Result<Connector, Fault> {
        Connector::load(&self.sandbox, component, policy.into(), |_| Ok(()))
    }

    /// Puts a connector in the place of one of the same name. Calls under way finish on the old one.
    pub fn install(&self, connector: Arc<Connector>) {
        self.go_live(connector);
    }

    /// Which versions are live, which were, and what was refused.
    #[must_use]
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// The connectors that are live, by name.
    #[must_use]
    pub fn connectors(&self) -> Vec<Arc<Connector>> {
        self.versions.live().values().cloned().collect()
    }

    /// Puts these databases in the place of those that had names before. Calls under way finish on
    /// the old ones.
    pub fn set_databases(&self, databases: Databases) {
        self.database.set_poolers(databases.poolers().clone());
        self.databases.store(Arc::new(databases));
    }

    /// The databases that have names.
    #[must_use]
    pub fn databases(&self) -> Arc<Databases> {
        self.databases.load_full()
    }

    /// Holds connections to `network` from here on: none that was made under another policy is used
    /// again. Calls under way finish on theirs.
    pub fn set_network(&self, network: Network) {
        self.database.set_network(network);
    }

    /// What its deadlines go by.
    #[must_use]
    pub fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// The limits that it was made with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Finds a command, before the parameters of a call are read.
    ///
    /// # Errors
    /// `command_not_found`.
    pub fn command(&self, connector: &str, command: &str) -> Result<FoundCommand, Fault> {
        let live = self.versions.live();
        let found = live
            .get(connector)
            .and_then(|connector| Some((connector.clone(), connector.position(command)?)));
        match found {
            Some((connector, command)) => Ok(FoundCommand {
                connector,
                command,
                deadline: None,
                observation: None,
            }),
            None => Err(self.unknown_command()),
        }
    }

    fn unknown_command(&self) -> Fault {
        self.metrics.unknown_command();
        Fault::new(
            Kind::UnknownCommand,
            "command_not_found",
            "It either does not exist or does not inherit from spiffworkflow_connector_command.\n\
                 See /v1/commands for the commands that there are.",
        )
    }

    /// Plans a call without touching a database, afresh.
    ///
    /// # Errors
    /// Where the parameters do not fit, or the connector gives no plan that may run.
    pub async fn plan(
        &self,
        found: &FoundCommand,
        parameters: Parameters<'_>,
    ) -> Result<Plan, Fault> {
        let call = found.call(parameters)?;
        let plan = found.plan(&self.planning, &call, None).await?;
        self.check(found, plan.clone())?;
        Ok(plan)
    }

    /// Plans a call without touching a database, afresh, and tells what the policy says to the plan.
    ///
    /// # Errors
    /// Where the parameters do not fit, or the connector gives no plan.
    pub async fn preview(
        &self,
        found: &FoundCommand,
        parameters: Parameters<'_>,
    ) -> Result<(Plan, Verdict), Fault> {
        let call = found.call(parameters)?;
        let plan = found.plan(&self.planning, &call, None).await?;
        self.judge(found, &call, plan)
    }

    /// As [`Runtime::preview`], for what a call goes on with where its last plan asked to be resumed with
    /// `state`, and its statements had these outcomes.
    ///
    /// # Errors
    /// As for [`Runtime::preview`].
    pub async fn preview_resumed(
        &self,
        found: &FoundCommand,
        parameters: Parameters<'_>,
        state: Vec<u8>,
        outcomes: Vec<StatementOutcome>,
    ) -> Result<(Plan, Verdict), Fault> {
        let call = found.call(parameters)?;
        let plan = found.resume(&self.planning, &call, state, outcomes).await?;
        self.judge(found, &call, plan)
    }

    /// A plan, with what the policy says to it.
    fn judge(
        &self,
        found: &FoundCommand,
        call: &Call,
        plan: Plan,
    ) -> Result<(Plan, Verdict), Fault> {
        match self.check(found, plan.clone()) {
            Err(fault) if fault.kind != Kind::Denied => Err(fault),
            checked => Ok((plan, Verdict::of(&checked, &call.input, &self.limits))),
        }
    }

    /// Waits until no connection to a database is being reset, cancelled or closed. Call it before the
    /// process ends, so that nothing goes on in a database that nobody waits for.
    pub async fn settle(&self) {
        self.database.settle().await;
    }

    /// What the cache of plans did so far and holds.
    #[must_use]
    pub fn plan_cache(&self) -> PlanCacheStats {
        self.plans.stats()
    }

    /// Instances that plan at this moment, counted in core modules. None waits for a database: each ends
    /// with its plan.
    #[must_use]
    pub fn instances(&self) -> u64 {
        self.sandbox.instances()
    }

    /// Planning calls that run or wait for room, see the limit `instances`.
    #[must_use]
    pub fn planning_calls(&self) -> usize {
        self.planning.under_way()
    }

    /// The checked plan of a call, as it was made before where that may be used again.
    ///
    /// # Errors
    /// As for [`Runtime::plan`].
    pub async fn cached_plan(
        &self,
        found: &FoundCommand,
        call: &Arc<Call>,
    ) -> Result<Arc<CheckedPlan>, Fault> {
        let key = PlanKey {
            digest: found.connector.digest(),
            policy: found.connector.policy(),
            command: found.command(),
            sealed: call.sealed(),
        };
        let usage = found.connector.usage();
        usage.want_plan();
        let made = AtomicBool::new(false);
        let make = async {
            usage.make_plan();
            made.store(true, Ordering::Relaxed);
            let plan = found.plan(&self.planning, call, self.recorder.clone());
            self.check(found, plan.await?)
        };
        let plan = match found.connector.is_pure() {
            true => self.plans.get_or_make(key, make).await,
            false => make.await,
        };
        if let Some(metrics) = found.metrics() {
            match made.into_inner() {
                true => metrics.miss(),
                false => metrics.hit(),
            }
        }
        plan
    }

    /// Whether the word of the connector on `raw` counts: that of the embedded one.
    fn trusts(&self, connector: &Connector) -> bool {
        connector.digest() == self.embedded
    }

    fn check(&self, found: &FoundCommand, plan: Plan) -> Result<Arc<CheckedPlan>, Fault> {
        let trusted = self.trusts(&found.connector);
        let spec = found.spec()?;
        let source = Source {
            connector: found.connector.name(),
            command: &spec.command,
            trusted,
        };
        CheckedPlan::check(plan, &source, found.connector.policy()).map(Arc::new)
    }

    /// Where the call runs.
    fn target(&self, found: &FoundCommand, call: &Call) -> Result<Arc<Target>, Fault> {
        let connector = &found.connector;
        let databases = self.databases.load();
        databases
            .resolve(call, connector.name(), connector.policy())
            .map(Arc::new)
    }
}
