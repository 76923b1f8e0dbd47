//! One request for one command: from JSON text to checked, sealed parameters.

use crate::fault::{Fault, Kind};
use crate::plan::{Command, ParameterKind};
use crate::seal::{self, MAX_PATTERNS, Pattern};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Parameters that engines add for themselves begin with this. They are dropped unread.
const ENGINE_PREFIX: &str = "spiff__";

/// Some clients put it in front of UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The parameters of a call by name, as they were sent.
#[derive(Debug, Default)]
pub struct Parameters(BTreeMap<String, Value>);

/// A command with its sealing patterns, ready to receive calls.
#[derive(Debug)]
pub struct CommandSpec {
    /// What the connector says about the command.
    pub command: Command,
    /// Patterns of each parameter, in the order of the parameters.
    patterns: Vec<Vec<Pattern>>,
}

/// A call whose parameters fit the command.
pub struct Call {
    /// The connection parameter, where the command has one and the call gives it.
    pub connection: Option<Value>,
    /// The other parameters.
    pub input: Value,
    /// The other parameters as the connector sees them.
    pub sealed: String,
}

impl Parameters {
    /// Reads the body of a request: a JSON object. `null` and other empty values count as `{}`.
    ///
    /// The bare words `NaN`, `Infinity` and `-Infinity`, which Python writes into JSON, are read as
    /// text, which PostgreSQL takes for numbers.
    ///
    /// # Errors
    /// When the text is not JSON, or is neither an object nor empty.
    pub fn parse(text: &[u8]) -> Result<Parameters, Fault> {
        let text = std::str::from_utf8(text).map_err(|_| malformed("the body is not UTF-8"))?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        match read(text) {
            Err(fault) => match quote_non_finite(text) {
                Cow::Owned(text) => read(&text),
                Cow::Borrowed(_) => Err(fault),
            },
            parameters => parameters,
        }
    }
}

impl Parameters {
    /// These parameters with one more, or with another value for one.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Parameters {
        self.0.insert(name.into(), value);
        self
    }
}

impl From<Map<String, Value>> for Parameters {
    fn from(map: Map<String, Value>) -> Self {
        Parameters(
            map.into_iter()
                .filter(|(name, _)| !name.starts_with(ENGINE_PREFIX))
                .collect(),
        )
    }
}

fn read(text: &str) -> Result<Parameters, Fault> {
    if !text.trim_start().starts_with('{') {
        return match serde_json::from_str(text).map_err(|error| unreadable(&error))? {
            Value::Null | Value::Bool(false) => Ok(Parameters::default()),
            Value::Number(number) if number.as_f64() == Some(0.0) => Ok(Parameters::default()),
            Value::String(text) if text.is_empty() => Ok(Parameters::default()),
            Value::Array(items) if items.is_empty() => Ok(Parameters::default()),
            other => Err(Fault::parameters(
                "TypeError",
                format!(
                    "the body must be a JSON object of parameters, not {}",
                    seal::kind(&other)
                ),
            )),
        };
    }
    serde_json::from_str(text).map_err(|error| unreadable(&error))
}

impl<'de> Deserialize<'de> for Parameters {
    /// Reads an object; of members with the same name, the last counts.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Parameters, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Parameters;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of parameters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
                let mut members = BTreeMap::new();
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    if name.starts_with(ENGINE_PREFIX) {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        members.insert(name.into_owned(), map.next_value()?);
                    }
                }
                Ok(Parameters(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

fn malformed(message: impl Into<String>) -> Fault {
    Fault::new(Kind::Parameters, "BadRequest", message)
}

fn unreadable(error: &serde_json::Error) -> Fault {
    let message = error.to_string();
    if message.contains("surrogate") || message.contains("hex escape") {
        return Fault::parameters(
            "UnicodeEncodeError",
            format!("the body holds half of a surrogate pair, which is no character: {message}"),
        );
    }
    malformed(format!("the body is not valid JSON: {message}"))
}

/// Puts `NaN`, `Infinity` and `-Infinity` in quotes where they stand outside of strings.
fn quote_non_finite(text: &str) -> Cow<'_, str> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    let mut quoted = String::new();
    let mut copied = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        if *byte == b'"' {
            at += 1;
            while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                at += if *byte == b'\\' { 2 } else { 1 };
            }
        } else if let Some(word) = WORDS.iter().find(|word| {
            bytes
                .get(at..)
                .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        }) {
            quoted.push_str(text.get(copied..at).unwrap_or_default());
            quoted.push('"');
            quoted.push_str(word);
            quoted.push('"');
            at += word.len();
            copied = at;
            continue;
        }
        at += 1;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    quoted.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(quoted)
}

impl CommandSpec {
    /// Compiles the patterns of a command.
    ///
    /// # Errors
    /// When a pattern is malformed; the connector is to blame.
    pub fn new(command: Command) -> Result<CommandSpec, Fault> {
        let patterns = command.parameters.iter().map(|parameter| {
            if parameter.sealed.len() > MAX_PATTERNS {
                let message = format!(
                    "{} seals the parameter {} with more than {MAX_PATTERNS} patterns",
                    command.name, parameter.name
                );
                return Err(Fault::connector(message));
            }
            parameter
                .sealed
                .iter()
                .map(|text| Pattern::parse(text))
                .collect()
        });
        Ok(CommandSpec {
            patterns: patterns.collect::<Result<_, _>>()?,
            command,
        })
    }

    /// Name of the parameter that holds the connection string, where there is one.
    #[must_use]
    pub fn connection_parameter(&self) -> Option<&str> {
        let parameters = self.command.parameters.iter();
        parameters
            .into_iter()
            .find(|p| p.kind == ParameterKind::Connection)
            .map(|p| p.name.as_str())
    }

    /// Checks the parameters against the command and seals them.
    ///
    /// # Errors
    /// `TypeError` where a parameter is missing or unknown.
    pub fn call(&self, Parameters(mut given): Parameters) -> Result<Call, Fault> {
        let name = &self.command.name;
        let mut connection = None;
        let mut input = Map::new();
        let mut sealed = b"{".to_vec();
        for (parameter, patterns) in self.command.parameters.iter().zip(&self.patterns) {
            match given.remove(&parameter.name) {
                None if parameter.required => {
                    let message = format!(
                        "{name} is missing the required parameter '{}': {}",
                        parameter.name, parameter.summary
                    );
                    return Err(Fault::parameters("TypeError", message));
                }
                None => {}
                Some(value) if parameter.kind == ParameterKind::Connection => {
                    connection = Some(value)
                }
                Some(value) => {
                    seal_member(&parameter.name, &value, patterns, &mut sealed);
                    input.insert(parameter.name.clone(), value);
                }
            }
        }
        if let Some(unknown) = given.keys().next() {
            let known: Vec<_> = self
                .command
                .parameters
                .iter()
                .map(|parameter| parameter.name.as_str())
                .collect();
            let message = format!(
                "{name} got an unexpected parameter '{unknown}'; it takes {}",
                known.join(", ")
            );
            return Err(Fault::parameters("TypeError", message));
        }
        sealed.push(b'}');
        Ok(Call {
            connection,
            input: Value::Object(input),
            sealed: String::from_utf8(sealed).map_err(Fault::internal)?,
        })
    }
}

fn seal_member(name: &str, value: &Value, patterns: &[Pattern], out: &mut Vec<u8>) {
    if out.len() > 1 {
        out.push(b',');
    }
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(&mut *out, name);
    out.push(b':');
    seal::seal_into(value, patterns, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_numbers_are_read() {
        let text = r#"{"a": [NaN, -Infinity, Infinity], "b": "NaN \" NaN", "NaN": 1}"#;
        let Parameters(read) = Parameters::parse(text.as_bytes()).unwrap();
        assert_eq!(
            read["a"],
            serde_json::json!(["NaN", "-Infinity", "Infinity"])
        );
        assert_eq!(read["b"], "NaN \" NaN");
        assert!(Parameters::parse(b"{\"a\": nan}").is_err());
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
            assert!(
                Parameters::parse(text.as_bytes()).unwrap().0.is_empty(),
                "{text}"
            );
        }
        for (text, code) in [
            ("[1]", "TypeError"),
            ("true", "TypeError"),
            ("", "BadRequest"),
            ("{'a': 1}", "BadRequest"),
            ("{} x", "BadRequest"),
            (r#"{"a": "\ud800b"}"#, "UnicodeEncodeError"),
        ] {
            assert_eq!(
                Parameters::parse(text.as_bytes()).unwrap_err().code,
                code,
                "{text}"
            );
        }
    }

    #[test]
    fn engine_keys_are_dropped_unread() {
        let deep = format!(
            r#"{{"spiff__task_data": {}{}, "a": 1, "a": 2}}"#,
            "[".repeat(300),
            "]".repeat(300)
        );
        let Parameters(read) = Parameters::parse(deep.as_bytes()).unwrap();
        assert_eq!(read, BTreeMap::from([("a".into(), Value::from(2))]));
    }
}
