//! Runs one plan on one connection: all or nothing.

use super::Work;
use super::batch::Form;
use super::chunks::Chunks;
use super::commit;
use super::execution::Ended;
use super::failed::Stopped;
use super::once::Once;
use super::prepare;
use super::rows::{Keep, Outcome, Room};
use super::session::Session;
use super::statement;
use crate::check::{CheckedPlan, CheckedStatement};
use crate::fault::Fault;
use crate::input::Input;
use crate::limits::Limits;
use crate::observation::{self, Observation};
use crate::plan::{Reply, RowShape};
use crate::policy::ShowRequests;

/// A plan whose statements have succeeded.
pub(super) struct Ran {
    pub(super) ended: Ended,
    /// The transaction is still to be committed.
    pub(super) is_open: bool,
}

/// What a plan is run with.
pub(super) struct Job<'a> {
    pub(super) plan: &'a CheckedPlan,
    /// The call's input, which the arguments point into.
    pub(super) input: &'a Input,
    pub(super) limits: &'a Limits,
    /// Rows that earlier plans of the call affected.
    affected: u64,
    once: Option<&'a Once>,
    observation: &'a Observation,
    /// How batches go in.
    form: Form,
}

impl<'a> Job<'a> {
    pub(super) fn new(work: &'a Work, limits: &'a Limits) -> Job<'a> {
        Job {
            plan: &work.plan,
            input: &work.call.input,
            limits,
            affected: work.affected,
            once: work.once.as_ref(),
            observation: &work.observation,
            form: Form::Copy,
        }
    }

    /// Runs the statements of the plan, in a transaction where it needs one. Rows of the reply go out
    /// through `chunks` as they come in. A transaction is left open for [`commit`](super::commit).
    pub(super) async fn run(
        mut self,
        session: &mut Session,
        chunks: &mut Chunks,
    ) -> Result<Ran, Fault> {
        // A statement that the server could not make out may be clear the second time: with fresh
        // definitions, with its text declared as text, or row by row. Nothing of the first attempt is
        // stored, and none of its rows is out.
        let mut attempts = self.plan.statements().len() + Form::ALL;
        session.drop_stale_statements();
        loop {
            let reads = self.plan.is_read_only();
            let needed = self
                .plan
                .needs_transaction(|statement| statement.runs(self.input));
            let shown = self.shown(ShowRequests::Always);
            let alone = !needed && self.once.is_none() && session.begin_alone(reads, shown);
            let ran = match alone {
                true => self.alone(session, chunks).await,
                false => Box::pin(self.transaction(session, chunks)).await,
            };
            session.drop_opening();
            attempts -= 1;
            match ran {
                Err(stopped) if stopped.again && attempts > 0 && !chunks.have_begun() => {
                    prepare::forget(session);
                    self.form = stopped.form.unwrap_or(self.form);
                }
                Ok(ran) => return Ok(ran),
                Err(stopped) => return Err(stopped.fault),
            }
        }
    }

    /// The id of the request, where the policy wants it shown in these sessions.
    fn shown(&self, wanted: ShowRequests) -> Option<&'a str> {
        let policy = self.plan.policy().show_requests;
        let id = self.observation.request_id();
        id.filter(|_| policy == wanted)
    }

    async fn alone(&self, session: &mut Session, chunks: &mut Chunks) -> Result<Ran, Stopped> {
        match self.statements(session, chunks).await {
            Ok(outcomes) => Ok(Ran {
                ended: Ended::Ran(outcomes),
                is_open: false,
            }),
            Err(stopped) => Err(self.lost_alone(stopped)),
        }
    }

    /// A single statement that changes something is stored with its end. Where the answer is lost, nobody
    /// knows whether it was.
    fn lost_alone(&self, mut stopped: Stopped) -> Stopped {
        if !self.plan.is_read_only() && stopped.lost {
            stopped.fault = commit::unknown();
        }
        stopped
    }

    async fn transaction(
        &self,
        session: &mut Session,
        chunks: &mut Chunks,
    ) -> Result<Ran, Stopped> {
        let rules = &self.plan.policy().session;
        let shown = self
            .shown(ShowRequests::Transactions)
            .or(self.shown(ShowRequests::Always));
        session.begin_transaction(self.plan.is_read_only(), rules, shown);
        let mut ended = match self.once {
            Some(once) => Box::pin(self.only_once(once, session, chunks)).await,
            None => self.statements(session, chunks).await.map(Ended::Ran),
        };
        let nothing_sent = session.drop_opening();
        if ended.is_ok() && !nothing_sent {
            let left = session.leave(self.plan.resets_session()).await;
            ended = left.map_err(Stopped::from).and(ended);
        }
        match ended {
            Ok(ended) => Ok(Ran {
                ended,
                is_open: !nothing_sent,
            }),
            Err(stopped) if nothing_sent => Err(stopped),
            Err(mut stopped) => {
                session.is_broken |= !session.roll_back().await;
                stopped.again &= !session.is_broken;
                Err(stopped)
            }
        }
    }

    /// Runs the statements unless an earlier run of the same call is stored.
    async fn only_once(
        &self,
        once: &Once,
        session: &mut Session,
        chunks: &mut Chunks,
    ) -> Result<Ended, Stopped> {
        if let Some(body) = once.claim(session).await? {
            return Ok(Ended::Repeated(body));
        }
        let outcomes = self.statements(session, chunks).await?;
        once.keep(session, self.plan.reply(), outcomes.last())
            .await?;
        Ok(Ended::Ran(outcomes))
    }

    async fn statements(
        &self,
        session: &mut Session,
        chunks: &mut Chunks,
    ) -> Result<Vec<Outcome>, Stopped> {
        let (statements, policy) = (self.plan.statements(), self.plan.policy());
        let mut outcomes = Vec::with_capacity(statements.len());
        let (bytes, limit) = match self.plan.reply() {
            Reply::Resume(_) => (policy.limits.outcome_bytes, "outcome_bytes"),
            _ if self.once.is_some() => (self.limits.kept_reply_bytes, "kept_reply_bytes"),
            _ => (policy.caps.reply_bytes(self.limits), "reply_bytes"),
        };
        let mut affected = self.affected;
        let mut room = Room {
            rows: policy.caps.reply_rows(self.limits),
            bytes,
            limit,
            used: 0,
        };
        for (at, statement) in statements.iter().enumerate() {
            let last = at + 1 == statements.len();
            let (keep, chunks) = match self.plan.reply() {
                // What is kept is not handed out before it is.
                Reply::Rows(shape) if last && self.once.is_some() => (Keep::Rows(*shape), None),
                Reply::Rows(shape) if last => (Keep::Rows(*shape), Some(&mut *chunks)),
                Reply::Resume(_) => (Keep::Rows(RowShape::Arrays), None),
                _ => (Keep::Count, None),
            };
            let run = statement::Run {
                statement,
                input: self.input,
                keep,
                room,
                form: self.form,
            };
            let span = self.observation.statement(&statement.sql);
            let ran = run.run(session, chunks).await;
            let rows = ran.as_ref().map(|outcome| Some(outcome.affected));
            observation::ended(span, rows.map_err(|stopped| &stopped.fault));
            let outcome = ran?;
            if matches!(self.plan.reply(), Reply::Resume(_)) {
                room = room.behind(&outcome)?;
            }
            check(statement, self.plan.reply(), last, &outcome)?;
            affected = affected.saturating_add(outcome.changed);
            check_affected(affected, policy.caps.affected_rows)?;
            if self.plan.resets_session() {
                session.distrust_settings();
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }
}

/// Whether the call may affect so many rows.
fn check_affected(affected: u64, most: Option<u64>) -> Result<(), Fault> {
    match most {
        Some(most) if affected > most => {
            let message = format!(
                "{affected} rows would be affected, more than the cap affected_rows = {most}; the transaction was rolled back"
            );
            Err(Fault::statement("ProgramLimitExceeded", message))
        }
        _ => Ok(()),
    }
}

/// Whether the outcome is one that the plan allows.
fn check(
    statement: &CheckedStatement,
    reply: &Reply,
    last: bool,
    outcome: &Outcome,
) -> Result<(), Fault> {
    if matches!(reply, Reply::Rows(_)) && last && !outcome.returns {
        return Err(Fault::statement(
            "ProgrammingError",
            "no results to fetch\nnothing was changed; leave fetch_results out for statements that return no rows",
        ));
    }
    match statement.max_affected {
        Some(most) if outcome.affected > most => {
            let message = format!(
                "{} rows would be affected, more than max_affected allows; nothing was changed",
                outcome.affected
            );
            Err(Fault::statement("CardinalityViolation", message))
        }
        _ => Ok(()),
    }
}
