//! Sealing: a connector sees kinds in the places of values, and pointers still lead to the values.

use airlock::Parameters;
use airlock::call::{Call, CommandSpec};
use airlock::plan::{Access, Command, Parameter, ParameterKind};
use airlock::seal::{MAX_PATTERNS, Pattern, kind};
use serde_json::Value;

/// Objects with members of these names stand for other values inside of `serde_json`.
const MAGIC: &str = "$serde_json::private::";

/// Nesting from which reading may be given up.
const DEEP: usize = 100;

/// Takes the first line as patterns, separated by spaces, and the rest as JSON.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let (patterns, json) = text.split_once('\n').unwrap_or(("", text));
    let patterns: Vec<&str> = patterns.split(' ').collect();
    let well_formed = patterns.iter().all(|text| Pattern::parse(text).is_ok());
    let spec = CommandSpec::new(command(&patterns));
    assert_eq!(spec.is_ok(), well_formed && patterns.len() <= MAX_PATTERNS);
    let Ok(spec) = spec else { return };
    let body = format!(r#"{{"p": {json}}}"#);
    let call = spec.call(Parameters::parse(body.as_bytes()).unwrap());
    let magic = json.contains(MAGIC) || json.contains("\\u");
    match (call, serde_json::from_str::<Value>(json)) {
        (Ok(call), Ok(value)) if !magic => check_call(&call, &patterns, &value),
        // What stands for other values still gives the connector something that it can read.
        (Ok(call), _) => drop(serde_json::from_str::<Value>(call.sealed()).unwrap()),
        (Err(_), Err(_)) => {}
        (Err(fault), Ok(_)) => {
            let deep = json.matches(['[', '{']).count() >= DEEP;
            assert!(deep || magic, "{fault:?}: {json}");
        }
    }
}

fn check_call(call: &Call, patterns: &[&str], value: &Value) {
    let patterns: Vec<Vec<&str>> = patterns.iter().map(|text| steps(text)).collect();
    let all: Vec<&[&str]> = patterns.iter().map(Vec::as_slice).collect();
    let sealed: Value = serde_json::from_str(call.sealed()).unwrap();
    assert_eq!(sealed["p"], seal(value, &all));
    assert_eq!(call.input.value("/p"), Some(value));
    check_pointers(call, "/p", value);
    assert_eq!(format!("{:?}", call.input), "(redacted)");
}

/// Every pointer leads to the value that stands there.
fn check_pointers(call: &Call, pointer: &str, value: &Value) {
    assert_eq!(call.input.value(pointer), Some(value), "{pointer}");
    let count = value.as_array().map_or(0, Vec::len);
    assert_eq!(call.input.count(pointer, usize::MAX), count, "{pointer}");
    assert_eq!(call.input.count(pointer, 1), count.min(1), "{pointer}");
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                check_pointers(call, &format!("{pointer}/{at}"), item);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let step = name.replace('~', "~0").replace('/', "~1");
                check_pointers(call, &format!("{pointer}/{step}"), member);
            }
        }
        _ => {}
    }
}

/// What a connector shall see of `value`, by the rule in the documentation of `seal`: `live` are the
/// patterns that have matched so far, without their matched steps.
fn seal(value: &Value, live: &[&[&str]]) -> Value {
    let inside = |matches: &dyn Fn(&str) -> bool| -> Vec<&[&str]> {
        let going_on = live.iter().filter(|steps| matches(steps[0]));
        going_on.map(|steps| &steps[1..]).collect()
    };
    match value {
        _ if live.is_empty() => value.clone(),
        _ if live.iter().any(|steps| steps.is_empty()) => kind(value).into(),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let item = |(at, item): (usize, &Value)| {
                let at = at.to_string();
                seal(item, &inside(&|step| step == "*" || step == at))
            };
            items.map(item).collect()
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| {
                let matches =
                    |step: &str| step == "*" || step.replace("~1", "/").replace("~0", "~") == *name;
                (name.clone(), seal(member, &inside(&matches)))
            });
            Value::Object(members.collect())
        }
        scalar => kind(scalar).into(),
    }
}

fn steps(pattern: &str) -> Vec<&str> {
    pattern.split('/').skip(1).collect()
}

fn command(patterns: &[&str]) -> Command {
    Command {
        name: "C".into(),
        summary: String::new(),
        access: Access::Read,
        raw: false,
        parameters: vec![Parameter {
            name: "p".into(),
            kind: ParameterKind::Any,
            required: true,
            summary: String::new(),
            schema: None,
            sealed: patterns.iter().map(|&text| text.into()).collect(),
        }],
        errors: vec![],
        example: "{}".into(),
    }
}
