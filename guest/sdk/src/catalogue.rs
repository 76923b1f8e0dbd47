//! Error codes, each declared once: its word, what it means and what to do about it.
//!
//! A command lists the codes that it can answer, and answers with them. So what the manifest says of
//! errors and what callers get cannot differ.

use crate::{ErrorDoc, Failure, FailureStage};

/// One error code of a connector.
///
/// ```
/// use airlock_connector::ErrorCode;
///
/// const TABLE_NOT_FOUND: ErrorCode =
///     ErrorCode::statement("TableNotFound", "There is no such table. Look at ListTables.");
///
/// let failure = TABLE_NOT_FOUND.failure("no schema has such a table").at("/table");
/// assert_eq!(failure.code, "TableNotFound");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    code: &'static str,
    summary: &'static str,
    stage: FailureStage,
}

impl ErrorCode {
    /// A code for parameters that do not have the form that the command takes. `code` is 1 to 64
    /// characters of `A-Z`, `a-z`, `0-9` and `_`; `summary` says when it is answered and what to do.
    #[must_use]
    pub const fn parameters(code: &'static str, summary: &'static str) -> ErrorCode {
        ErrorCode {
            code,
            summary,
            stage: FailureStage::Parameters,
        }
    }

    /// A code for parameters that have the right form but make no statement.
    #[must_use]
    pub const fn statement(code: &'static str, summary: &'static str) -> ErrorCode {
        ErrorCode {
            code,
            summary,
            stage: FailureStage::Statement,
        }
    }

    /// The same code for parameters that have the right form but make no statement.
    #[must_use]
    pub const fn in_statement(self) -> ErrorCode {
        ErrorCode::statement(self.code, self.summary)
    }

    /// The code, as callers see it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Fails with this code. `message` says what is wrong with this call, and holds no sealed value.
    #[must_use]
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        Failure {
            code: self.code.into(),
            message: message.into(),
            pointer: None,
            stage: self.stage,
        }
    }

    /// What a manifest says of it.
    #[must_use]
    pub fn doc(&self) -> ErrorDoc {
        ErrorDoc {
            code: self.code.into(),
            summary: self.summary.into(),
        }
    }
}
