//! What a command takes: its parameters, and which of their values are sealed.

use super::parameters::{quote_non_finite, unreadable};
use super::read::{Read, last_of_each_name};
use super::{Call, Parameters};
use crate::fault::Fault;
use crate::plan::{Command, ParameterKind};
use crate::seal::{self, MAX_PATTERNS, Pattern};
use serde::de::DeserializeSeed as _;
use std::borrow::Cow;

/// A command with its sealing patterns, ready to receive calls.
#[derive(Debug)]
pub struct CommandSpec {
    /// What the connector says about the command.
    pub command: Command,
    /// Patterns of each parameter, in the order of the parameters.
    pub(super) patterns: Vec<Vec<Pattern>>,
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
