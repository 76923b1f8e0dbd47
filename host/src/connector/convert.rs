//! The records of the contract as the host's own types, and back.

use super::bindings::airlock::connector::types as wit;
use crate::fault::{self, Fault, Kind};
use crate::plan::{
    Access, Argument, Arguments, Batch, Command, Manifest, Parameter, ParameterKind, Plan, Reply,
    RowShape, Statement, StatementOutcome,
};

/// Longest name of a connector, a command or a code.
const MAX_NAME_BYTES: usize = 64;

impl From<wit::Manifest> for Manifest {
    fn from(manifest: wit::Manifest) -> Self {
        Manifest {
            name: manifest.name,
            version: manifest.version,
            summary: manifest.summary,
            commands: manifest.commands.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<wit::Command> for Command {
    fn from(command: wit::Command) -> Self {
        Command {
            name: command.name,
            summary: command.summary,
            access: command.access.into(),
            raw: command.raw,
            parameters: command.parameters.into_iter().map(Into::into).collect(),
            errors: command
                .errors
                .into_iter()
                .map(|error| (error.code, error.summary))
                .collect(),
            example: command.example,
        }
    }
}

impl From<wit::Parameter> for Parameter {
    fn from(parameter: wit::Parameter) -> Self {
        Parameter {
            name: parameter.name,
            kind: match parameter.kind {
                wit::ParameterKind::Text => ParameterKind::Text,
                wit::ParameterKind::Integer => ParameterKind::Integer,
                wit::ParameterKind::Boolean => ParameterKind::Boolean,
                wit::ParameterKind::Any => ParameterKind::Any,
                wit::ParameterKind::Connection => ParameterKind::Connection,
            },
            required: parameter.required,
            summary: parameter.summary,
            schema: parameter.schema,
            sealed: parameter.sealed,
        }
    }
}

impl From<wit::Access> for Access {
    fn from(access: wit::Access) -> Self {
        match access {
            wit::Access::Read => Access::Read,
            wit::Access::Write => Access::Write,
            wit::Access::Define => Access::Define,
        }
    }
}

impl From<wit::Plan> for Plan {
    fn from(plan: wit::Plan) -> Self {
        Plan {
            statements: plan.statements.into_iter().map(Into::into).collect(),
            reply: match plan.reply {
                wit::Reply::Rows(wit::RowShape::Arrays) => Reply::Rows(RowShape::Arrays),
                wit::Reply::Rows(wit::RowShape::Objects) => Reply::Rows(RowShape::Objects),
                wit::Reply::Affected => Reply::Affected,
                wit::Reply::Json(text) => Reply::Json(text),
                wit::Reply::Resume(state) => Reply::Resume(state),
            },
        }
    }
}

impl From<wit::Statement> for Statement {
    fn from(statement: wit::Statement) -> Self {
        Statement {
            sql: statement.sql,
            arguments: match statement.arguments {
                wit::Arguments::None => Arguments::None,
                wit::Arguments::Once(arguments) => {
                    Arguments::Once(arguments.into_iter().map(Into::into).collect())
                }
                wit::Arguments::Each(batch) => Arguments::Each(Batch {
                    rows: batch.rows,
                    width: batch.width,
                }),
            },
            access: statement.access.into(),
            max_affected: statement.max_affected,
        }
    }
}

impl From<wit::Argument> for Argument {
    fn from(argument: wit::Argument) -> Self {
        match argument {
            wit::Argument::Input(pointer) => Argument::Input(pointer),
            wit::Argument::Literal(text) => Argument::Literal(text),
        }
    }
}

impl From<wit::Failure> for Fault {
    fn from(failure: wit::Failure) -> Self {
        if !is_name(&failure.code) {
            return Fault::connector("the connector failed with a code that is not a name");
        }
        let kind = match failure.stage {
            wit::FailureStage::Parameters => Kind::Parameters,
            wit::FailureStage::Statement => Kind::Statement,
        };
        let fault = Fault::new(kind, failure.code, fault::shortened(failure.message));
        match failure.pointer {
            Some(pointer) => fault.at(pointer),
            None => fault,
        }
    }
}

impl From<&StatementOutcome> for wit::Outcome {
    fn from(outcome: &StatementOutcome) -> Self {
        wit::Outcome {
            columns: outcome.columns.clone(),
            rows: outcome.rows.clone(),
            affected: outcome.affected,
        }
    }
}

/// Whether `text` can be the name of a connector or a command, or a code.
pub(super) fn is_name(text: &str) -> bool {
    let fits = (1..=MAX_NAME_BYTES).contains(&text.len());
    fits && text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
