use super::*;
use crate::plan::{Access, Command, Parameter, ParameterKind};
use serde_json::json;

/// Reads `text` for a command with the parameters `a` and `b`.
fn read(text: &[u8]) -> Result<Call, Fault> {
    let parameter = |name: &str| Parameter {
        name: name.into(),
        kind: ParameterKind::Any,
        required: false,
        summary: String::new(),
        schema: None,
        sealed: vec!["/*/x".into()],
    };
    let command = Command {
        name: "C".into(),
        summary: String::new(),
        access: Access::Read,
        raw: false,
        parameters: vec![parameter("a"), parameter("b")],
        errors: vec![],
        example: "{}".into(),
    };
    CommandSpec::new(command)?.call(Parameters::parse(text)?)
}

#[test]
fn python_numbers_are_read() {
    let text = r#"{"a": [NaN, -Infinity, Infinity], "b": "NaN \" NaN"}"#;
    let call = read(text.as_bytes()).unwrap();
    let value = |pointer| call.input.value(pointer).unwrap();
    assert_eq!(*value("/a"), json!(["NaN", "-Infinity", "Infinity"]));
    assert_eq!(*value("/b"), "NaN \" NaN");
    assert!(read(b"{\"a\": nan}").is_err());
}

#[test]
fn empty_values_count_as_no_parameters() {
    for text in [
        "null",
        "0",
        "false",
        "\"\"",
        "[]",
        "{}",
        " {} ",
        "\u{feff}{}",
    ] {
        assert_eq!(read(text.as_bytes()).unwrap().sealed(), "{}", "{text}");
    }
    for (text, code) in [
        ("[1]", "TypeError"),
        ("true", "TypeError"),
        ("{\"c\": 1}", "TypeError"),
        ("", "BadRequest"),
        ("{'a': 1}", "BadRequest"),
        ("{} x", "BadRequest"),
        (r#"{"a": "\ud800b"}"#, "UnicodeEncodeError"),
    ] {
        assert_eq!(read(text.as_bytes()).unwrap_err().code, code, "{text}");
    }
}

#[test]
fn engine_keys_are_dropped_unread() {
    let deep = "[".repeat(300) + &"]".repeat(300);
    let text = format!(r#"{{"spiff__task_data": {deep}, "b": 1, "a": 1, "b": [{{"x": 3}}]}}"#);
    let call = read(text.as_bytes()).unwrap();
    assert_eq!(call.sealed(), r#"{"a":"int4","b":[{"x":"int4"}]}"#);
    // Names that are repeated further inside, too.
    let text = format!(r#"{{"spiff__task_data": {deep}, "b": [{{"x": 3, "x": "y", "z": 1}}]}}"#);
    let call = read(text.as_bytes()).unwrap();
    assert_eq!(call.sealed(), r#"{"b":[{"x":"string","z":1}]}"#);
    assert_eq!(*call.input.value("/b/0/x").unwrap(), "y");
}
