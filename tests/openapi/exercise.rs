//! Schemathesis reads the document, makes requests of it, valid ones and others, and holds each response
//! against it. What it asked is then held against the document once more, by the rules of this protocol.

use super::{API_KEY, Shop, commands, document, python, validator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What is held: never an error of the server, and each response as the document says.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,ignored_auth";

/// Requests that are made up for each operation, beside those that cover its schema.
const EXAMPLES: &str = "10";

/// Tables that the examples use, and that stay whatever is dropped.
const SETUP: &str = "
    CREATE TABLE users (id serial PRIMARY KEY, name text, email text);
    CREATE FUNCTION keep() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE object_identity = 'public.users') THEN
            RAISE EXCEPTION 'users stays';
        END IF;
    END $$;
    CREATE EVENT TRIGGER keep ON sql_drop EXECUTE FUNCTION keep()";

/// Error codes that tell of a wrong shape, which schemas can tell as well.
const SHAPE: [&str; 3] = ["KeyError", "TypeError", "AttributeError"];

/// Runs Schemathesis with further arguments; gives whether it finds nothing, and what it says.
fn exercise(directory: &Path, document: &Value, base: &str, more: &[&str]) -> (bool, String) {
    let file = directory.join("openapi.json");
    fs::write(&file, document.to_string()).unwrap();
    let config = "[auth.openapi]\napi_key = { api_key = \"${AIRLOCK_API_KEY}\" }\n";
    fs::write(directory.join("schemathesis.toml"), config).unwrap();
    let mut tool = python().tool("schemathesis");
    let output = tool
        .arg("run")
        .arg(file)
        .args(["--url", base, "--checks", CHECKS])
        .args(["--continue-on-failure", "--warnings", "off", "--no-color"])
        .args(["--generation-deterministic", "--request-timeout", "60"])
        // How long a request takes to make up says nothing of the server.
        .args(["--suppress-health-check", "all"])
        .args(more)
        .env("AIRLOCK_API_KEY", API_KEY)
        // It keeps what it learns where it runs.
        .current_dir(directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (
        output.status.success(),
        said + &String::from_utf8_lossy(&output.stderr),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_does_what_the_document_says() {
    let shop = Shop::start().await;
    shop.database.batch_execute(SETUP).await.unwrap();
    let document = document(&shop.server).await;
    let directory = tempfile::tempdir().unwrap();
    let more = [
        "--max-examples",
        EXAMPLES,
        "--report",
        "har",
        "--report-har-path",
        "made.har",
    ];
    let (clean, said) = exercise(directory.path(), &document, &shop.server.base, &more);
    assert!(clean, "{said}");
    let operations = document["paths"].as_object().unwrap().len();
    assert!(said.contains(&format!("Tested: {operations}\n")), "{said}");
    let made = fs::read(directory.path().join("made.har")).unwrap();
    let made: Value = serde_json::from_slice(&made).unwrap();
    let entries = made["log"]["entries"].as_array().unwrap();
    assert!(entries.len() > 1_000, "{}", entries.len());
    hold(&document, entries);
    told(&document, entries);
}

/// Headers of this protocol are in the document wherever they are sent, and every reply to a call that was
/// let in names its component.
fn told(document: &Value, entries: &[Value]) {
    let mut calls = 0;
    for entry in entries {
        let (request, response) = (&entry["request"], &entry["response"]);
        let url = request["url"].as_str().unwrap();
        let path = url.splitn(4, '/').nth(3).unwrap();
        let path = format!("/{}", path.split('?').next().unwrap());
        let method = request["method"].as_str().unwrap().to_lowercase();
        let status = response["status"].to_string();
        let documented = &document["paths"][&path][method]["responses"][&status];
        let Some(documented) = resolved(document, documented).as_object() else {
            continue;
        };
        let headers = response["headers"].as_array().unwrap().iter();
        let names = headers.map(|header| header["name"].as_str().unwrap().to_lowercase());
        let names: Vec<_> = names
            .filter(|name| name.starts_with("x-airlock-"))
            .collect();
        for name in &names {
            let known = documented["headers"].as_object().unwrap();
            assert!(known.contains_key(name), "{name} of {status} at {path}");
        }
        if path.starts_with("/v1/do/") && status != "401" {
            let named = names.iter().any(|name| name == "x-airlock-connector");
            assert!(named, "{status} at {path} names nobody");
            calls += 1;
        }
    }
    assert!(calls > 500, "{calls}");
}

/// What a reference in the document refers to.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => value,
    }
}

/// What breaks the schema never succeeds, and what keeps to it is never refused for its shape. Each command
/// succeeded and was refused at times, so that this says something.
fn hold(document: &Value, entries: &[Value]) {
    let commands = commands(document);
    let validators: BTreeMap<&str, _> = commands
        .iter()
        .map(|(name, operation)| (name.as_str(), validator(document, operation)))
        .collect();
    let mut seen: BTreeMap<(&str, bool, bool), usize> = BTreeMap::new();
    for entry in entries {
        let Some((name, body, reply)) = call(&commands, entry) else {
            continue;
        };
        let error = &reply["error"]["error_code"];
        let fits = validators[name].is_valid(&body);
        let succeeded = reply["error"].is_null();
        assert!(
            fits || !succeeded || is_lenient(&body),
            "{name} took {body}: {reply}"
        );
        let wrong_shape = SHAPE.iter().any(|code| error == code) && reply["status"] == 400;
        assert!(
            !fits || !wrong_shape || has_whole_fraction(&body),
            "{name} refused {body}: {reply}"
        );
        *seen.entry((name, fits, succeeded)).or_default() += 1;
    }
    for name in commands.keys() {
        for what in [(true, true), (false, false)] {
            let key = (name.as_str(), what.0, what.1);
            assert!(seen.contains_key(&key), "{key:?} is missing in {seen:#?}");
        }
    }
}

/// The command, the body and the reply of a call that came as far as its parameters, with its status.
fn call<'c>(commands: &'c Map<String, Value>, entry: &Value) -> Option<(&'c str, Value, Value)> {
    let request = &entry["request"];
    let (_, name) = request["url"].as_str()?.split_once("/v1/do/")?;
    let (name, _) = commands.get_key_value(name)?;
    let status = &entry["response"]["status"];
    let is_read = request["method"] == "POST" && (status == 200 || status == 400);
    if !is_read || request["postData"]["mimeType"] != "application/json" {
        return None;
    }
    let body = serde_json::from_str(request["postData"]["text"].as_str()?).ok()?;
    let text = entry["response"]["content"]["text"].as_str()?;
    let mut reply: Value = serde_json::from_str(text).ok()?;
    reply["status"] = status.clone();
    // About the head, not the parameters.
    (reply["error"]["error_code"] != "BadRequest").then_some((name.as_str(), body, reply))
}

/// Whether a body is taken because the Python proxy took it: conditions that are empty in another way.
fn is_lenient(body: &Value) -> bool {
    let conditions = &body["schema"]["where"];
    [json!(null), json!({}), json!(""), json!(false), json!(0)].contains(conditions)
        || !body["schema"]["fetch_results"].is_boolean()
}

/// Whether a number in there is an integer to JSON Schema, as 7.0 is, and none to the commands.
fn has_whole_fraction(body: &Value) -> bool {
    match body {
        Value::Number(number) => {
            number.is_f64() && number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        Value::Array(items) => items.iter().any(has_whole_fraction),
        Value::Object(members) => members.values().any(has_whole_fraction),
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_document_does_not_say_is_found() {
    let shop = Shop::start().await;
    let mut document = document(&shop.server).await;
    let directory = tempfile::tempdir().unwrap();
    let select = "/v1/do/postgres_v2/SelectValuesV2";
    let more = ["--include-path", select, "--max-examples", "1"];
    let (clean, said) = exercise(directory.path(), &document, &shop.server.base, &more);
    assert!(clean, "{said}");
    let responses = document["paths"][select]["post"]["responses"].as_object_mut();
    responses.unwrap().remove("400");
    let (clean, said) = exercise(directory.path(), &document, &shop.server.base, &more);
    assert!(
        !clean && said.contains("Undocumented status code"),
        "{said}"
    );
}
