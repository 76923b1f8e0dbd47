//! One declaration with a field of each type.

use super::*;
use crate::params::{Integer, List, Passed};
use crate::{Argument, Sealed};

parameters! {
    /// One of each.
    struct Input {
        /// A word
        /// of two lines.
        r#type: String,
        /// Seen by nobody.
        values: Option<List<Passed<Value>, 1, 3>>,
        /// Text each.
        names: Option<List<Passed<String>, 0, 2>>,
        /// A number.
        ratio: Option<Passed<f64>>,
        /// Within a range.
        count: Integer<-5, 5> = Integer::of::<3>(),
    }
}

fn read(input: &str) -> Result<Input, Failure> {
    Input::read(&Call {
        command: "C".into(),
        input: input.into(),
    })
}

#[test]
fn parameters_are_described_by_their_types() {
    let described = Input::describe();
    let [kind, values, names, ratio, count] = described.as_slice() else {
        panic!("{described:?}");
    };
    assert_eq!(
        (kind.name.as_str(), kind.summary.as_str()),
        ("type", "A word of two lines.")
    );
    assert_eq!(
        (kind.required, values.required, count.required),
        (true, false, false)
    );
    assert_eq!(
        (&values.sealed, &names.sealed),
        (&vec!["/*".to_owned()], &vec!["/*".to_owned()])
    );
    assert_eq!(
        (&ratio.sealed, kind.sealed.len()),
        (&vec![String::new()], 0)
    );
    let schema: Value = serde_json::from_str(count.schema.as_deref().unwrap()).unwrap();
    let expected = json!({"type": ["integer", "null"], "minimum": -5, "maximum": 5, "default": 3,
        "description": "Within a range."});
    assert_eq!(schema, expected);
}

#[test]
fn sealed_values_are_known_by_pointer() {
    let input =
        read(r#"{"type": "t", "values": ["null", "array"], "ratio": "int8", "count": -5.0}"#);
    let input = input.unwrap();
    assert_eq!((input.r#type.as_str(), input.count.get()), ("t", -5));
    let values = input.values.unwrap();
    assert_eq!(
        Argument::from(&values[1]),
        Argument::Input("/values/1".into())
    );
    assert_eq!(values[0].kind(), Sealed::Null);
    assert_eq!(input.ratio.unwrap().pointer(), "/ratio");
    assert!(input.names.is_none());
    // A null is what is left out, sealed or not.
    let input =
        read(r#"{"type": "null", "values": "null", "ratio": null, "count": null}"#).unwrap();
    assert!(input.values.is_none() && input.ratio.is_none());
    assert_eq!((input.r#type.as_str(), input.count.get()), ("null", 3));
}

#[test]
fn what_does_not_fit_is_named() {
    for (input, code, pointer, message) in [
        ("{}", "KeyError", "/type", "type is missing; it takes text"),
        (
            r#"{"type": null}"#,
            "KeyError",
            "/type",
            "type is missing; it takes text",
        ),
        (
            r#"{"type": 5}"#,
            "TypeError",
            "/type",
            "text was expected, not a number",
        ),
        (
            r#"{"type": "t", "values": "int4"}"#,
            "TypeError",
            "/values",
            "a list was expected, not a number",
        ),
        (
            r#"{"type": "t", "values": {"a": "int4"}}"#,
            "TypeError",
            "/values",
            "a list was expected, not an object",
        ),
        (
            r#"{"type": "t", "values": []}"#,
            "ValueError",
            "/values",
            "a list of 1 to 3 elements was expected",
        ),
        (
            r#"{"type": "t", "names": ["string", "null"]}"#,
            "TypeError",
            "/names/1",
            "text was expected, not null",
        ),
        (
            r#"{"type": "t", "ratio": "boolean"}"#,
            "TypeError",
            "/ratio",
            "a number was expected, not true or false",
        ),
        (
            r#"{"type": "t", "count": 6}"#,
            "ValueError",
            "/count",
            "a whole number from -5 to 5 was expected",
        ),
        (
            r#"{"type": "t", "count": 9007199254740993.5}"#,
            "ValueError",
            "/count",
            "a whole number from -5 to 5 was expected",
        ),
        (
            r#"{"type": "t", "kind": 6}"#,
            "TypeError",
            "/kind",
            "C takes type, values, names, ratio, count",
        ),
    ] {
        let failure = read(input).unwrap_err();
        let found = (
            failure.code.as_str(),
            failure.pointer.as_deref(),
            failure.message.as_str(),
        );
        assert_eq!(found, (code, Some(pointer), message), "{input}");
    }
}
