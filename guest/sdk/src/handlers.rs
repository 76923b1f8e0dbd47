//! Commands and the functions that plan them, declared in one place each.
//!
//! [`Commands`] makes a [`Connector`] of a list of [`Handler`]s: the manifest is made from them, and
//! calls find their way by name. So a command that is described is also planned.

use crate::{
    Access, Call, Command, Connector, ErrorCode, Failure, Manifest, Outcome, Parameter, Plan,
};

/// One command: what callers read about it, and what plans it.
#[derive(Debug, Clone, Copy)]
pub struct Handler {
    /// Name of the command: 1 to 64 characters of `A-Z`, `a-z`, `0-9` and `_`.
    pub name: &'static str,
    /// One sentence about it.
    pub summary: &'static str,
    /// The widest access that its statements have.
    pub access: Access,
    /// Whether its plans carry SQL text that the caller wrote.
    pub raw: bool,
    /// Describes its parameters: [`params::on_database`](crate::params::on_database) of their type.
    pub parameters: fn() -> Vec<Parameter>,
    /// The errors that it can answer.
    pub errors: &'static [&'static [ErrorCode]],
    /// A call of it as a JSON object, without connection parameters.
    pub example: &'static str,
    /// Plans a call.
    pub plan: fn(&Call) -> Result<Plan, Failure>,
    /// Continues a call; none where no plan asks for it.
    pub resume: Option<Resume>,
}

/// Continues a call, given the state that the last plan carried and the outcomes of its statements.
pub type Resume = fn(&Call, &[u8], &[Outcome]) -> Result<Plan, Failure>;

impl Handler {
    /// The command, as the manifest lists it.
    #[must_use]
    pub fn command(&self) -> Command {
        Command {
            name: self.name.into(),
            summary: self.summary.into(),
            access: self.access,
            raw: self.raw,
            parameters: (self.parameters)(),
            errors: self.errors.concat().iter().map(ErrorCode::doc).collect(),
            example: self.example.into(),
        }
    }
}

/// The code for a command that the connector does not have.
pub const COMMAND_NOT_FOUND: ErrorCode = ErrorCode::parameters(
    "command_not_found",
    "The connector has no command of this name.",
);

/// A connector that is a list of commands. Whoever implements it has a [`Connector`].
pub trait Commands {
    /// Name of the connector, such as `postgres_admin`.
    const NAME: &'static str;
    /// Version of the connector, for people: often `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;
    /// One sentence about the connector.
    const SUMMARY: &'static str;
    /// The commands, in the order in which they are listed.
    const HANDLERS: &'static [Handler];
}

impl<C: Commands> Connector for C {
    fn describe() -> Manifest {
        Manifest {
            name: C::NAME.into(),
            version: C::VERSION.into(),
            summary: C::SUMMARY.into(),
            commands: C::HANDLERS.iter().map(Handler::command).collect(),
        }
    }

    fn plan(call: Call) -> Result<Plan, Failure> {
        (find(C::HANDLERS, &call)?.plan)(&call)
    }

    fn resume(call: Call, state: Vec<u8>, outcomes: Vec<Outcome>) -> Result<Plan, Failure> {
        match find(C::HANDLERS, &call)?.resume {
            Some(resume) => resume(&call, &state, &outcomes),
            None => Err(crate::connector::not_resumed(&call)),
        }
    }
}

fn find(handlers: &'static [Handler], call: &Call) -> Result<&'static Handler, Failure> {
    let found = handlers.iter().find(|handler| handler.name == call.command);
    found.ok_or_else(|| COMMAND_NOT_FOUND.failure(format!("there is no command {}", call.command)))
}
