//! What a connector is, what it is asked and what it answers, as the host's own types.
//!
//! These mirror the records in `wit/connector.wit`, where each of them is documented; `connector/`
//! converts. They serialise to the JSON that `airlock plan` prints.

use serde::Serialize;
use std::fmt;

/// What a connector is and what it can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Name under which the commands are called.
    pub name: String,
    /// Version, for people.
    pub version: String,
    /// One sentence about the connector.
    pub summary: String,
    /// The commands, in the order in which they are listed.
    pub commands: Vec<Command>,
}

/// One operation of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// Name of the command.
    pub name: String,
    /// One sentence about the command.
    pub summary: String,
    /// The widest access of its statements.
    pub access: Access,
    /// Whether its plans carry SQL text that the caller wrote.
    pub raw: bool,
    /// The parameters, in the order in which they are listed.
    pub parameters: Vec<Parameter>,
    /// Codes that it can answer, each with what to do about it.
    pub errors: Vec<(String, String)>,
    /// An example of its input as JSON.
    pub example: String,
}

/// One parameter of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Key in the call.
    pub name: String,
    /// Kind of value.
    pub kind: ParameterKind,
    /// Whether a call must have it.
    pub required: bool,
    /// One sentence about the parameter.
    pub summary: String,
    /// JSON Schema as JSON text.
    pub schema: Option<String>,
    /// Patterns of the values that are sealed.
    pub sealed: Vec<String>,
}

/// Kind of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// Any JSON value.
    Any,
    /// A connection string, which never reaches the connector.
    Connection,
}

/// What a statement does to the database, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Reads rows.
    Read,
    /// Changes rows.
    Write,
    /// Changes definitions, or anything else.
    Define,
}

/// As the configuration and messages write it.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::Define => "define",
        })
    }
}

/// What the host shall do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The statements, in order, all or nothing.
    pub statements: Vec<Statement>,
    /// How to shape the reply.
    pub reply: Reply,
}

/// One SQL statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Text of exactly one statement.
    pub sql: String,
    /// What fills its parameters.
    pub arguments: Arguments,
    /// What it does.
    pub access: Access,
    /// Refuse when it affects more rows than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_affected: Option<u64>,
}

/// How often a statement runs and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Arguments {
    /// Once, without parameters.
    None,
    /// Once.
    Once(Vec<Argument>),
    /// Once for each row of a batch.
    Each(Batch),
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Argument {
    /// JSON Pointer into the call's input.
    Input(String),
    /// JSON text of the connector's own.
    Literal(String),
}

/// Rows of arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// JSON Pointer to an array of arrays.
    pub rows: String,
    /// Length of each inner array.
    pub width: u32,
}

/// How the outcome becomes the reply's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// Rows of the last statement.
    Rows(RowShape),
    /// Number of rows that the last statement affected.
    Affected,
    /// This JSON text.
    Json(String),
    /// Ask the connector again, with this state.
    Resume(Vec<u8>),
}

/// Shape of one row in the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RowShape {
    /// A list of values.
    Arrays,
    /// An object by column name.
    Objects,
}

/// What one statement gave, for `resume`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementOutcome {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows as a JSON array of arrays.
    pub rows: String,
    /// Rows affected or returned.
    pub affected: u64,
}
