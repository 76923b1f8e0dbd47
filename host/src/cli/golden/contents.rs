//! The file of a golden plan: what is in there, and how people read what is expected.

use crate::cli::Result;
use airlock::plan::StatementOutcome;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A call, its rounds, and what is expected of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    pub(super) command: String,
    #[serde(default)]
    pub(super) input: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rounds: Vec<Round>,
}

/// What the statements of the plan before gave, and what is expected of `resume` then.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Round {
    pub(super) outcomes: Vec<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Value>,
}

/// What one statement gave.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outcome {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    #[serde(default)]
    rows: Vec<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    affected: Option<u64>,
}

/// What a connector answers: a plan, or the failure that a caller sees.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum Answer {
    Plan(Value),
    Failure(Value),
}

impl Outcome {
    /// As the host hands it to `resume`.
    pub(super) fn given(&self) -> StatementOutcome {
        StatementOutcome {
            columns: self.columns.clone(),
            rows: json!(self.rows).to_string(),
            affected: self.affected.unwrap_or(self.rows.len() as u64),
        }
    }
}

impl Contents {
    /// The plan and the failure that are expected of the call and of each round.
    fn parts(&self) -> impl Iterator<Item = (&Option<Value>, &Option<Value>)> {
        let rounds = self.rounds.iter();
        let rounds = rounds.map(|round| (&round.plan, &round.failure));
        std::iter::once((&self.plan, &self.failure)).chain(rounds)
    }

    /// Whether nowhere both are expected.
    pub(super) fn is_clear(&self) -> bool {
        self.parts()
            .all(|(plan, failure)| plan.is_none() || failure.is_none())
    }

    /// What is expected of the call and of each round.
    pub(super) fn expected(&self) -> Vec<Option<Answer>> {
        let expected = self.parts().map(|(plan, failure)| {
            let failure = failure.clone().map(Answer::Failure);
            plan.clone().map(Answer::Plan).or(failure)
        });
        expected.collect()
    }

    /// The same, with these answers expected of the call and of each round.
    pub(super) fn with(&self, answers: &[Answer]) -> Contents {
        let mut answers = answers.iter().map(Answer::split);
        let (plan, failure) = answers.next().unwrap_or_default();
        let mut contents = Contents {
            plan,
            failure,
            ..self.clone()
        };
        for (round, (plan, failure)) in contents.rounds.iter_mut().zip(answers) {
            (round.plan, round.failure) = (plan, failure);
        }
        contents
    }

    /// What is expected, as people read it.
    pub(super) fn expectation(&self) -> Result<String> {
        let mut expected = self.expected().into_iter().map(shown);
        let mut whole = expected.next().unwrap_or_default();
        let rounds: Vec<_> = expected.map(Value::Object).collect();
        if !rounds.is_empty() {
            whole.insert("rounds".into(), rounds.into());
        }
        Ok(serde_json::to_string_pretty(&whole)? + "\n")
    }
}

/// What is expected of the call or of a round, as people read it.
fn shown(expected: Option<Answer>) -> Map<String, Value> {
    let named = expected.map(|answer| match answer {
        Answer::Plan(plan) => ("plan".to_owned(), plan),
        Answer::Failure(failure) => ("failure".to_owned(), failure),
    });
    named.into_iter().collect()
}

impl Answer {
    /// As files have it: the plan and the failure, one of which is there.
    fn split(&self) -> (Option<Value>, Option<Value>) {
        match self {
            Answer::Plan(plan) => (Some(plan.clone()), None),
            Answer::Failure(failure) => (None, Some(failure.clone())),
        }
    }
}
