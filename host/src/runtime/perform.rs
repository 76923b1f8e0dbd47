//! Runs a call in its rounds: plan, run, shape the reply.

use super::counted::Counted;
use super::{FoundCommand, Runtime};
use crate::call::Parameters;
use crate::exec::{Deadline, Execution, Progress, Work};
use crate::fault::Fault;
use crate::observation::Stage;
use crate::plan::Reply as ReplyShape;
use crate::reply::{Body, Reply};
use crate::transaction::TransactionStatus;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

impl Runtime {
    /// Runs a call and shapes its reply. Where the reply is long, this returns with its beginning, and
    /// the rest goes on while it is taken.
    ///
    /// Dropping the future, or the reply before its end, cancels the call: what was not committed is
    /// rolled back.
    ///
    /// # Errors
    /// Where any stage fails; [`Fault::kind`] tells which, and [`Fault::status`] what became of the
    /// transaction.
    pub async fn run(
        &self,
        found: &FoundCommand,
        parameters: Parameters<'_>,
    ) -> Result<Reply, Fault> {
        let mut counted = Some(Counted::begin(found, self.metrics.clone()));
        let reply = self.perform(found, parameters, &mut counted).await;
        match (counted, &reply) {
            (Some(counted), Err(fault)) => counted.fail(fault),
            (Some(counted), Ok(_)) => counted.succeed(),
            // It goes on while the reply is taken.
            (None, _) => {}
        }
        reply
    }

    async fn perform(
        &self,
        found: &FoundCommand,
        parameters: Parameters<'_>,
        counted: &mut Option<Counted>,
    ) -> Result<Reply, Fault> {
        let deadline = self.deadline(found);
        let observation = counted.as_ref().map(Counted::observation);
        let observation = observation.cloned().unwrap_or_default();
        let call = found.call(parameters)?;
        let mut plan = deadline.keep(pin!(self.cached_plan(found, &call))).await?;
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
                    observation: observation.clone(),
                };
                let mut execution = self.database.execute(work, &deadline);
                let progress = execution.next().await;
                match progress.map_err(|fault| behind_rounds(fault, status))? {
                    Progress::Rows(rows) => {
                        let rest = rest(counted.take(), execution);
                        return Ok(found.reply(Body::streaming(rows, rest), status));
                    }
                    Progress::Repeated(body) => {
                        let status = Some(TransactionStatus::Committed);
                        observation.enter(Stage::Render);
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
                    let outcomes = outcomes.into_iter().map(Into::into).collect();
                    observation.enter(Stage::Plan);
                    let next = found.resume(&self.planning, &call, state.clone(), outcomes);
                    let next = deadline.keep(pin!(next)).await;
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
            observation.enter(Stage::Render);
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

/// The rows behind those that came first. The call that they belong to is counted with their end.
fn rest(
    counted: Option<Counted>,
    execution: Execution,
) -> impl Stream<Item = Result<Bytes, Fault>> + Send + 'static {
    stream::try_unfold(Some((counted, execution)), |going_on| async {
        let Some((counted, mut execution)) = going_on else {
            return Ok(None);
        };
        let last = match execution.next().await {
            Ok(Progress::Rows(rows)) => return Ok(Some((rows, Some((counted, execution))))),
            Ok(Progress::Repeated(body)) => body.into(),
            Ok(Progress::Done(outcomes)) => {
                let last = outcomes.into_iter().next_back();
                last.map(|last| last.rows.into()).unwrap_or_default()
            }
            Err(fault) => {
                if let Some(counted) = counted {
                    counted.fail(&fault);
                }
                return Err(fault);
            }
        };
        if let Some(counted) = counted {
            counted.observation().enter(Stage::Render);
            counted.succeed();
        }
        Ok(Some((last, None)))
    })
}
