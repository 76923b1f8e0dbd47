//! One request for one command: from JSON text to checked, sealed parameters.
//!
//! `parameters.rs` takes the text, `command.rs` knows what a command takes, and `read.rs` reads the text for
//! it, once. What comes of it is a [`Call`].

mod command;
mod parameters;
mod read;

pub use command::CommandSpec;
pub use parameters::Parameters;

use crate::fault::{Fault, Kind};
use crate::input::Input;
use crate::seal;
use crate::secret::Secret;
use serde_json::Value;

/// Parameters that engines add for themselves begin with this. They are dropped.
pub(crate) const ENGINE_PREFIX: &str = "spiff__";

/// A call whose parameters fit the command.
#[derive(Debug)]
pub struct Call {
    /// The connection parameter, where the command has one and the call gives it.
    pub connection: Option<Connection>,
    /// The other parameters.
    pub input: Input,
    /// The task of the engine that the call is for, where the engine says so.
    pub task: Option<Task>,
}

/// A task of a workflow engine, by what the engine calls it. A task that is tried again has the same ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Id of the process instance.
    pub process_id: String,
    /// Id of the task in it.
    pub task_id: String,
}

/// What a call gives as its connection parameter.
#[derive(Debug)]
pub enum Connection {
    /// A connection string.
    String(Secret),
    /// Something else, by the name of its type in Python.
    Other(&'static str),
}

impl From<Value> for Connection {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Connection::String(Secret::new(text)),
            // Where none is given, the defaults count.
            Value::Null => Connection::String(Secret::new("")),
            other => Connection::Other(seal::python_type(&other)),
        }
    }
}

impl Call {
    /// The connection string; empty where the call gives none.
    ///
    /// # Errors
    /// `TypeError` where what it gives is no text.
    pub fn connection_string(&self) -> Result<&str, Fault> {
        match &self.connection {
            None => Ok(""),
            Some(Connection::String(text)) => Ok(text.expose()),
            Some(Connection::Other(kind)) => {
                let message = format!("Expected bytes or unicode string, got {kind} instead");
                Err(Fault::new(Kind::Connection, "TypeError", message))
            }
        }
    }

    /// The parameters as the connector sees them, a JSON object.
    #[must_use]
    pub fn sealed(&self) -> &str {
        self.input.sealed()
    }
}

#[cfg(test)]
mod tests;
