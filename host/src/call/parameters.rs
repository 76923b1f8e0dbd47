//! The parameters of a call as they were sent: JSON, and what some clients take for it.

use crate::fault::{Fault, Kind};
use crate::limits::MAX_JSON_DEPTH;
use crate::seal;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Some clients put it in front of UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The parameters of a call, as they were sent.
#[derive(Debug, Default)]
pub struct Parameters<'t> {
    /// A JSON object, or something empty.
    pub(super) text: Cow<'t, str>,
    /// Parameters that take the place of those in the text.
    pub(super) more: BTreeMap<String, Value>,
}

impl<'t> Parameters<'t> {
    /// Takes the body of a request: a JSON object. `null` and other empty values count as `{}`.
    ///
    /// The bare words `NaN`, `Infinity` and `-Infinity`, which Python writes into JSON, are read as
    /// text, which PostgreSQL takes for numbers.
    ///
    /// # Errors
    /// When the text is neither an object nor empty. The object itself is read when the command is
    /// known, by [`CommandSpec::call`](super::CommandSpec::call).
    pub fn parse(text: &'t [u8]) -> Result<Parameters<'t>, Fault> {
        let text = std::str::from_utf8(text).map_err(|_| malformed("the body is not UTF-8"))?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        if text.trim_start().starts_with('{') {
            return Ok(Parameters {
                text: text.into(),
                more: BTreeMap::new(),
            });
        }
        match serde_json::from_str(text).map_err(|error| unreadable(&error))? {
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
        }
    }

    /// Whether the text is JSON, for those who want to know before the command does.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self) -> Result<(), Fault> {
        let read = |text: &str| serde_json::from_str::<IgnoredAny>(text);
        match (read(&self.text), quote_non_finite(&self.text)) {
            (Err(_), Cow::Owned(quoted)) => read(&quoted),
            (Err(_), Cow::Borrowed("")) => Ok(IgnoredAny),
            (result, _) => result,
        }
        .map(drop)
        .map_err(|error| unreadable(&error))
    }

    /// These parameters with one more, or with another value for one.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Parameters<'t> {
        self.more.insert(name.into(), value);
        self
    }
}

impl From<Map<String, Value>> for Parameters<'_> {
    fn from(map: Map<String, Value>) -> Self {
        Parameters {
            text: Value::Object(map).to_string().into(),
            more: BTreeMap::new(),
        }
    }
}

fn malformed(message: impl Into<String>) -> Fault {
    Fault::new(Kind::Parameters, "BadRequest", message)
}

pub(super) fn unreadable(error: &serde_json::Error) -> Fault {
    let message = error.to_string();
    if message.contains("surrogate") || message.contains("hex escape") {
        return Fault::parameters(
            "UnicodeEncodeError",
            format!("the body holds half of a surrogate pair, which is no character: {message}"),
        );
    }
    if message.contains(seal::TOO_DEEP) {
        let most = MAX_JSON_DEPTH;
        return malformed(format!(
            "a value of the body nests deeper than {most} levels"
        ));
    }
    if message.contains(seal::TOO_MANY) {
        let message = "the body holds too many values; send those of many rows as one list of rows";
        return malformed(message);
    }
    malformed(format!("the body is not valid JSON: {message}"))
}

/// Puts `NaN`, `Infinity` and `-Infinity` in quotes where they stand outside of strings.
pub(super) fn quote_non_finite(text: &str) -> Cow<'_, str> {
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
