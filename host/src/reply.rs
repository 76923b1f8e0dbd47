//! The envelope of the connector-proxy protocol: what engines read.

use crate::fault::{Fault, Kind};
use serde_json::{Map, Value, json};

/// Version of the envelope that engines know.
const VERSION: u8 = 2;

/// In front of what went wrong with a statement, as engines and people have always seen it.
const STATEMENT_PREFIX: &str = "Error executing sql statement: ";

/// The answer to a call that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The body as JSON text: rows, or `{"result": …}`.
    pub body: Vec<u8>,
    /// Name and digest of the connector that planned it, as `postgres_v2@sha256:…`.
    pub planned_by: String,
}

impl Reply {
    /// The whole envelope as JSON text.
    #[must_use]
    pub fn envelope(&self) -> Vec<u8> {
        let mut text = br#"{"command_response": {"body": "#.to_vec();
        text.extend_from_slice(&self.body);
        text.extend_from_slice(
            br#", "mimetype": "application/json"}, "error": null, "command_response_version": "#,
        );
        text.extend_from_slice(VERSION.to_string().as_bytes());
        text.push(b'}');
        text
    }
}

/// The whole envelope of a call that failed.
///
/// `error_code` is what boundary events catch. What the server reported beyond its message follows
/// as further keys; row values in its detail never do.
#[must_use]
pub fn failure(fault: &Fault) -> Value {
    let mut error = Map::new();
    error.insert("error_code".into(), fault.code.clone().into());
    error.insert("message".into(), message(fault).into());
    let mut add = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            error.insert(key.into(), value);
        }
    };
    add("pointer", fault.pointer.clone().map(Value::from));
    if let Some(report) = &fault.server {
        add("sqlstate", Some(report.sqlstate.clone().into()));
        add("hint", report.hint.clone().map(Value::from));
        add("constraint", report.constraint.clone().map(Value::from));
        add("column", report.column.clone().map(Value::from));
        add("table", report.table.clone().map(Value::from));
        add("position", report.position.map(Value::from));
    }
    json!({
        "command_response": { "body": null, "mimetype": "application/json" },
        "error": error,
        "command_response_version": VERSION,
    })
}

fn message(fault: &Fault) -> String {
    match fault.kind {
        Kind::Statement
        | Kind::Connection
        | Kind::Database
        | Kind::Deadline
        | Kind::OutcomeUnknown => {
            format!("{STATEMENT_PREFIX}{}", fault.message)
        }
        Kind::UnknownCommand
        | Kind::Parameters
        | Kind::Connector
        | Kind::Overload
        | Kind::Internal => fault.message.clone(),
    }
}
