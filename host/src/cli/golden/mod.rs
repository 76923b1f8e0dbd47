//! Golden plans: calls in files, each with the plan or the failure that is expected of it.
//!
//! A file has the `command`, its `input` without connection, and either `plan` or `failure`. Values are
//! compared, not text, and the file is written anew where somebody takes what is there as expected.

use super::Result;
use super::build::Workbench;
use airlock::fault::Culprit;
use airlock::verdict::Verdict;
use airlock::{Connector, Fault, Parameters};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use similar::TextDiff;
use std::fs;
use std::path::{Path, PathBuf};

/// Where they are in a project.
const PLACE: &str = "tests/plans";

/// Unchanged lines around each change that is shown.
const CONTEXT: usize = 3;

/// A call with what is expected of it.
#[derive(Debug)]
pub(super) struct GoldenPlan {
    /// Name of the file, without what all of them share.
    pub(super) name: String,
    file: PathBuf,
    contents: Contents,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    command: String,
    #[serde(default)]
    input: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Value>,
}

/// How a call compares with what is expected of it.
#[derive(Debug)]
pub(super) enum Comparison {
    /// As expected.
    Equal,
    /// Nothing is expected yet. What there is can be taken.
    New(Answer),
    /// Something else is expected; the differences line by line. What there is can be taken.
    Different(Answer, String),
    /// No server would run it. This is never expected.
    Refused(String),
}

/// What a connector answers: a plan, or the failure that a caller sees.
#[derive(Debug)]
pub(super) enum Answer {
    Plan(Value),
    Failure(Value),
}

/// The golden plans of a project, by name.
///
/// # Errors
/// Where a file cannot be read or is no golden plan.
pub(super) fn read(project: &Path) -> Result<Vec<GoldenPlan>> {
    let directory = project.join(PLACE);
    let Ok(entries) = fs::read_dir(&directory) else {
        return Ok(Vec::new());
    };
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    files.into_iter().map(GoldenPlan::read).collect()
}

impl GoldenPlan {
    fn read(file: PathBuf) -> Result<GoldenPlan> {
        let about = |problem: String| format!("{}: {problem}", file.display());
        let text = fs::read_to_string(&file).map_err(|error| about(error.to_string()))?;
        let contents: Contents =
            serde_json::from_str(&text).map_err(|error| about(error.to_string()))?;
        if contents.plan.is_some() && contents.failure.is_some() {
            return Err(about("a call has either a plan or a failure".into()).into());
        }
        let name = file.file_stem().unwrap_or_default();
        Ok(GoldenPlan {
            name: name.to_string_lossy().into_owned(),
            file,
            contents,
        })
    }

    /// Plans the call, as a server would, and compares.
    ///
    /// # Errors
    /// Where the host fails.
    pub(super) async fn compare(
        &self,
        workbench: &Workbench,
        connector: &Connector,
    ) -> Result<Comparison> {
        let answer = match self.plan(workbench, connector).await {
            Ok((plan, Verdict::Allowed(_))) => Answer::Plan(plan),
            Ok((_, Verdict::Refused(refusal))) => return Ok(Comparison::Refused(refusal.message)),
            Err(fault) => match fault.culprit() {
                Culprit::Caller => Answer::Failure(json!({
                    "code": fault.code,
                    "message": fault.message,
                    "pointer": fault.pointer,
                })),
                Culprit::Connector => return Ok(Comparison::Refused(fault.message)),
                Culprit::Database | Culprit::Host => return Err(fault.into()),
            },
        };
        let found = self.contents.with(&answer);
        Ok(if found.is_as(&self.contents) {
            Comparison::Equal
        } else if self.contents.plan.is_none() && self.contents.failure.is_none() {
            Comparison::New(answer)
        } else {
            let shown = differences(&self.contents.expectation()?, &found.expectation()?);
            Comparison::Different(answer, shown)
        })
    }

    async fn plan(
        &self,
        workbench: &Workbench,
        connector: &Connector,
    ) -> std::result::Result<(Value, Verdict), Fault> {
        let runtime = &workbench.runtime;
        let found = runtime.command(connector.name(), &self.contents.command)?;
        let parameters = Parameters::from(self.contents.input.clone());
        // A plan does not depend on the connection, so none is needed.
        let parameters = found.with_connection(parameters, Some(String::new()));
        let (plan, verdict) = runtime.preview(&found, parameters).await?;
        let plan = serde_json::to_value(plan).map_err(Fault::internal)?;
        Ok((plan, verdict))
    }

    /// Expects this answer from here on.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(super) fn expect(&self, answer: &Answer) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.contents.with(answer))? + "\n";
        fs::write(&self.file, text)
            .map_err(|error| format!("cannot write {}: {error}", self.file.display()).into())
    }
}

impl Contents {
    fn with(&self, answer: &Answer) -> Contents {
        let (plan, failure) = match answer {
            Answer::Plan(plan) => (Some(plan.clone()), None),
            Answer::Failure(failure) => (None, Some(failure.clone())),
        };
        Contents {
            plan,
            failure,
            ..self.clone()
        }
    }

    fn is_as(&self, other: &Contents) -> bool {
        self.plan == other.plan && self.failure == other.failure
    }

    /// What is expected, as people read it.
    fn expectation(&self) -> Result<String> {
        let expected = match (&self.plan, &self.failure) {
            (Some(plan), _) => json!({ "plan": plan }),
            (None, failure) => json!({ "failure": failure }),
        };
        Ok(serde_json::to_string_pretty(&expected)? + "\n")
    }
}

/// Lines that are expected no more, and new ones, with a few around them.
fn differences(expected: &str, found: &str) -> String {
    let diff = TextDiff::from_lines(expected, found);
    let mut shown = String::new();
    for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 {
            shown.push_str("  …\n");
        }
        for change in group.iter().flat_map(|part| diff.iter_changes(part)) {
            shown.push_str(&format!("{} {}", change.tag(), change.value()));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_lines_around_them() {
        let expected: String = (0..20).map(|line| format!("{line}\n")).collect();
        let found = expected.replace("\n10\n", "\nten\n");
        let shown = differences(&expected, &found);
        assert_eq!(shown, "  7\n  8\n  9\n- 10\n+ ten\n  11\n  12\n  13\n");
        assert_eq!(differences(&found, &found), "");
    }

    #[test]
    fn a_file_has_one_expectation() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("both.json");
        for (text, part) in [
            (r#"{"command": "C", "plan": {}, "failure": {}}"#, "either"),
            (r#"{"command": "C", "plans": {}}"#, "unknown field"),
            ("{", "EOF"),
        ] {
            fs::write(&file, text).unwrap();
            let error = GoldenPlan::read(file.clone()).unwrap_err().to_string();
            assert!(
                error.contains("both.json: ") && error.contains(part),
                "{error}"
            );
        }
    }
}
