//! Plays one case and tells how the reply differs from what is expected.

use super::case::{Case, Expected};
use super::world::World;
use reqwest::Method;
use serde_json::{Value, from_str};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::{Kind, Type};

struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    text: String,
}

/// How the reply to `case` differs from what is expected of it; none when it does not.
pub(crate) async fn difference(world: &World, case: &Case) -> Option<String> {
    for statement in &case.setup {
        world
            .peer
            .batch_execute(statement)
            .await
            .unwrap_or_else(|error| panic!("{}: {statement}: {error}", case.name));
    }
    let reply = play(world, case).await;
    let difference = check(world, case, &reply);
    if difference.is_some() {
        return difference;
    }
    match case.expected() {
        // What the smuggled SQL did back then must not have happened.
        Expected::Refused => {
            for (sql, rows) in &case.after {
                if rows_of(world, sql)
                    .await
                    .as_ref()
                    .is_ok_and(|now| now == rows)
                {
                    return Some(format!(
                        "the smuggled SQL had its effect: {sql} gives {rows}"
                    ));
                }
            }
            None
        }
        Expected::Same => {
            for (sql, rows) in &case.after {
                let now = rows_of(world, sql).await;
                if now.as_ref() != Ok(rows) {
                    return Some(format!("afterwards {sql} gives {now:?}, not {rows}"));
                }
            }
            None
        }
        Expected::Coded | Expected::Status | Expected::Repaired => None,
    }
}

async fn play(world: &World, case: &Case) -> Reply {
    let url = format!("{}{}", world.server.base, case.path);
    let mut request = world
        .server
        .http
        .request(Method::from_bytes(case.method.as_bytes()).unwrap(), url);
    for (name, value) in &case.headers {
        // Recorded as Latin-1 text.
        let bytes: Vec<u8> = value.chars().map(|c| c as u8).collect();
        request = request.header(
            name,
            reqwest::header::HeaderValue::from_bytes(&bytes).unwrap(),
        );
    }
    if let Some(body) = &case.body {
        let body = world.fill(body);
        if !case.headers.iter().any(|(name, _)| name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        request = request.body(body);
    }
    let response = request.send().await.unwrap();
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| {
            (
                name.to_string(),
                value.to_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    Reply {
        status: response.status().as_u16(),
        headers,
        text: response.text().await.unwrap(),
    }
}

fn check(world: &World, case: &Case, reply: &Reply) -> Option<String> {
    let shown = || {
        format!(
            "{} {}",
            reply.status,
            reply.text.chars().take(300).collect::<String>()
        )
    };
    let json: Result<Value, _> = from_str(&reply.text);
    let code = json
        .as_ref()
        .ok()
        .and_then(|json| json["error"]["error_code"].as_str());
    let recorded_code = case.response["error"]["error_code"].as_str();
    let body_is_json = json.is_ok()
        || case.method == "HEAD"
        || (case.method == "OPTIONS" && reply.text.is_empty());
    let fits = match case.expected() {
        Expected::Same => return same(world, case, reply, json.ok()),
        Expected::Coded => reply.status == 400 && code == recorded_code,
        Expected::Status => {
            reply.status == case.status && body_is_json && headers_fit(world, case, reply)
        }
        Expected::Repaired => {
            (reply.status == 200 && json.is_ok()) || (reply.status == 400 && code.is_some())
        }
        Expected::Refused => reply.status == 400 && code.is_some(),
    };
    if fits {
        None
    } else {
        Some(format!(
            "{} {:?} was recorded; now {}",
            case.status,
            recorded_code,
            shown()
        ))
    }
}

fn same(world: &World, case: &Case, reply: &Reply, json: Option<Value>) -> Option<String> {
    let shown = reply.text.chars().take(300).collect::<String>();
    if reply.status != case.status {
        return Some(format!(
            "status {} was recorded; now {} {shown}",
            case.status, reply.status
        ));
    }
    if !headers_fit(world, case, reply) {
        return Some(format!(
            "headers {:?} were recorded; now {:?}",
            case.reply_headers, reply.headers
        ));
    }
    let recorded = &case.response;
    if case.path == "/" || recorded.is_null() || *recorded == "" {
        return None;
    }
    let Some(json) = json else {
        return Some(format!("not JSON: {shown}"));
    };
    let is_error = recorded["error"]["error_code"].is_string();
    if is_error {
        let fields = |envelope: &Value| {
            let error = &envelope["error"];
            let message = world.fill(error["message"].as_str().unwrap_or_default());
            (
                error["error_code"].clone(),
                message.lines().next().unwrap_or_default().to_owned(),
            )
        };
        let (then, now) = (fields(recorded), fields(&json));
        return (then != now).then(|| format!("{then:?} was recorded; now {now:?}"));
    }
    let (then, now) = match recorded.get("command_response") {
        Some(response) => (&response["body"], &json["command_response"]["body"]),
        None => (recorded, &json),
    };
    (!equal(then, now)).then(|| format!("{then} was recorded; now {shown}"))
}

fn headers_fit(world: &World, case: &Case, reply: &Reply) -> bool {
    let set = |value: &str| {
        let mut items: Vec<_> = value
            .split(',')
            .map(|item| item.trim().to_lowercase())
            .collect();
        items.sort();
        items
    };
    case.reply_headers.iter().all(|(name, value)| {
        let value = world.fill(value);
        reply
            .headers
            .iter()
            .any(|(now, content)| now == name && set(content) == set(&value))
    })
}

/// Equal, numbers as numbers; in objects more keys may have come.
fn equal(then: &Value, now: &Value) -> bool {
    match (then, now) {
        (Value::Number(then), Value::Number(now)) => {
            then.to_string() == now.to_string() || then.as_f64() == now.as_f64()
        }
        (Value::Array(then), Value::Array(now)) => {
            then.len() == now.len() && then.iter().zip(now).all(|(then, now)| equal(then, now))
        }
        (Value::Object(then), Value::Object(now)) => then
            .iter()
            .all(|(key, then)| now.get(key).is_some_and(|now| equal(then, now))),
        _ => then == now,
    }
}

/// The rows of a query as text, in the words of Python, in which they were recorded.
async fn rows_of(world: &World, sql: &str) -> Result<Value, String> {
    let statement = world
        .peer
        .prepare(sql)
        .await
        .map_err(|error| error.to_string())?;
    let types: Vec<Type> = statement
        .columns()
        .iter()
        .map(|column| column.type_().clone())
        .collect();
    let messages = world
        .peer
        .simple_query(sql)
        .await
        .map_err(|error| error.to_string())?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    Ok(rows
        .map(|row| {
            types
                .iter()
                .enumerate()
                .map(|(at, kind)| python(row.get(at), kind))
                .collect::<Value>()
        })
        .collect())
}

fn python(text: Option<&str>, kind: &Type) -> Value {
    let Some(text) = text else {
        return Value::Null;
    };
    Value::from(match (kind, kind.kind()) {
        (&Type::BOOL, _) if text == "t" => "True".to_owned(),
        (&Type::BOOL, _) => "False".to_owned(),
        (&Type::JSON | &Type::JSONB, _) => text.replace('"', "'"),
        (_, Kind::Array(_)) => format!("[{}]", text.trim_matches(['{', '}']).replace(',', ", ")),
        _ => text.to_owned(),
    })
}
