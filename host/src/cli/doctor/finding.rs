//! What was found: fine, doubtful or broken, and what to do about it.

use serde::Serialize;

/// How grave something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// Calls or the server would fail.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// What was looked at, such as `databases.orders.login`.
    pub(super) check: String,
    pub(super) status: Status,
    /// What was found.
    pub(super) found: String,
    /// What to do next; none where it is fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// All that was found, in the order in which it was looked at.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, check: impl Into<String>, found: impl Into<String>) {
        self.0.push(Finding {
            check: check.into(),
            status: Status::Ok,
            found: found.into(),
            next: None,
        });
    }

    pub(super) fn warning(
        &mut self,
        check: impl Into<String>,
        found: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.add(Status::Warning, check, found, next);
    }

    pub(super) fn failed(
        &mut self,
        check: impl Into<String>,
        found: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.add(Status::Failed, check, found, next);
    }

    pub(super) fn add(
        &mut self,
        status: Status,
        check: impl Into<String>,
        found: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.0.push(Finding {
            check: check.into(),
            status,
            found: found.into(),
            next: Some(next.into()),
        });
    }

    pub(super) fn count(&self, status: Status) -> usize {
        let alike = self.0.iter().filter(|finding| finding.status == status);
        alike.count()
    }

    pub(super) fn all(&self) -> &[Finding] {
        &self.0
    }
}
