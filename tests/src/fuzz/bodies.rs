//! Bodies of requests: read as any reader of JSON would, and refused in words.

use airlock::Parameters;
use airlock::call::{Call, CommandSpec};
use airlock::fault::{Fault, Kind};
use airlock::plan::{Access, Command, Parameter, ParameterKind};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Names of the parameters: two values, the second with values in it that are sealed, and a connection.
const NAMES: [&str; 3] = ["a", "b", "c"];

static SPEC: LazyLock<CommandSpec> = LazyLock::new(|| {
    let parameter = |name: &str| Parameter {
        name: name.into(),
        kind: match name {
            "c" => ParameterKind::Connection,
            _ => ParameterKind::Any,
        },
        required: false,
        summary: String::new(),
        schema: None,
        sealed: if name == "b" {
            vec!["/*/x".into()]
        } else {
            vec![]
        },
    };
    CommandSpec::new(Command {
        name: "C".into(),
        summary: String::new(),
        access: Access::Read,
        raw: false,
        parameters: NAMES.map(parameter).into(),
        errors: vec![],
        example: "{}".into(),
    })
    .unwrap()
});

/// Takes the input as the body of a request.
pub fn check(input: &[u8]) {
    let (read, checked) = match Parameters::parse(input) {
        Ok(parameters) => {
            let checked = parameters.check();
            (SPEC.call(parameters), checked)
        }
        Err(fault) => (Err(fault), Ok(())),
    };
    let text = String::from_utf8_lossy(input);
    match (&read, reference(input)) {
        (Ok(call), Some(expected)) => check_values(call, &expected, &text),
        (Err(fault), Some(expected)) => {
            // The values are JSON, so it is the names, or what one of the names holds.
            let odd =
                |name: &String| !NAMES.contains(&name.as_str()) && !name.starts_with("spiff__");
            let known = expected.keys().any(odd) || text.contains("serde_json");
            assert!(known, "{fault:?}: {text}");
        }
        // Python's bare words for numbers, empty values, what is not read, and deep nesting.
        (Ok(_), None) => {}
        (Err(_), None) => {}
    }
    if let Err(fault) = &read {
        check_fault(fault);
    }
    if let (Ok(_), Err(fault)) = (&read, &checked) {
        // Of names that are repeated only the last value has to be JSON that fits.
        panic!("{fault:?}, and yet it is read: {text}");
    }
}

fn reference(input: &[u8]) -> Option<Map<String, Value>> {
    let input = input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input);
    serde_json::from_slice(input).ok()
}

fn check_values(call: &Call, expected: &Map<String, Value>, text: &str) {
    let sealed: Value = serde_json::from_str(call.sealed()).unwrap();
    for name in ["a", "b"] {
        let pointer = format!("/{name}");
        assert_eq!(call.input.value(&pointer), expected.get(name), "{text}");
        assert_eq!(sealed.get(name).is_some(), expected.contains_key(name));
    }
    let connection = call.connection_string();
    match expected.get("c") {
        None | Some(Value::Null) => assert_eq!(connection.unwrap(), ""),
        Some(Value::String(given)) => assert_eq!(connection.unwrap(), given),
        Some(_) => assert_eq!(connection.unwrap_err().code, "TypeError"),
    }
    assert!(sealed.get("c").is_none());
}

/// What is wrong with a body is the caller's, and said in short.
fn check_fault(fault: &Fault) {
    assert_eq!(fault.kind, Kind::Parameters, "{fault:?}");
    assert!(!fault.code.is_empty() && !fault.message.is_empty());
}
