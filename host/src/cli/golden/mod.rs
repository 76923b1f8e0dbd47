//! Golden plans: calls in files, each with the plan or the failure that is expected of it.
//!
//! A file has the `command`, its `input` without connection, and either `plan` or `failure`:
//!
//! ```json
//! {
//!   "command": "FindNotes",
//!   "input": {"contains": "milk"},
//!   "plan": {"statements": […], "reply": {"rows": "objects"}}
//! }
//! ```
//!
//! Where the plan asks to be resumed, `rounds` go on with the call. Each has the `outcomes` that the host
//! would hand to `resume`, one for each statement of the plan before, and again either `plan` or `failure`:
//!
//! ```json
//! {
//!   "command": "Locks",
//!   "plan": {"statements": […], "reply": {"resume": []}},
//!   "rounds": [
//!     {
//!       "outcomes": [{"rows": [[150000]]}],
//!       "plan": {"statements": […], "reply": {"rows": "objects"}}
//!     }
//!   ]
//! }
//! ```
//!
//! An outcome has the `rows` as lists of values, the names of their `columns`, none where they are left out,
//! and how many rows were `affected`, as many as there are where that is left out.
//!
//! Values are compared, not text, and the file is written anew where somebody takes what is there as
//! expected: the answers only, not what the rounds are given.

mod compare;
mod contents;
mod differences;

pub(super) use compare::Comparison;
pub(super) use contents::Answer;

use super::Result;
use super::build::Workbench;
use airlock::Connector;
use contents::Contents;
use std::fs;
use std::path::{Path, PathBuf};

/// Where they are in a project.
const PLACE: &str = "tests/plans";

/// A call with what is expected of it.
#[derive(Debug)]
pub(super) struct GoldenPlan {
    /// Name of the file, without what all of them share.
    pub(super) name: String,
    file: PathBuf,
    contents: Contents,
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
        if !contents.is_clear() {
            return Err(
                about("a call has either a plan or a failure, and so has a round".into()).into(),
            );
        }
        let name = file.file_stem().unwrap_or_default();
        Ok(GoldenPlan {
            name: name.to_string_lossy().into_owned(),
            file,
            contents,
        })
    }

    /// Plans the call and its rounds, as a server would, and compares.
    ///
    /// # Errors
    /// Where the host fails.
    pub(super) async fn compare(
        &self,
        workbench: &Workbench,
        connector: &Connector,
    ) -> Result<Comparison> {
        compare::compare(&self.contents, workbench, connector).await
    }

    /// Expects these answers from here on.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(super) fn expect(&self, answers: &[Answer]) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.contents.with(answers))? + "\n";
        fs::write(&self.file, text)
            .map_err(|error| format!("cannot write {}: {error}", self.file.display()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_expectation() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("both.json");
        for (text, part) in [
            (r#"{"command": "C", "plan": {}, "failure": {}}"#, "either"),
            (
                r#"{"command": "C", "rounds": [{"outcomes": [], "plan": {}, "failure": {}}]}"#,
                "either",
            ),
            (r#"{"command": "C", "rounds": [{}]}"#, "missing field"),
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
