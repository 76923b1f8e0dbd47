//! Replaces the values that a connector only passes through by their kinds.
//!
//! A pattern is a JSON Pointer in which the step `*` matches every array element or object member.
//! Where a value ends before the pattern does, the value itself is sealed: a connector never sees a
//! scalar that stands where the values to seal were expected.

use crate::fault::Fault;
use serde_json::{Number, Value};

/// Most patterns of one parameter: the sealing of a value follows all of them at once, one bit each.
pub const MAX_PATTERNS: usize = u64::BITS as usize;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// `*`
    Any,
    /// A key of an object, and the index of an array that it can stand for.
    Key(String, Option<usize>),
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
            key => {
                let index = key.parse().ok().filter(|at: &usize| at.to_string() == key);
                Step::Key(key.replace("~1", "/").replace("~0", "~"), index)
            }
        }
    }

    fn matches(&self, place: Place<'_>) -> bool {
        match (self, place) {
            (Step::Any, _) => true,
            (Step::Key(key, _), Place::Member(name)) => key == name,
            (Step::Key(_, index), Place::Item(at)) => *index == Some(at),
        }
    }
}

/// Where a value stands in its container.
#[derive(Clone, Copy)]
enum Place<'a> {
    Item(usize),
    Member(&'a str),
}

/// Writes the value as JSON text, with everything that any of `patterns` matches replaced by the name
/// of its kind. Patterns beyond [`MAX_PATTERNS`] are not looked at.
pub fn seal_into(value: &Value, patterns: &[Pattern], out: &mut Vec<u8>) {
    let all = patterns.iter().take(MAX_PATTERNS);
    let live = all.enumerate().fold(0, |live, (at, _)| live | 1 << at);
    Sealer { patterns, out }.write(value, live, 0);
}

struct Sealer<'a> {
    patterns: &'a [Pattern],
    out: &'a mut Vec<u8>,
}

impl Sealer<'_> {
    /// Writes a value at `depth`; `live` has a bit for each pattern that has matched so far.
    fn write(&mut self, value: &Value, live: u64, depth: usize) {
        if live == 0 {
            return self.plain(value);
        }
        if self.any(live, |pattern| pattern.0.len() == depth) {
            return self.plain(kind(value));
        }
        match value {
            Value::Array(items) => {
                self.out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    self.comma(at);
                    let live = self.advance(live, depth, Place::Item(at));
                    self.write(item, live, depth + 1);
                }
                self.out.push(b']');
            }
            Value::Object(members) => {
                self.out.push(b'{');
                for (at, (name, member)) in members.iter().enumerate() {
                    self.comma(at);
                    self.plain(name);
                    self.out.push(b':');
                    let live = self.advance(live, depth, Place::Member(name));
                    self.write(member, live, depth + 1);
                }
                self.out.push(b'}');
            }
            scalar => self.plain(kind(scalar)),
        }
    }

    /// The patterns of `live` whose step at `depth` matches as well.
    fn advance(&self, live: u64, depth: usize, place: Place<'_>) -> u64 {
        let steps = self.patterns.iter().enumerate();
        steps.fold(0, |matched, (at, pattern)| {
            let bit = 1_u64.checked_shl(at as u32).unwrap_or(0) & live;
            let step = pattern.0.get(depth).filter(|_| bit != 0);
            match step {
                Some(step) if step.matches(place) => matched | bit,
                _ => matched,
            }
        })
    }

    fn any(&self, live: u64, holds: impl Fn(&Pattern) -> bool) -> bool {
        let mut patterns = self.patterns.iter().enumerate();
        patterns.any(|(at, pattern)| {
            1_u64.checked_shl(at as u32).unwrap_or(0) & live != 0 && holds(pattern)
        })
    }

    fn comma(&mut self, at: usize) {
        if at > 0 {
            self.out.push(b',');
        }
    }

    fn plain(&mut self, value: &(impl serde::Serialize + ?Sized)) {
        // Writing into memory cannot fail.
        let _ = serde_json::to_writer(&mut *self.out, value);
    }
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

/// Name of the type that a value has in Python, for messages that callers know.
#[must_use]
pub fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.as_str().contains(['.', 'e', 'E']) => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
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
        let mut sealed = Vec::new();
        seal_into(value, &patterns, &mut sealed);
        assert_eq!(String::from_utf8(sealed).unwrap(), expected.to_string());
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
            &["/0/1", "/1/0"],
            &json!([[1, 2, 3], [4, 5]]),
            &json!([[1, "int4", 3], ["int4", 5]]),
        );
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
