//! The path of one command: its parameters as the schema of a body, an example, its error codes.

use super::{paths, responses, schema, security};
use crate::call::ENGINE_PREFIX;
use crate::connector::Connector;
use crate::databases::Databases;
use crate::plan::{Command, Parameter, ParameterKind};
use crate::policy::{DatabaseName, Policy};
use serde_json::{Map, Value, json};

/// What an example shows where calls bring connection strings.
const CONNECTION_STRING: &str = "dbname=shop user=app password=secret host=db.example port=5432";

/// The path item. The schemas of the parameters go among `schemas`.
pub(super) fn item(
    connector: &Connector,
    command: &Command,
    databases: &Databases,
    has_key: bool,
    schemas: &mut Map<String, Value>,
) -> Value {
    let name = format!("{}.{}", connector.name(), command.name);
    let policy = connector.policy();
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (at, parameter) in command.parameters.iter().enumerate() {
        let property = match parameter.kind {
            ParameterKind::Connection => connection(parameter, databases, policy),
            _ => property(parameter, &part_name(&name, at, parameter), schemas),
        };
        properties.insert(parameter.name.clone(), property);
        if parameter.required {
            required.push(parameter.name.as_str());
        }
    }
    let ours = format!("^{ENGINE_PREFIX}");
    let ignored = "What engines add for themselves; ignored but for the ids of process and task.";
    let body = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "patternProperties": { ours: {"description": ignored} },
        "additionalProperties": false,
    });
    schemas.insert(name.clone(), body);
    let example = example(command, databases, policy);
    let examples = example.map(|value| json!({"summary": command.summary, "value": value}));
    let content = json!({
        "schema": schema::reference(&name),
        "examples": examples.map_or_else(|| json!({}), |example| json!({"example": example})),
    });
    json!({
        "post": {
            "operationId": name,
            "tags": [connector.name()],
            "summary": command.summary,
            "description": description(command),
            "parameters": [
                responses::parameter("Deadline"),
                responses::parameter("RequestId"),
            ],
            "requestBody": {"required": true, "content": {"application/json": content}},
            "responses": paths::with_refusals(responses::of_commands(), has_key),
            "security": security(has_key),
            "x-airlock-access": command.access.to_string(),
            "x-airlock-raw-sql": command.raw,
            "x-airlock-errors": errors(command),
        }
    })
}

/// The name of a parameter's schema. Connectors call parameters what they like; a component has to be
/// called something short and plain.
fn part_name(command: &str, at: usize, parameter: &Parameter) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match parameter.name.len() <= 64 && parameter.name.bytes().all(is_plain) {
        true => format!("{command}.{}", parameter.name),
        false => format!("{command}.-{at}"),
    }
}

fn property(parameter: &Parameter, name: &str, schemas: &mut Map<String, Value>) -> Value {
    let given = parameter.schema.as_deref();
    let kind = match (
        given.and_then(|text| schema::take(text, name)),
        parameter.kind,
    ) {
        (Some(schema), _) => {
            schemas.insert(name.to_owned(), schema);
            let place = schema::place(name);
            return json!({"$ref": place, "description": parameter.summary});
        }
        (None, ParameterKind::Text | ParameterKind::Connection) => Some("string"),
        (None, ParameterKind::Integer) => Some("integer"),
        (None, ParameterKind::Boolean) => Some("boolean"),
        (None, ParameterKind::Any) => None,
    };
    match kind {
        Some(kind) => json!({"type": kind, "description": parameter.summary}),
        None => json!({"description": parameter.summary}),
    }
}

/// The connection parameter: the names that it may have where it has to be one, else any text.
fn connection(parameter: &Parameter, databases: &Databases, policy: &Policy) -> Value {
    let names: Vec<&str> = names(databases, policy);
    match databases.takes_connection_strings(policy) {
        true => {
            let examples = [names, vec![CONNECTION_STRING]].concat();
            json!({"type": "string", "description": parameter.summary, "examples": examples})
        }
        false if names.is_empty() => {
            let none = "The name of a database; none is configured for this connector.";
            json!({"type": "string", "description": none})
        }
        false => {
            let name = "The name of a database.";
            json!({"type": "string", "description": name, "enum": names})
        }
    }
}

fn names<'a>(databases: &'a Databases, policy: &Policy) -> Vec<&'a str> {
    let names = databases.names_for(policy);
    names.map(DatabaseName::as_str).collect()
}

/// The connector's example with what it leaves out, the connection. None where it has none to show.
fn example(command: &Command, databases: &Databases, policy: &Policy) -> Option<Value> {
    let Ok(Value::Object(shown)) = serde_json::from_str(&command.example) else {
        return None;
    };
    let mut example = Map::new();
    for parameter in &command.parameters {
        let names = names(databases, policy);
        if parameter.kind == ParameterKind::Connection {
            let connection = names.first().copied().unwrap_or(CONNECTION_STRING);
            example.insert(parameter.name.clone(), connection.into());
        }
    }
    example.extend(shown);
    Some(example.into())
}

fn description(command: &Command) -> String {
    let mut text = format!("Access: {}.", command.access);
    if command.raw {
        text.push_str(" Runs SQL text of the caller.");
    }
    text.push_str(
        "\n\n`error.error_code` is the name of what PostgreSQL reports, such as `UniqueViolation`, a code \
         of the host, or one of the connector's own:\n",
    );
    for (code, summary) in &command.errors {
        text.push_str(&format!("\n- `{code}`: {summary}"));
    }
    text
}

fn errors(command: &Command) -> Value {
    let errors = command.errors.iter();
    errors
        .map(|(code, summary)| json!({"error_code": code, "summary": summary}))
        .collect()
}
