//! The paths that are there whatever connectors are.

use super::super::access;
use super::responses::{self, REFUSALS, UNAUTHORIZED};
use super::schema;
use super::security;
use serde_json::{Map, Value, json};

/// The tag of these paths. No connector has a name like it.
pub(super) const TAG: &str = "connector-proxy";

/// Paths that are there to say that there is nothing, and their ids.
const NO_AUTH: [(&str, &str); 2] = [
    ("/v1/auth/{connector}/{auth}", "auth"),
    ("/v1/auth/{connector}/{auth}/callback", "auth_callback"),
];

/// A path that is read.
struct Read {
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    media_type: &'static str,
    /// Of its body.
    schema: Value,
    /// What status 503 means there and its body, where that is not what it means elsewhere.
    unavailable: Option<(&'static str, Value)>,
}

/// All of them, with or without an API key.
pub(super) fn all(has_key: bool) -> Map<String, Value> {
    let read = reads().into_iter().map(|read| {
        let is_protected = has_key && access::is_protected(read.path);
        (read.path.to_owned(), get(&read, is_protected))
    });
    let no_auth = NO_AUTH.map(|(path, id)| (path.to_owned(), no_auth(id)));
    read.chain(no_auth).collect()
}

fn reads() -> Vec<Read> {
    let alive = json!({
        "type": "object",
        "properties": {"ok": {"const": true}},
        "required": ["ok"],
    });
    let document = json!({
        "type": "object",
        "properties": {"openapi": {"const": super::VERSION}},
        "required": ["openapi", "info", "paths"],
    });
    let json = |path, id, summary, schema| Read {
        path,
        id,
        summary,
        media_type: "application/json",
        schema,
        unavailable: None,
    };
    let ready = |ready: bool| {
        json!({
            "type": "object",
            "properties": {"ready": {"const": ready}},
            "required": ["ready"],
        })
    };
    let readiness = |path, id| Read {
        unavailable: Some((
            "They should not: a connector is not live yet, the server stops, or too much is going on.",
            json!({"anyOf": [ready(false), schema::reference("Failure")]}),
        )),
        ..json(path, id, "Tells whether calls should come.", ready(true))
    };
    let list = |of: Value| json!({"type": "array", "items": of});
    let alive_summary = "Tells that the server answers.";
    vec![
        Read {
            path: "/",
            id: "banner",
            summary: "Says what this is.",
            media_type: "text/html",
            schema: json!({"type": "string"}),
            unavailable: None,
        },
        json("/liveness", "liveness", alive_summary, alive.clone()),
        json("/v1/liveness", "liveness_v1", alive_summary, alive),
        readiness("/readiness", "readiness"),
        readiness("/v1/readiness", "readiness_v1"),
        json(
            "/v1/commands",
            "commands",
            "Lists the commands, as engines show them.",
            list(listed()),
        ),
        json(
            "/v1/auths",
            "auths",
            "Lists what takes part in authentication: nothing.",
            list(json!(false)),
        ),
        json(super::PATH, "document", "This document.", document),
    ]
}

/// These responses, and those that any request may get where these say nothing else.
pub(super) fn with_refusals(mut responses: Map<String, Value>, is_protected: bool) -> Value {
    let refusals = REFUSALS.iter().map(|(status, name, _)| (*status, *name));
    for (status, name) in refusals.chain(is_protected.then_some(UNAUTHORIZED)) {
        let response = || responses::response(name);
        responses.entry(status.to_string()).or_insert_with(response);
    }
    responses.sort_keys();
    responses.into()
}

fn get(read: &Read, is_protected: bool) -> Value {
    let response = content(read.summary, read.media_type, &read.schema);
    let mut responses = Map::from_iter([("200".to_owned(), response)]);
    if let Some((summary, schema)) = &read.unavailable {
        let response = content(summary, read.media_type, schema);
        responses.insert("503".to_owned(), response);
    }
    json!({
        "get": {
            "operationId": read.id,
            "tags": [TAG],
            "summary": read.summary,
            "parameters": [responses::parameter("RequestId")],
            "responses": with_refusals(responses, is_protected),
            "security": security(is_protected),
        }
    })
}

fn content(summary: &str, media_type: &str, schema: &Value) -> Value {
    json!({
        "description": summary,
        "headers": responses::usual_headers(),
        "content": { media_type: {"schema": schema} },
    })
}

/// What engines ask where somebody shall log in somewhere. Nobody can, here.
fn no_auth(id: &str) -> Value {
    let name = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    json!({
        "get": {
            "operationId": id,
            "tags": [TAG],
            "summary": "Refused: no connector takes part in authentication (`auth_not_found`).",
            "parameters": [name("connector"), name("auth"), responses::parameter("RequestId")],
            "responses": with_refusals(Map::new(), false),
            "security": security(false),
        }
    })
}

/// An element of the listing.
fn listed() -> Value {
    let parameter = json!({
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "type": {"enum": ["str", "int", "bool", "any"]},
            "required": {"type": "boolean"},
        },
        "required": ["id", "type", "required"],
    });
    let parameters = json!({"type": "array", "items": parameter});
    json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "The path behind `/v1/do/`."},
            "parameters": parameters,
            "optional_parameters": parameters,
        },
        "required": ["id", "parameters"],
    })
}
