//! A command that was found, and what it asks its connector.

use crate::call::{Call, CommandSpec, Parameters};
use crate::check::CheckedPlan;
use crate::connector::Connector;
use crate::exec::{Once, Outcome};
use crate::fault::Fault;
use crate::metrics::CommandMetrics;
use crate::observation::Observation;
use crate::plan::{Plan, Reply as ReplyShape, StatementOutcome};
use crate::planning::Planning;
use crate::recording::Recorder;
use crate::reply::{Body, Reply};
use crate::transaction::TransactionStatus;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A command and the version of its connector that the call will finish on.
#[derive(Clone)]
pub struct FoundCommand {
    pub(super) connector: Arc<Connector>,
    /// Its place among the commands of the connector.
    pub(super) command: usize,
    /// How long the call may take, where it shall be less than any may.
    pub(super) deadline: Option<Duration>,
    /// Where the call is noted; none where nobody but the runtime wants to know.
    pub(super) observation: Option<Arc<Observation>>,
}

impl FoundCommand {
    pub(super) fn spec(&self) -> Result<&CommandSpec, Fault> {
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

    /// The same, for a call that is noted in `observation`, for one call alone.
    #[must_use]
    pub fn observed(self, observation: Arc<Observation>) -> FoundCommand {
        FoundCommand {
            observation: Some(observation),
            ..self
        }
    }

    /// Where the call is noted, if it is.
    #[must_use]
    pub fn observation(&self) -> Option<&Observation> {
        self.observation.as_deref()
    }

    /// The numbers of the command.
    pub(crate) fn metrics(&self) -> Option<&Arc<CommandMetrics>> {
        self.connector.command_metrics(self.command)
    }

    /// How a plan is run only once, where its policy wants that and the engine says which task it is for.
    pub(super) fn once(&self, plan: &CheckedPlan, call: &Call) -> Result<Option<Once>, Fault> {
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

    pub(super) fn reply(&self, body: Body, status: Option<TransactionStatus>) -> Reply {
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

    pub(super) async fn plan(
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

    pub(super) async fn resume(
        &self,
        planning: &Planning,
        call: &Arc<Call>,
        state: Vec<u8>,
        outcomes: Vec<StatementOutcome>,
    ) -> Result<Plan, Fault> {
        let (found, call) = (self.clone(), call.clone());
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
