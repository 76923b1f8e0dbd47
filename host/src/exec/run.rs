//! Runs one plan on one connection: all or nothing.

use super::failed::Stopped;
use super::prepare;
use super::rows::{Keep, Outcome};
use super::session::Session;
use super::statement;
use crate::check::{CheckedPlan, CheckedStatement};
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::plan::{Reply, RowShape};
use airlock_connector::statements::Class;
use serde_json::Value;

/// Runs the statements of `plan`, in a transaction where it needs one.
pub(super) async fn run(
    session: &mut Session,
    plan: &CheckedPlan,
    input: &Value,
    limits: &Limits,
) -> Result<Vec<Outcome>, Fault> {
    // A statement that the server could not make out may be clear the second time: with fresh
    // definitions, or with its text declared as text. Nothing of the first attempt is stored.
    let mut attempts = plan.statements().len() + 1;
    loop {
        let outcome = match plan.needs_transaction() {
            true => transaction(session, plan, input, limits).await,
            false => statements(session, plan, input, limits).await,
        };
        attempts -= 1;
        match outcome {
            Err(stopped) if stopped.again && attempts > 0 => prepare::forget(session),
            other => return other.map_err(|stopped| stopped.fault),
        }
    }
}

async fn transaction(
    session: &mut Session,
    plan: &CheckedPlan,
    input: &Value,
    limits: &Limits,
) -> Result<Vec<Outcome>, Stopped> {
    let begin = if plan.is_read_only() {
        "BEGIN READ ONLY"
    } else {
        "BEGIN"
    };
    session.client().batch_execute(begin).await?;
    match statements(session, plan, input, limits).await {
        Ok(outcomes) => {
            commit(session).await?;
            Ok(outcomes)
        }
        Err(stopped) => {
            if session.client().batch_execute("ROLLBACK").await.is_err() {
                session.is_broken = true;
                return Err(Stopped {
                    again: false,
                    ..stopped
                });
            }
            Err(stopped)
        }
    }
}

async fn commit(session: &Session) -> Result<(), Stopped> {
    match session.client().batch_execute("COMMIT").await {
        Ok(()) => Ok(()),
        // A refusal, for example of a deferred constraint, rolls back.
        Err(refused) if refused.as_db_error().is_some() => Err(refused.into()),
        Err(_) => Err(Fault::new(
            Kind::OutcomeUnknown,
            "TransactionResolutionUnknown",
            "the connection broke while the transaction was being committed; look before you try again",
        )
        .into()),
    }
}

async fn statements(
    session: &mut Session,
    plan: &CheckedPlan,
    input: &Value,
    limits: &Limits,
) -> Result<Vec<Outcome>, Stopped> {
    let mut outcomes = Vec::with_capacity(plan.statements().len());
    let mut room = match plan.reply() {
        Reply::Resume(_) => limits.outcome_bytes,
        _ => limits.reply_bytes,
    };
    for (at, statement) in plan.statements().iter().enumerate() {
        let last = at + 1 == plan.statements().len();
        let keep = match plan.reply() {
            Reply::Rows(shape) if last => Keep::Rows(*shape),
            Reply::Resume(_) => Keep::Rows(RowShape::Arrays),
            _ => Keep::Count,
        };
        let outcome = statement::run(session, statement, input, keep, room).await?;
        room = room.saturating_sub(outcome.rows.len());
        if let (Reply::Rows(_), true, false) = (plan.reply(), last, gives_rows(&outcome, statement))
        {
            return Err(Fault::statement("ProgrammingError", "no results to fetch\nnothing was changed; leave fetch_results out for statements that return no rows").into());
        }
        if statement
            .max_affected
            .is_some_and(|most| outcome.affected > most)
        {
            let message = format!(
                "{} rows would be affected, more than max_affected allows; nothing was changed",
                outcome.affected
            );
            return Err(Fault::statement("CardinalityViolation", message).into());
        }
        if plan.resets_session() {
            session.distrust_settings();
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// A query without columns gives rows all the same: `SELECT FROM t`.
fn gives_rows(outcome: &Outcome, statement: &CheckedStatement) -> bool {
    !outcome.columns.is_empty() || (statement.class == Class::Rows && outcome.rows.len() > 2)
}
