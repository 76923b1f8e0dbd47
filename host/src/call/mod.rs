//! One request for one command: from JSON text to checked, sealed parameters.

use crate::fault::{Fault, Kind};
use crate::input::Input;
use crate::limits::MAX_JSON_DEPTH;
use crate::plan::{Command, ParameterKind};
use crate::seal::{self, MAX_PATTERNS, Name, Pattern, Sealed};
use crate::secret::Secret;
use serde::de::{Deserialize as _, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Parameters that engines add for themselves begin with this. They are dropped.
pub(crate) const ENGINE_PREFIX: &str = "spiff__";

/// Two of them that are read: they tell which task the call is for.
const PROCESS_ID: &str = "spiff__process_instance_id";
const TASK_ID: &str = "spiff__task_id";

/// Longest id of a process or a task that is taken for one, in bytes; engines use UUIDs and numbers.
const MAX_ID_BYTES: usize = 200;

/// Some clients put it in front of UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The parameters of a call, as they were sent.
#[derive(Debug, Default)]
pub struct Parameters<'t> {
    /// A JSON object, or something empty.
    text: Cow<'t, str>,
    /// Parameters that take the place of those in the text.
    more: BTreeMap<String, Value>,
}

/// A command with its sealing patterns, ready to receive calls.
#[derive(Debug)]
pub struct CommandSpec {
    /// What the connector says about the command.
    pub command: Command,
    /// Patterns of each parameter, in the order of the parameters.
    patterns: Vec<Vec<Pattern>>,
}

/// A call whose parameters fit the command.
#[derive(Debug)]
pub struct Call {
    /// The connection parameter, where the command has one and the call gives it.
    pub connection: Option<Connection>,
    /// The other parameters.
    pub input: Input,
    /// The task of the engine that the call is for, where the engine says so.
    pub task: Option<Task>,
}

/// A task of a workflow engine, by what the engine calls it. A task that is tried again has the same ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Id of the process instance.
    pub process_id: String,
    /// Id of the task in it.
    pub task_id: String,
}

/// What a call gives as its connection parameter.
#[derive(Debug)]
pub enum Connection {
    /// A connection string.
    String(Secret),
    /// Something else, by the name of its type in Python.
    Other(&'static str),
}

impl From<Value> for Connection {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Connection::String(Secret::new(text)),
            // Where none is given, the defaults count.
            Value::Null => Connection::String(Secret::new("")),
            other => Connection::Other(seal::python_type(&other)),
        }
    }
}

impl Call {
    /// The connection string; empty where the call gives none.
    ///
    /// # Errors
    /// `TypeError` where what it gives is no text.
    pub fn connection_string(&self) -> Result<&str, Fault> {
        match &self.connection {
            None => Ok(""),
            Some(Connection::String(text)) => Ok(text.expose()),
            Some(Connection::Other(kind)) => {
                let message = format!("Expected bytes or unicode string, got {kind} instead");
                Err(Fault::new(Kind::Connection, "TypeError", message))
            }
        }
    }

    /// The parameters as the connector sees them, a JSON object.
    #[must_use]
    pub fn sealed(&self) -> &str {
        self.input.sealed()
    }
}

impl<'t> Parameters<'t> {
    /// Takes the body of a request: a JSON object. `null` and other empty values count as `{}`.
    ///
    /// The bare words `NaN`, `Infinity` and `-Infinity`, which Python writes into JSON, are read as
    /// text, which PostgreSQL takes for numbers.
    ///
    /// # Errors
    /// When the text is neither an object nor empty. The object itself is read when the command is
    /// known, by [`CommandSpec::call`].
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

fn unreadable(error: &serde_json::Error) -> Fault {
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

    /// Reads the parameters, checks them against the command and seals them.
    ///
    /// # Errors
    /// When the text is not JSON; `TypeError` where a parameter is missing or unknown.
    pub fn call(&self, parameters: Parameters<'_>) -> Result<Call, Fault> {
        let mut read = self.read(&parameters.text)?;
        for (name, value) in parameters.more {
            let text = value.to_string();
            let mut json = serde_json::Deserializer::from_str(&text);
            read.member(&name, &mut json)
                .map_err(|error| unreadable(&error))?;
        }
        read.into_call()
    }

    fn read(&self, text: &str) -> Result<Read<'_>, Fault> {
        if text.is_empty() {
            return Ok(Read::new(self));
        }
        let read = |text: &str| {
            let mut json = serde_json::Deserializer::from_str(text);
            let read = Read::new(self).deserialize(&mut json)?;
            json.end()?;
            Ok(read)
        };
        let error: serde_json::Error = match read(text) {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        let mended = match quote_non_finite(text) {
            _ if error.to_string().starts_with(seal::REPEATED) => last_of_each_name(text),
            Cow::Owned(quoted) => Ok(quoted),
            Cow::Borrowed(_) => Err(error),
        };
        mended
            .and_then(|text| read(&text))
            .map_err(|error| unreadable(&error))
    }
}

/// The same object, with the last one of members that have the same name.
fn last_of_each_name(text: &str) -> serde_json::Result<String> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text)?;
    let own = members
        .into_iter()
        .filter(|(name, _)| !name.starts_with(ENGINE_PREFIX) || is_id(name));
    let own: serde_json::Result<Map<String, Value>> = own
        .map(|(name, value)| Ok((name.into_owned(), serde_json::from_str(value.get())?)))
        .collect();
    Ok(Value::Object(own?).to_string())
}

fn is_id(name: &str) -> bool {
    name == PROCESS_ID || name == TASK_ID
}

/// The text of an id; none where it can be none.
fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let fits = (1..=MAX_ID_BYTES).contains(&text.len()) && !text.contains('\0');
    fits.then_some(text)
}

/// Parameters as they are read.
struct Read<'s> {
    spec: &'s CommandSpec,
    connection: Option<Connection>,
    /// What was read, in the order of the command's parameters.
    members: Vec<Option<Sealed>>,
    unknown: Option<String>,
    process_id: Option<String>,
    task_id: Option<String>,
}

impl<'s> Read<'s> {
    fn new(spec: &'s CommandSpec) -> Read<'s> {
        let parameters = spec.command.parameters.iter();
        Read {
            spec,
            connection: None,
            members: parameters.map(|_| None).collect(),
            unknown: None,
            process_id: None,
            task_id: None,
        }
    }

    /// Reads one parameter. Of several with the same name, the last counts.
    fn member<'de, D: Deserializer<'de>>(&mut self, name: &str, json: D) -> Result<(), D::Error> {
        let mut parameters = self.spec.command.parameters.iter().enumerate();
        let known = parameters.find(|(_, parameter)| parameter.name == name);
        let Some((at, parameter)) = known else {
            if is_id(name) {
                let id = id(&Value::deserialize(json)?);
                match name {
                    PROCESS_ID => self.process_id = id,
                    _ => self.task_id = id,
                }
                return Ok(());
            }
            IgnoredAny::deserialize(json)?;
            if !name.starts_with(ENGINE_PREFIX) {
                self.unknown.get_or_insert_with(|| name.to_owned());
            }
            return Ok(());
        };
        if parameter.kind == ParameterKind::Connection {
            self.connection = Some(Value::deserialize(json)?.into());
            return Ok(());
        }
        let patterns = self.spec.patterns.get(at).map_or(&[][..], Vec::as_slice);
        let sealed = seal::read(name, patterns, json)?;
        if let Some(slot) = self.members.get_mut(at) {
            *slot = Some(sealed);
        }
        Ok(())
    }

    fn into_call(self) -> Result<Call, Fault> {
        let command = &self.spec.command;
        let connection = self.connection;
        let mut values = Vec::new();
        let sizes = command.parameters.iter().zip(&self.members);
        let size = sizes.filter_map(|(parameter, sealed)| {
            let sealed = sealed.as_ref()?;
            Some(parameter.name.len() + sealed.text.len() + r#""":,"#.len())
        });
        let mut text = Vec::with_capacity("{}".len() + size.sum::<usize>());
        text.push(b'{');
        for (parameter, sealed) in command.parameters.iter().zip(self.members) {
            let is_connection = parameter.kind == ParameterKind::Connection;
            match sealed {
                None if parameter.required && !(is_connection && connection.is_some()) => {
                    let message = format!(
                        "{} is missing the required parameter '{}': {}",
                        command.name, parameter.name, parameter.summary
                    );
                    return Err(Fault::parameters("TypeError", message));
                }
                None => {}
                Some(sealed) => {
                    if text.len() > 1 {
                        text.push(b',');
                    }
                    // Writing into memory cannot fail.
                    let _ = serde_json::to_writer(&mut text, &parameter.name);
                    text.push(b':');
                    text.extend_from_slice(&sealed.text);
                    values.extend(sealed.values);
                }
            }
        }
        if let Some(unknown) = self.unknown {
            let known: Vec<_> = command
                .parameters
                .iter()
                .map(|parameter| parameter.name.as_str())
                .collect();
            let message = format!(
                "{} got an unexpected parameter '{unknown}'; it takes {}",
                command.name,
                known.join(", ")
            );
            return Err(Fault::parameters("TypeError", message));
        }
        text.push(b'}');
        let text = String::from_utf8(text).map_err(Fault::internal)?;
        let ids = self.process_id.zip(self.task_id);
        Ok(Call {
            connection,
            input: Input::new(text, values),
            task: ids.map(|(process_id, task_id)| Task {
                process_id,
                task_id,
            }),
        })
    }
}

impl<'de> DeserializeSeed<'de> for Read<'_> {
    type Value = Self;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Read<'_> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of parameters")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(name) = map.next_key::<Name<'de>>()? {
            map.next_value_seed(Member {
                name: &name.0,
                read: &mut self,
            })?;
        }
        Ok(self)
    }
}

/// The value of one parameter, about to be read.
struct Member<'r, 's> {
    name: &'r str,
    read: &'r mut Read<'s>,
}

impl<'de> DeserializeSeed<'de> for Member<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        self.read.member(self.name, json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Access, Parameter};
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
        let text =
            format!(r#"{{"spiff__task_data": {deep}, "b": [{{"x": 3, "x": "y", "z": 1}}]}}"#);
        let call = read(text.as_bytes()).unwrap();
        assert_eq!(call.sealed(), r#"{"b":[{"x":"string","z":1}]}"#);
        assert_eq!(*call.input.value("/b/0/x").unwrap(), "y");
    }
}
