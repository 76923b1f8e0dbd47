//! From a call to its reply: plan, check, run, shape.

use crate::call::{Call, CommandSpec, Parameters};
use crate::check::{CheckedPlan, Source};
use crate::connector::{Compiler, Connector, Digest, EMBEDDED, Sandbox};
use crate::databases::Databases;
use crate::exec::{Database, Deadline, Execution, Once, Outcome, Progress, Target, Work};
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::network::Network;
use crate::plan::{Plan, Reply as ReplyShape, StatementOutcome};
use crate::plan_cache::{PlanCache, PlanCacheStats, PlanKey};
use crate::planning::Planning;
use crate::policy::Policy;
use crate::priority;
use crate::probe;
use crate::recording::Recorder;
use crate::replay;
use crate::reply::{Body, Reply};
use crate::transaction::TransactionStatus;
use crate::verdict::Verdict;
use crate::versions::{self, Versions};
use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The `postgres_v2` connector, built from this workspace.
const POSTGRES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/postgres_v2.wasm"));

/// Connectors and the databases that their plans run in. Share it behind an `Arc`.
pub struct Runtime {
    sandbox: Sandbox,
    versions: Versions,
    database: Arc<Database>,
    databases: ArcSwap<Databases>,
    plans: PlanCache,
    planning: Planning,
    recorder: Option<Arc<Recorder>>,
    embedded: Digest,
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
        Ok(Runtime {
            sandbox: Sandbox::new(&limits, compiler)?,
            versions: Versions::new(limits.kept_versions),
            database: Arc::new(Database::new(limits)?),
            databases: ArcSwap::default(),
            plans: PlanCache::new(&limits),
            planning: Planning::new(limits.instances),
            recorder: None,
            embedded: Digest::of(POSTGRES),
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
        self.versions.go_live(connector);
    }

    /// Brings a component into service as the connector `name`: compiles it, checks it, plans the
    /// example of each command, and only then puts it in the place of the version that is live. A
    /// version that is still warm is put back at once.
    ///
    /// Takes a CPU-bound while; call it off the async threads.
    ///
    /// # Errors
    /// Where the component is refused, with the reason. Nothing changes then but what
    /// [`Runtime::versions`] says of the last one that was refused.
    pub fn swap(
        &self,
        name: &str,
        component: &[u8],
        policy: impl Into<Arc<Policy>>,
    ) -> Result<Arc<Connector>, Fault> {
        let (policy, digest) = (policy.into(), Digest::of(component));
        let admitted = match self.versions.warm(name, digest, &policy) {
            Some(warm) => Ok(warm),
            None => priority::aside(|| self.admit(name, component, policy)),
        };
        match admitted.and_then(|connector| self.replayed(connector)) {
            Ok(connector) => {
                self.versions.go_live(connector.clone());
                Ok(connector)
            }
            Err(fault) => {
                let reason = fault.message.clone();
                self.versions.reject(name, Some(digest), reason);
                Err(fault)
            }
        }
    }

    /// As [`Runtime::swap`], for the embedded connector.
    ///
    /// # Errors
    /// Where the policy is too strict for it.
    pub fn swap_embedded(&self, policy: impl Into<Arc<Policy>>) -> Result<Arc<Connector>, Fault> {
        self.swap(EMBEDDED, POSTGRES, policy)
    }

    fn admit(
        &self,
        name: &str,
        component: &[u8],
        policy: Arc<Policy>,
    ) -> Result<Arc<Connector>, Fault> {
        let try_out = |connector: &Connector| {
            // Or any file could take the place of any connector.
            if connector.name() != name {
                return Err(Fault::connector(format!(
                    "the component calls itself {0}, so the file must be called {0}.wasm, or its table must be [connectors.{0}]",
                    connector.name()
                )));
            }
            probe::probe(connector, self.trusts(connector))
        };
        Connector::load(&self.sandbox, component, policy, try_out).map(Arc::new)
    }

    /// The connector, if it plans recorded calls as the live version does where its policy demands it.
    fn replayed(&self, connector: Arc<Connector>) -> Result<Arc<Connector>, Fault> {
        let live = self.versions.live().get(connector.name()).cloned();
        let other = live.filter(|live| live.digest() != connector.digest());
        if let (Some(live), Some(rule)) = (other, &connector.policy().replay) {
            priority::aside(|| replay::gate(rule, &live, &connector))?;
        }
        Ok(connector)
    }

    /// Holds the live version of a connector to another policy. Calls under way finish under the old one.
    ///
    /// # Errors
    /// `not_found` where no version is live; where it does not keep within that policy. Nothing changes
    /// then but what [`Runtime::versions`] says of the last one that was refused.
    pub fn hold(&self, name: &str, policy: impl Into<Arc<Policy>>) -> Result<(), Fault> {
        let Some(live) = self.versions.live().get(name).cloned() else {
            return Err(versions::not_found(format!("no version of {name} is live")));
        };
        let policy = policy.into();
        let held = priority::aside(|| {
            let held = live.held_to(policy)?;
            probe::probe(&held, self.trusts(&held))?;
            Ok(Arc::new(held))
        });
        match held {
            Ok(held) => self.versions.go_live(held),
            Err(fault) => {
                let reason = fault.message.clone();
                self.versions.reject(name, Some(live.digest()), reason);
                return Err(fault);
            }
        }
        Ok(())
    }

    /// Puts the version of a connector that was live before back into service, held to `policy`. The
    /// one that is live now is withdrawn.
    ///
    /// # Errors
    /// `not_found` where no such version is warm; as for [`Connector::held_to`]. Nothing changes then.
    pub fn roll_back(
        &self,
        name: &str,
        policy: impl Into<Arc<Policy>>,
    ) -> Result<Arc<Connector>, Fault> {
        let policy = policy.into();
        self.versions.roll_back(name, |previous| {
            Ok(match *previous.policy() == policy {
                true => previous.clone(),
                false => Arc::new(previous.held_to(policy)?),
            })
        })
    }

    /// Takes a connector out of service. Calls under way finish; its versions stay warm.
    pub fn retire(&self, name: &str) {
        self.versions.retire(name);
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

    /// Holds connections to `network` from here on: none that was made under another policy is used
    /// again. Calls under way finish on theirs.
    pub fn set_network(&self, network: Network) {
        self.database.set_network(network);
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
            }),
            None => Err(Fault::new(
                Kind::UnknownCommand,
                "command_not_found",
                "It either does not exist or does not inherit from spiffworkflow_connector_command.\n\
                 See /v1/commands for the commands that there are.",
            )),
        }
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
        let (plan, checked) = self.plan_and_check(found, &found.call(parameters)?).await?;
        checked.map(|_| plan)
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
        let (plan, checked) = self.plan_and_check(found, &call).await?;
        match checked {
            Err(fault) if fault.kind != Kind::Denied => Err(fault),
            checked => Ok((plan, Verdict::of(&checked, &call.input, &self.limits))),
        }
    }

    async fn plan_and_check(
        &self,
        found: &FoundCommand,
        call: &Arc<Call>,
    ) -> Result<(Plan, Result<Arc<CheckedPlan>, Fault>), Fault> {
        let plan = found.plan(&self.planning, call, None).await?;
        let checked = self.check(found, plan.clone());
        Ok((plan, checked))
    }

    /// Runs a call and shapes its reply. Where the reply is long, this returns with its beginning, and
    /// the rest goes on while it is taken.
    ///
    /// Dropping the future, or the reply before its end, cancels the call: what was not committed is
    /// rolled back.
    ///
    /// # Errors
    /// Where any stage fails; [`Fault::kind`] tells which. Nothing is stored then, except where the
    /// kind is [`Kind::OutcomeUnknown`].
    pub async fn run(
        &self,
        found: &FoundCommand,
        parameters: Parameters<'_>,
    ) -> Result<Reply, Fault> {
        let usage = found.connector.usage();
        usage.begin();
        let reply = self.perform(found, parameters).await;
        reply.inspect_err(|fault| usage.fail(fault))
    }

    async fn perform(
        &self,
        found: &FoundCommand,
        parameters: Parameters<'_>,
    ) -> Result<Reply, Fault> {
        let deadline = self.deadline(found);
        let call = found.call(parameters)?;
        let mut plan = deadline.keep(self.cached_plan(found, &call)).await?;
        let limits = &found.connector.policy().limits;
        let (mut target, mut changed) = (None, 0_u64);
        // What became of the transactions of earlier rounds.
        let mut status = None;
        for _ in 0..limits.rounds.max(1) {
            let mut outcomes = Vec::new();
            if !plan.statements().is_empty() {
                // All rounds of a call run in the same database.
                let target = match &target {
                    Some(target) => Arc::clone(target),
                    None => target.insert(self.target(found, &call)?).clone(),
                };
                let work = Work {
                    once: found.once(&plan, &call)?,
                    plan: plan.clone(),
                    call: call.clone(),
                    target,
                    affected: changed,
                };
                let mut execution = self.database.execute(work, &deadline);
                let progress = execution.next().await;
                match progress.map_err(|fault| behind_rounds(fault, status))? {
                    Progress::Rows(rows) => {
                        let rest = rest(found.connector.clone(), execution);
                        return Ok(found.reply(Body::streaming(rows, rest), status));
                    }
                    Progress::Repeated(body) => {
                        let status = Some(TransactionStatus::Committed);
                        return Ok(found.reply(Body::whole(body), status));
                    }
                    Progress::Done(done) => outcomes = done,
                }
                if !plan.is_read_only() {
                    status = Some(TransactionStatus::Committed);
                }
                changed += outcomes.iter().map(|done| done.changed).sum::<u64>();
            }
            let body = match (plan.reply(), outcomes.pop()) {
                (ReplyShape::Json(text), _) => text.clone().into_bytes(),
                (ReplyShape::Resume(state), last) => {
                    outcomes.extend(last);
                    let next = found.resume(&self.planning, &call, state.clone(), outcomes);
                    let next = deadline.keep(next).await;
                    let checked = next.and_then(|next| self.check(found, next));
                    plan = checked.map_err(|fault| behind_rounds(fault, status))?;
                    continue;
                }
                (ReplyShape::Rows(_), Some(outcome)) => outcome.rows,
                (ReplyShape::Affected, Some(outcome)) => outcome.affected_text().into_bytes(),
                (ReplyShape::Rows(_) | ReplyShape::Affected, None) => {
                    return Err(Fault::connector("the plan has no statement to reply with"));
                }
            };
            return Ok(found.reply(Body::whole(body), status));
        }
        let message = format!(
            "the connector goes beyond the limit rounds = {}",
            limits.rounds
        );
        Err(behind_rounds(Fault::connector(message), status))
    }

    /// When a call that begins now must have ended.
    fn deadline(&self, found: &FoundCommand) -> Deadline {
        let most = Duration::from_millis(self.limits.deadline_ms);
        let given = found.deadline.map_or(most, |given| given.min(most));
        self.database.deadline(given)
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
        let make = async {
            usage.make_plan();
            let plan = found.plan(&self.planning, call, self.recorder.clone());
            self.check(found, plan.await?)
        };
        match found.connector.is_pure() {
            true => self.plans.get_or_make(key, make).await,
            false => make.await,
        }
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

/// The fault of a call whose earlier rounds ended with `status`: what they changed stays.
fn behind_rounds(mut fault: Fault, status: Option<TransactionStatus>) -> Fault {
    if status.is_some() && fault.status != Some(TransactionStatus::Unknown) {
        fault.status = status;
        fault
            .message
            .push_str("; what the call had changed before is stored");
    }
    fault
}

/// The rows behind those that came first.
fn rest(
    connector: Arc<Connector>,
    execution: Execution,
) -> impl Stream<Item = Result<Bytes, Fault>> + Send + 'static {
    stream::try_unfold(Some((connector, execution)), |going_on| async {
        let Some((connector, mut execution)) = going_on else {
            return Ok(None);
        };
        let progress = execution.next().await;
        let progress = progress.inspect_err(|fault| connector.usage().fail(fault));
        Ok(Some(match progress? {
            Progress::Rows(rows) => (rows, Some((connector, execution))),
            Progress::Repeated(body) => (body.into(), None),
            Progress::Done(outcomes) => {
                let last = outcomes.into_iter().next_back();
                (last.map(|last| last.rows.into()).unwrap_or_default(), None)
            }
        }))
    })
}

/// A command and the version of its connector that the call will finish on.
#[derive(Clone)]
pub struct FoundCommand {
    connector: Arc<Connector>,
    /// Its place among the commands of the connector.
    command: usize,
    /// How long the call may take, where it shall be less than any may.
    deadline: Option<Duration>,
}

impl FoundCommand {
    fn spec(&self) -> Result<&CommandSpec, Fault> {
        let commands = self.connector.commands();
        commands
            .get(self.command)
            .ok_or_else(|| Fault::internal("a command vanished"))
    }

    /// The parameters of a call, checked and sealed.
    ///
    /// # Errors
    /// `TypeError` where they do not fit the command.
    pub fn call(&self, parameters: Parameters<'_>) -> Result<Arc<Call>, Fault> {
        self.spec()?.call(parameters).map(Arc::new)
    }

    /// The same, for a call that may take so long, and no longer than the limit `deadline_ms`.
    #[must_use]
    pub fn within(self, deadline: Duration) -> FoundCommand {
        FoundCommand {
            deadline: Some(deadline),
            ..self
        }
    }

    /// How a plan is run only once, where its policy wants that and the engine says which task it is for.
    fn once(&self, plan: &CheckedPlan, call: &Call) -> Result<Option<Once>, Fault> {
        let (Some(table), Some(task)) = (&plan.policy().idempotency_table, &call.task) else {
            return Ok(None);
        };
        if plan.is_read_only() {
            return Ok(None);
        }
        if matches!(plan.reply(), ReplyShape::Resume(_)) {
            let message = "a plan that changes something and is resumed cannot be run under idempotency_table";
            return Err(Fault::connector(message));
        }
        let command = format!("{}/{}", self.connector.name(), self.command());
        Ok(Some(Once::new(table, task, &command, &call.input)))
    }

    fn reply(&self, body: Body, status: Option<TransactionStatus>) -> Reply {
        Reply {
            body,
            status,
            planned_by: self.connector.planned_by().clone(),
        }
    }

    /// Name and digest of the connector, as `postgres_v2@sha256:…`.
    #[must_use]
    pub fn planned_by(&self) -> &Arc<str> {
        self.connector.planned_by()
    }

    /// Name of the command.
    #[must_use]
    pub fn command(&self) -> &str {
        self.spec().map_or("", |spec| &spec.command.name)
    }

    /// The parameters with `connection` in the place of the command's connection parameter, where it
    /// has one.
    #[must_use]
    pub fn with_connection<'t>(
        &self,
        parameters: Parameters<'t>,
        connection: Option<String>,
    ) -> Parameters<'t> {
        let name = self.spec().ok().and_then(CommandSpec::connection_parameter);
        match (name, connection) {
            (Some(name), Some(connection)) => parameters.with(name, Value::String(connection)),
            _ => parameters,
        }
    }

    async fn plan(
        &self,
        planning: &Planning,
        call: &Arc<Call>,
        recorder: Option<Arc<Recorder>>,
    ) -> Result<Plan, Fault> {
        let (found, call) = (self.clone(), call.clone());
        let limits = &self.connector.policy().limits;
        let question = move |patience| {
            let (connector, command) = (&found.connector, found.command());
            if let Some(recorder) = &recorder {
                recorder.record(connector.name(), command, call.sealed());
            }
            connector.plan_within(patience, command, call.sealed())
        };
        planning.plan(self.connector.name(), limits, question).await
    }

    async fn resume(
        &self,
        planning: &Planning,
        call: &Arc<Call>,
        state: Vec<u8>,
        outcomes: Vec<Outcome>,
    ) -> Result<Plan, Fault> {
        let (found, call) = (self.clone(), call.clone());
        let outcomes: Vec<_> = outcomes.into_iter().map(StatementOutcome::from).collect();
        let limits = &self.connector.policy().limits;
        let question = move |patience| {
            let (connector, command) = (&found.connector, found.command());
            connector.resume_within(patience, command, call.sealed(), &state, &outcomes)
        };
        planning.plan(self.connector.name(), limits, question).await
    }
}

impl From<Outcome> for StatementOutcome {
    fn from(outcome: Outcome) -> Self {
        StatementOutcome {
            columns: outcome.columns().map(str::to_owned).collect(),
            rows: String::from_utf8(outcome.rows).unwrap_or_else(|_| "[]".into()),
            affected: outcome.affected,
        }
    }
}
