//! Plans recorded calls with two versions of a connector and tells where they differ.
//!
//! Values are sealed in recorded calls, so nothing of the kind is needed or shown. Only the first plan
//! of a call is compared: what a connector is asked to resume with depends on a database.

use crate::connector::Connector;
use crate::fault::Fault;
use crate::plan::Plan;
use crate::policy::ReplayRule;
use crate::recording::{self, CallId, RecordedCall};
use serde::Serialize;
use std::time::{Duration, Instant};

/// What came of replaying calls.
#[derive(Debug, Default, Serialize)]
pub struct Replay {
    /// Calls of the connector that were planned by both versions.
    pub calls: usize,
    /// Those whose plans differ.
    pub differences: Vec<Difference>,
}

/// A call that is planned differently.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// Tells the call from others.
    pub id: CallId,
    /// Name of the command.
    pub command: String,
    /// The call, as the connector sees it.
    pub sealed: Box<serde_json::value::RawValue>,
    /// What the old version answers.
    pub old: Answer,
    /// What the new version answers.
    pub new: Answer,
}

/// What a version answers to a call.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// This plan.
    Plan(Plan),
    /// It fails, with this code, message and pointer.
    Failure {
        /// The `error_code` that workflows catch.
        code: String,
        /// What is wrong.
        message: String,
        /// JSON Pointer to the offending part of the call.
        pointer: Option<String>,
    },
    /// It does not have the command.
    Missing,
}

/// Plans each of `calls` that is of the connector with both versions. Takes a CPU-bound while.
///
/// # Errors
/// Where that takes longer than `probe_ms` of the new version.
pub fn replay(old: &Connector, new: &Connector, calls: &[RecordedCall]) -> Result<Replay, Fault> {
    let limit_ms = new.policy().limits.probe_ms;
    let end = Instant::now() + Duration::from_millis(limit_ms);
    let mut replay = Replay::default();
    for call in calls.iter().filter(|call| call.connector == new.name()) {
        if Instant::now() > end {
            return Err(Fault::connector(format!(
                "planning the recorded calls was stopped at the limit probe_ms = {limit_ms}"
            )));
        }
        replay.calls += 1;
        let (before, after) = (answer(old, call), answer(new, call));
        if before != after {
            replay.differences.push(Difference {
                id: call.id(),
                command: call.command.clone(),
                sealed: call.sealed.clone(),
                old: before,
                new: after,
            });
        }
    }
    Ok(replay)
}

/// Whether `new` may take the place of `old` under a rule of the operator.
///
/// # Errors
/// Where it plans a recorded call differently that is not listed, or the calls cannot be read.
pub(crate) fn gate(rule: &ReplayRule, old: &Connector, new: &Connector) -> Result<(), Fault> {
    let calls = recording::read(&rule.calls).map_err(|error| {
        Fault::connector(format!("the calls to replay cannot be read: {error}"))
    })?;
    let replay = replay(old, new, &calls)?;
    let mut unlisted = replay
        .differences
        .iter()
        .filter(|difference| !rule.allowed.contains(&difference.id));
    let Some(first) = unlisted.next() else {
        return Ok(());
    };
    Err(Fault::connector(format!(
        "{} of {} recorded calls are planned differently and not listed in replay_differences, such as {} {}; airlock replay shows them",
        1 + unlisted.count(),
        replay.calls,
        first.command,
        first.id
    )))
}

fn answer(connector: &Connector, call: &RecordedCall) -> Answer {
    if connector.position(&call.command).is_none() {
        return Answer::Missing;
    }
    match connector.plan(&call.command, call.sealed.get()) {
        Ok(plan) => Answer::Plan(plan),
        Err(fault) => Answer::Failure {
            code: fault.code.into_owned(),
            message: fault.message,
            pointer: fault.pointer,
        },
    }
}
