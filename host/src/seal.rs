//! Replaces the values that a connector only passes through by their kinds.
//!
//! A pattern is a JSON Pointer in which the step `*` matches every array element or object member.
//! Where a value ends before the pattern does, the value itself is sealed: a connector never sees a
//! scalar that stands where the values to seal were expected.

use crate::fault::Fault;
use serde_json::{Number, Value};

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Any,
    Key(String),
}

impl Pattern {
    /// Reads a pattern such as `/where/*/2`.
    ///
    /// # Errors
    /// When it is neither empty nor begins with `/`; the connector is to blame.
    pub fn parse(text: &str) -> Result<Pattern, Fault> {
        let steps = match text.strip_prefix('/') {
            Some(steps) => steps.split('/').map(Step::parse).collect(),
            None if text.is_empty() => Vec::new(),
            None => {
                return Err(Fault::connector(format!(
                    "the sealing pattern {text:?} does not begin with /"
                )));
            }
        };
        Ok(Pattern(steps))
    }
}

impl Step {
    fn parse(text: &str) -> Step {
        match text {
            "*" => Step::Any,
            key => Step::Key(key.replace("~1", "/").replace("~0", "~")),
        }
    }
}

/// The value with everything that any of `patterns` matches replaced by the name of its kind.
#[must_use]
pub fn seal(value: &Value, patterns: &[Pattern]) -> Value {
    let remaining: Vec<&[Step]> = patterns
        .iter()
        .map(|pattern| pattern.0.as_slice())
        .collect();
    seal_by(value, &remaining)
}

fn seal_by(value: &Value, patterns: &[&[Step]]) -> Value {
    if patterns.iter().any(|pattern| pattern.is_empty()) {
        return Value::from(kind(value));
    }
    match value {
        _ if patterns.is_empty() => value.clone(),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(at, item)| seal_by(item, &advance(patterns, &at.to_string())))
                .collect()
        }
        Value::Object(members) => {
            let members = members.iter();
            Value::Object(
                members
                    .map(|(key, member)| (key.clone(), seal_by(member, &advance(patterns, key))))
                    .collect(),
            )
        }
        scalar => Value::from(kind(scalar)),
    }
}

/// The rest of each pattern whose first step matches `key`.
fn advance<'a>(patterns: &[&'a [Step]], key: &str) -> Vec<&'a [Step]> {
    patterns
        .iter()
        .filter_map(|pattern| match pattern.split_first()? {
            (Step::Any, rest) => Some(rest),
            (Step::Key(wanted), rest) => (wanted == key).then_some(rest),
        })
        .collect()
}

/// Name of the kind of a value: that of the type which its SQL literal would have.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) => number_kind(number),
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn number_kind(number: &Number) -> &'static str {
    match number.as_i64() {
        Some(integer) if i32::try_from(integer).is_ok() => "int4",
        Some(_) => "int8",
        None => "numeric",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(patterns: &[&str], value: &Value, expected: &Value) {
        let patterns: Vec<_> = patterns
            .iter()
            .map(|p| Pattern::parse(p).unwrap())
            .collect();
        assert_eq!(&seal(value, &patterns), expected);
    }

    #[test]
    fn seals_what_matches_and_nothing_else() {
        let value = json!({"columns": ["a"], "where": [["a", "=", 5], ["b", "<", [1]], {"or": [["c", "=", "x"]]}]});
        check(
            &["/where/*/2", "/where/*/or/*/2"],
            &value,
            &json!({"columns": ["a"], "where": [["a", "=", "int4"], ["b", "<", "array"], {"or": [["c", "=", "string"]]}]}),
        );
        check(&[""], &value, &json!("object"));
        check(&[], &value, &value);
        check(
            &["/a~1b"],
            &json!({"a/b": 1, "c": 2}),
            &json!({"a/b": "int4", "c": 2}),
        );
    }

    #[test]
    fn seals_scalars_in_the_place_of_containers() {
        check(
            &["/where/*/2"],
            &json!({"where": ["secret"]}),
            &json!({"where": ["string"]}),
        );
        check(
            &["/values/*"],
            &json!("a secret in quotes"),
            &json!("string"),
        );
        check(
            &["/values/*"],
            &json!({"values": null}),
            &json!({"values": "null"}),
        );
    }

    #[test]
    fn kinds_follow_sql_literals() {
        for (text, expected) in [
            ("2147483647", "int4"),
            ("2147483648", "int8"),
            ("-9223372036854775808", "int8"),
            ("9223372036854775808", "numeric"),
            ("1.0", "numeric"),
            ("1e2", "numeric"),
            ("true", "boolean"),
        ] {
            assert_eq!(
                kind(&serde_json::from_str(text).unwrap()),
                expected,
                "{text}"
            );
        }
    }
}
