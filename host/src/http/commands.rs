//! `GET /v1/commands`: the list that engines show in a drop-down.

use crate::connector::Connector;
use crate::plan::{Command, Parameter, ParameterKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The listing of all commands as JSON.
#[must_use]
pub(crate) fn list(connectors: &[Arc<Connector>]) -> Value {
    connectors
        .iter()
        .flat_map(|connector| {
            connector
                .commands()
                .iter()
                .map(|spec| element(connector.name(), &spec.command))
        })
        .collect()
}

/// Engines show `parameters`, in which existing diagrams must find what they know; what a command
/// takes beyond that is listed apart.
fn element(connector: &str, command: &Command) -> Value {
    let (required, optional): (Vec<_>, Vec<_>) = command
        .parameters
        .iter()
        .partition(|parameter| parameter.required);
    let list =
        |parameters: Vec<&Parameter>| parameters.into_iter().map(parameter).collect::<Value>();
    let mut element = Map::new();
    element.insert("id".into(), format!("{connector}/{}", command.name).into());
    element.insert("parameters".into(), list(required));
    if !optional.is_empty() {
        element.insert("optional_parameters".into(), list(optional));
    }
    Value::Object(element)
}

fn parameter(parameter: &Parameter) -> Value {
    let kind = match parameter.kind {
        ParameterKind::Text | ParameterKind::Connection => "str",
        ParameterKind::Integer => "int",
        ParameterKind::Boolean => "bool",
        ParameterKind::Any => "any",
    };
    json!({ "id": parameter.name, "type": kind, "required": parameter.required })
}
