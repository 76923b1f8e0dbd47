//! What operations refer to: headers, responses and the schemas of their bodies.

use super::super::{envelope, perform, request_id};
use super::schema;
use crate::reply;
use crate::transaction::TransactionStatus;
use serde_json::{Map, Value, json};

/// A response that all commands may have: its status, its name, what it means.
type Refusal = (u16, &'static str, &'static str);

/// What the host answers to requests that it does not run, whatever the path.
pub(super) const REFUSALS: [Refusal; 4] = [
    (
        400,
        "BadRequest",
        "The request cannot be understood, or its parameters do not fit.",
    ),
    (
        431,
        "HeadTooLarge",
        "The head is larger than `head_bytes`, or has more fields than `head_fields`.",
    ),
    (
        500,
        "Fault",
        "The connector broke its contract (`ConnectorFault`), or the host failed; see its log.",
    ),
    (
        503,
        "Overload",
        "Too much is going on, and nothing was begun. Try again.",
    ),
];

/// What it answers to calls beyond that.
const CALL_REFUSALS: [Refusal; 5] = [
    (
        403,
        "Denied",
        "The policy of the connector or the network does not allow it (`PolicyDenied`).",
    ),
    (
        404,
        "NotFound",
        "There is no such connector or command any more (`command_not_found`).",
    ),
    (408, "TooSlow", "The body took longer than `body_ms`."),
    (413, "TooLarge", "The body is longer than `body_bytes`."),
    (
        415,
        "NotJson",
        "The body is not `application/json` or `application/*+json`, or has a Content-Encoding.",
    ),
];

/// The response to who has no key.
pub(super) const UNAUTHORIZED: (u16, &str) = (401, "Unauthorized");

/// A reference to a response.
pub(super) fn response(name: &str) -> Value {
    json!({"$ref": format!("#/components/responses/{name}")})
}

/// A reference to a parameter.
pub(super) fn parameter(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

/// The responses of commands, by status, beside those of all paths.
pub(super) fn of_commands() -> Map<String, Value> {
    let refusals = CALL_REFUSALS.iter();
    let refusals = refusals.map(|(status, name, _)| (status.to_string(), response(name)));
    std::iter::once(("200".to_owned(), response("Reply")))
        .chain(refusals)
        .collect()
}

/// The headers of all responses.
pub(super) fn usual_headers() -> Map<String, Value> {
    let mut headers = Map::new();
    headers.insert(request_id::HEADER.to_string(), header("RequestId"));
    headers
}

fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

/// What requests may say in their heads.
pub(super) fn parameters() -> Value {
    json!({
        "Deadline": {
            "name": perform::DEADLINE.as_str(),
            "in": "header",
            "description": "Milliseconds that the call may take, where that is less than `deadline_ms`.",
            "schema": {"type": "integer", "minimum": 1, "maximum": u64::MAX},
        },
        "RequestId": {
            "name": request_id::HEADER.as_str(),
            "in": "header",
            "description": "Goes into the response and each line of the log about the request. Where it is anything else, there is a new one.",
            "schema": request_id_schema(),
        },
    })
}

fn request_id_schema() -> Value {
    let most = request_id::MAX_BYTES;
    json!({"type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": most})
}

/// What responses say in their heads.
pub(super) fn headers() -> Value {
    json!({
        "RequestId": {
            "description": "The id of the request.",
            "required": true,
            "schema": request_id_schema(),
        },
        "Outcome": {
            "description": "What became of the transaction of a call that changes something.",
            "schema": outcome(),
        },
        "Connector": {
            "description": "Name and SHA-256 of the component that planned the call, or that was there to.",
            "schema": {"type": "string", "pattern": "^[a-z0-9_]{1,64}@sha256:[0-9a-f]{64}$"},
        },
        "RetryAfter": {
            "description": "Seconds to wait.",
            "required": true,
            "schema": {"type": "integer", "minimum": 0},
        },
    })
}

fn outcome() -> Value {
    let all = [
        TransactionStatus::Committed,
        TransactionStatus::Aborted,
        TransactionStatus::Unknown,
    ];
    json!({"type": "string", "enum": all.map(TransactionStatus::as_str)})
}

/// The responses by name.
pub(super) fn responses() -> Value {
    let mut all = Map::new();
    let mut headers = usual_headers();
    headers.insert(envelope::OUTCOME.to_string(), header("Outcome"));
    headers.insert(envelope::PLANNED_BY.to_string(), header("Connector"));
    let reply = json!({
        "description": "The call was made. Where `error` is null it succeeded; else the database, or what \
                        is said about the statement, is in there, and `error_code` is what boundary events \
                        catch.",
        "headers": headers.clone(),
        "content": {"application/json": {"schema": schema::reference("Reply")}},
    });
    all.insert("Reply".into(), reply);
    for (status, name, description) in REFUSALS.iter().chain(&CALL_REFUSALS) {
        let mut headers = headers.clone();
        if *status == 503 {
            headers.insert("retry-after".into(), header("RetryAfter"));
        }
        let failure = json!({
            "description": description,
            "headers": headers,
            "content": {"application/json": {"schema": schema::reference("Failure")}},
        });
        all.insert((*name).to_owned(), failure);
    }
    let unauthorized = json!({
        "type": "object",
        "properties": {"error": {"const": "Unauthorized"}},
        "required": ["error"],
    });
    let unauthorized = json!({
        "description": "The key is not there, or is another one.",
        "headers": usual_headers(),
        "content": {"application/json": {"schema": unauthorized}},
    });
    all.insert(UNAUTHORIZED.1.into(), unauthorized);
    all.into()
}

/// The schemas of bodies by name.
pub(super) fn schemas() -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    let either = [schema::reference("Success"), schema::reference("Failure")];
    add("Reply", json!({"oneOf": either}));
    let rows = "Rows, as lists of values or as objects by column; `{\"result\": \"N rows affected\"}`, or \
                `{\"result\": \"ok\"}` where the database counts none; or what the connector gives.";
    let body = json!({"description": rows, "not": {"type": "null"}});
    add("Success", envelope_with(body, json!({"type": "null"})));
    let error = schema::reference("Error");
    add("Failure", envelope_with(json!({"type": "null"}), error));
    add("Error", error_schema());
    all
}

fn envelope_with(body: Value, error: Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "command_response": {
                "type": "object",
                "properties": {"body": body, "mimetype": {"const": "application/json"}},
                "required": ["body", "mimetype"],
            },
            "error": error,
            "command_response_version": {"const": reply::VERSION},
        },
        "required": ["command_response", "error", "command_response_version"],
    })
}

fn error_schema() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "properties": {
            "error_code": text("What boundary events catch, such as `UniqueViolation`."),
            "message": text("What is wrong and what to do about it."),
            "pointer": text("JSON Pointer to the offending part of the call."),
            "outcome": outcome(),
            "sqlstate": {"type": "string", "pattern": "^[0-9A-Z]{5}$"},
            "hint": text("What PostgreSQL suggests."),
            "constraint": text("The violated constraint."),
            "column": text("The column that the error is about."),
            "table": text("The table that the error is about."),
            "position": {
                "type": "integer",
                "minimum": 1,
                "description": "Where in the statement, in characters.",
            },
        },
        "required": ["error_code", "message"],
    })
}
