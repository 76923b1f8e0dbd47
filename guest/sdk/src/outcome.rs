//! Reads what the database answered, for `resume`.

use crate::{ErrorCode, Failure, Outcome};
use serde::de::DeserializeOwned;

/// The code for an answer of the database that the connector does not understand.
pub const UNEXPECTED_OUTCOME: ErrorCode = ErrorCode::statement(
    "UnexpectedOutcome",
    "The database answered a question of the connector in a way that it does not know. Report it.",
);

impl Outcome {
    /// The rows, each as a tuple or list with one member for each column.
    ///
    /// ```
    /// use airlock_connector::Outcome;
    ///
    /// let outcome = Outcome {
    ///     columns: vec!["oid".into(), "kind".into()],
    ///     rows: r#"[[16384, "r"], [16390, "p"]]"#.into(),
    ///     affected: 2,
    /// };
    /// let rows: Vec<(u32, char)> = outcome.read().unwrap();
    /// assert_eq!(rows, [(16384, 'r'), (16390, 'p')]);
    /// ```
    ///
    /// # Errors
    /// [`UNEXPECTED_OUTCOME`] where they are not of this type. The message holds no value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Vec<T>, Failure> {
        serde_json::from_str(&self.rows).map_err(|_| unexpected())
    }

    /// The rows of the only statement of a plan.
    ///
    /// # Errors
    /// [`UNEXPECTED_OUTCOME`] where there is not exactly one, or its rows are not of this type.
    pub fn only<T: DeserializeOwned>(outcomes: &[Outcome]) -> Result<Vec<T>, Failure> {
        match outcomes {
            [outcome] => outcome.read(),
            _ => Err(unexpected()),
        }
    }
}

fn unexpected() -> Failure {
    UNEXPECTED_OUTCOME.failure("the database answered something that the connector does not know")
}
