//! Has a connector answer a call and its rounds, as a server would, and compares.

use super::contents::{Answer, Contents, Round};
use super::differences::differences;
use crate::cli::Result;
use crate::cli::build::Workbench;
use airlock::fault::Culprit;
use airlock::plan::{Plan, Reply, StatementOutcome};
use airlock::verdict::Verdict;
use airlock::{Connector, Fault, Parameters};
use serde_json::{Value, json};

/// How a call compares with what is expected of it.
#[derive(Debug)]
pub(in crate::cli) enum Comparison {
    /// As expected.
    Equal,
    /// Nothing is expected yet of the call or of a round. What there is can be taken.
    New(Vec<Answer>),
    /// Something else is expected; the differences line by line. What there is can be taken.
    Different(Vec<Answer>, String),
    /// No server would run it. This is never expected.
    Refused(String),
    /// No server would come to a round that is in the file. The file has to be changed.
    Unfit(String),
}

/// What a plan that asks to be resumed is given.
struct Given {
    state: Vec<u8>,
    outcomes: Vec<StatementOutcome>,
}

/// Compares what `connector` answers with what is expected.
///
/// # Errors
/// Where the host fails.
pub(super) async fn compare(
    contents: &Contents,
    workbench: &Workbench,
    connector: &Connector,
) -> Result<Comparison> {
    let mut rounds = contents.rounds.iter();
    let mut given = None;
    let mut answers = Vec::new();
    loop {
        let answered = ask(contents, workbench, connector, given).await;
        let planned = match answered {
            Ok((plan, Verdict::Allowed(_))) => Some(plan),
            Ok((_, Verdict::Refused(refusal))) => return Ok(Comparison::Refused(refusal.message)),
            Err(fault) => match fault.culprit() {
                Culprit::Caller => {
                    answers.push(Answer::Failure(shown(&fault)));
                    None
                }
                Culprit::Connector => return Ok(Comparison::Refused(fault.message)),
                Culprit::Database | Culprit::Host => return Err(fault.into()),
            },
        };
        if let Some(plan) = &planned {
            if answers.len() == connector.policy().limits.rounds.max(1) {
                let message = "it goes beyond the limit rounds";
                return Ok(Comparison::Refused(message.into()));
            }
            answers.push(Answer::Plan(serde_json::to_value(plan)?));
        }
        let Some(round) = rounds.next() else {
            return compared(contents, answers);
        };
        match go_on(planned, round) {
            Ok(next) => given = Some(next),
            Err(reason) => {
                let round = answers.len();
                return Ok(Comparison::Unfit(format!("round {round}: {reason}")));
            }
        }
    }
}

/// Asks for the plan of a call or, where a plan before it is given something, for the next one.
async fn ask(
    contents: &Contents,
    workbench: &Workbench,
    connector: &Connector,
    given: Option<Given>,
) -> std::result::Result<(Plan, Verdict), Fault> {
    let runtime = &workbench.runtime;
    let found = runtime.command(connector.name(), &contents.command)?;
    let parameters = Parameters::from(contents.input.clone());
    // A plan does not depend on the connection, so none is needed.
    let parameters = found.with_connection(parameters, Some(String::new()));
    match given {
        None => runtime.preview(&found, parameters).await,
        Some(Given { state, outcomes }) => {
            let next = runtime.preview_resumed(&found, parameters, state, outcomes);
            next.await
        }
    }
}

/// What the plan before a round is given; the error is why no server would give it that.
fn go_on(planned: Option<Plan>, round: &Round) -> std::result::Result<Given, String> {
    let Some(plan) = planned else {
        return Err("the call has failed before".into());
    };
    let Reply::Resume(state) = plan.reply else {
        return Err("the plan before does not ask to be resumed".into());
    };
    let (given, statements) = (round.outcomes.len(), plan.statements.len());
    if given != statements {
        return Err(format!(
            "it has {given} outcomes, and the plan before has {statements} statements"
        ));
    }
    let outcomes = round.outcomes.iter().map(|outcome| outcome.given());
    Ok(Given {
        state,
        outcomes: outcomes.collect(),
    })
}

fn compared(contents: &Contents, answers: Vec<Answer>) -> Result<Comparison> {
    let expected = contents.expected();
    let known = || expected.iter().zip(&answers);
    if known().all(|(expected, answer)| expected.as_ref() == Some(answer)) {
        return Ok(Comparison::Equal);
    }
    if known().all(|(expected, answer)| expected.as_ref().is_none_or(|known| known == answer)) {
        return Ok(Comparison::New(answers));
    }
    let found = contents.with(&answers);
    let differences = differences(&contents.expectation()?, &found.expectation()?);
    Ok(Comparison::Different(answers, differences))
}

/// A failure as its caller sees it.
fn shown(fault: &Fault) -> Value {
    json!({
        "code": fault.code,
        "message": fault.message,
        "pointer": fault.pointer,
    })
}
