//! How a connector says that there is no plan.

use crate::{Failure, FailureStage};

impl Failure {
    /// The parameters do not have the form that the command takes.
    pub fn parameters(code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure {
            code: code.into(),
            message: message.into(),
            pointer: None,
            stage: FailureStage::Parameters,
        }
    }

    /// The parameters have the right form but make no statement.
    pub fn statement(code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure {
            stage: FailureStage::Statement,
            ..Failure::parameters(code, message)
        }
    }

    /// Names the offending part of the call's input by JSON Pointer.
    #[must_use]
    pub fn at(self, pointer: impl Into<String>) -> Failure {
        Failure {
            pointer: Some(pointer.into()),
            ..self
        }
    }
}
