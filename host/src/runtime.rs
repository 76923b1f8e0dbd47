//! From a call to its reply: plan, check, run, shape.

use crate::call::{Call, CommandSpec, Parameters};
use crate::check::CheckedPlan;
use crate::connector::{Compiler, Connector, Digest, Sandbox};
use crate::exec::{Database, Execution, Outcome, Progress};
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::plan::{Plan, Reply as ReplyShape, StatementOutcome};
use crate::plan_cache::{PlanCache, PlanCacheStats, PlanKey};
use crate::policy::Policy;
use crate::reply::{Body, Reply};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The `postgres_v2` connector, built from this workspace.
const POSTGRES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/postgres_v2.wasm"));

/// Connectors and the databases that their plans run in. Share it behind an `Arc`.
pub struct Runtime {
    sandbox: Sandbox,
    connectors: RwLock<BTreeMap<String, Arc<Connector>>>,
    database: Arc<Database>,
    plans: PlanCache,
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
            connectors: RwLock::default(),
            database: Arc::new(Database::new(limits)?),
            plans: PlanCache::new(&limits),
            embedded: Digest::of(POSTGRES),
            limits,
        })
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
        let connector = Arc::new(self.compile(component, policy)?);
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
        Connector::load(&self.sandbox, component, policy.into())
    }

    /// Puts a connector in the place of one of the same name.
    pub fn install(&self, connector: Arc<Connector>) {
        let mut connectors = self
            .connectors
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        connectors.insert(connector.name().to_owned(), connector);
    }

    /// The connectors, by name.
    #[must_use]
    pub fn connectors(&self) -> Vec<Arc<Connector>> {
        let connectors = self
            .connectors
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        connectors.values().cloned().collect()
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
        let connectors = self
            .connectors
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let found = connectors
            .get(connector)
            .and_then(|connector| Some((connector.clone(), connector.position(command)?)));
        match found {
            Some((connector, command)) => Ok(FoundCommand { connector, command }),
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
        let call = found.call(parameters)?;
        let plan = found.plan(&call).await?;
        self.check(found, plan.clone())?;
        Ok(plan)
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
        let deadline = Instant::now() + Duration::from_millis(self.limits.deadline_ms);
        let call = found.call(parameters)?;
        let mut plan = self.cached_plan(found, &call).await?;
        let limits = &found.connector.policy().limits;
        for _ in 0..limits.rounds.max(1) {
            let mut outcomes = Vec::new();
            if !plan.statements().is_empty() {
                let (database, call) = (&self.database, call.clone());
                let mut execution =
                    database.execute(plan.clone(), call, limits.outcome_bytes, deadline);
                match execution.next().await? {
                    Progress::Rows(rows) => {
                        return Ok(found.reply(Body::streaming(rows, rest(execution))));
                    }
                    Progress::Done(done) => outcomes = done,
                }
            }
            let body = match (plan.reply(), outcomes.pop()) {
                (ReplyShape::Json(text), _) => text.clone().into_bytes(),
                (ReplyShape::Resume(state), last) => {
                    outcomes.extend(last);
                    let next = found.resume(&call, state.clone(), outcomes).await?;
                    plan = self.check(found, next)?;
                    continue;
                }
                (ReplyShape::Rows(_), Some(outcome)) => outcome.rows,
                (ReplyShape::Affected, Some(outcome)) => affected(&outcome).into_bytes(),
                (ReplyShape::Rows(_) | ReplyShape::Affected, None) => {
                    return Err(Fault::connector("the plan has no statement to reply with"));
                }
            };
            return Ok(found.reply(Body::whole(body)));
        }
        Err(Fault::connector(format!(
            "the connector goes beyond the limit rounds = {}",
            limits.rounds
        )))
    }

    /// What the cache of plans did so far and holds.
    #[must_use]
    pub fn plan_cache(&self) -> PlanCacheStats {
        self.plans.stats()
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
        let make = async { self.check(found, found.plan(call).await?) };
        match found.connector.is_pure() {
            true => self.plans.get_or_make(key, make).await,
            false => make.await,
        }
    }

    fn check(&self, found: &FoundCommand, plan: Plan) -> Result<Arc<CheckedPlan>, Fault> {
        // The word of the embedded connector on `raw` counts.
        let trusted = found.connector.digest() == self.embedded;
        let spec = found.spec()?;
        let limits = &found.connector.policy().limits;
        CheckedPlan::check(plan, &spec.command, trusted, limits).map(Arc::new)
    }
}

/// The rows behind those that came first.
fn rest(execution: Execution) -> impl Stream<Item = Result<Bytes, Fault>> + Send + 'static {
    stream::try_unfold(Some(execution), |execution| async {
        let Some(mut execution) = execution else {
            return Ok(None);
        };
        Ok(Some(match execution.next().await? {
            Progress::Rows(rows) => (rows, Some(execution)),
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

    fn reply(&self, body: Body) -> Reply {
        Reply {
            body,
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

    async fn plan(&self, call: &Arc<Call>) -> Result<Plan, Fault> {
        let call = call.clone();
        self.ask(move |connector, command| connector.plan(command, call.sealed()))
            .await
    }

    async fn resume(
        &self,
        call: &Arc<Call>,
        state: Vec<u8>,
        outcomes: Vec<Outcome>,
    ) -> Result<Plan, Fault> {
        let call = call.clone();
        let outcomes: Vec<_> = outcomes.into_iter().map(StatementOutcome::from).collect();
        self.ask(move |connector, command| {
            connector.resume(command, call.sealed(), &state, &outcomes)
        })
        .await
    }

    /// Runs the component on a thread where it may take its time.
    async fn ask(
        &self,
        question: impl FnOnce(&Connector, &str) -> Result<Plan, Fault> + Send + 'static,
    ) -> Result<Plan, Fault> {
        let found = self.clone();
        let ask = move || question(&found.connector, found.command());
        match tokio::task::spawn_blocking(ask).await {
            Ok(answer) => answer,
            Err(panicked) => Err(Fault::internal(panicked)),
        }
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

fn affected(outcome: &Outcome) -> String {
    match outcome.counted {
        true => format!(r#"{{"result": "{} rows affected"}}"#, outcome.affected),
        false => r#"{"result": "ok"}"#.into(),
    }
}
