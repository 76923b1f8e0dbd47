//! Reads the parameters of a call for its command, in one pass, and seals them on the way.

use super::{Call, CommandSpec, Connection, ENGINE_PREFIX, Task};
use crate::fault::Fault;
use crate::input::Input;
use crate::plan::ParameterKind;
use crate::seal::{self, Name, Sealed};
use serde::de::{Deserialize as _, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Two of the parameters of engines are read: they tell which task the call is for.
const PROCESS_ID: &str = "spiff__process_instance_id";
const TASK_ID: &str = "spiff__task_id";

/// Longest id of a process or a task that is taken for one, in bytes; engines use UUIDs and numbers.
const MAX_ID_BYTES: usize = 200;

/// The same object, with the last one of members that have the same name.
pub(super) fn last_of_each_name(text: &str) -> serde_json::Result<String> {
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
pub(super) struct Read<'s> {
    spec: &'s CommandSpec,
    connection: Option<Connection>,
    /// What was read, in the order of the command's parameters.
    members: Vec<Option<Sealed>>,
    unknown: Option<String>,
    process_id: Option<String>,
    task_id: Option<String>,
}

impl<'s> Read<'s> {
    pub(super) fn new(spec: &'s CommandSpec) -> Read<'s> {
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
    pub(super) fn member<'de, D: Deserializer<'de>>(
        &mut self,
        name: &str,
        json: D,
    ) -> Result<(), D::Error> {
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

    pub(super) fn into_call(self) -> Result<Call, Fault> {
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
