//! What people give on the command line, read and checked.

use super::Result;
use airlock::Parameters;
use std::fs;
use std::io::{self, Read as _};
use thiserror::Error;

/// The command was called wrongly.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// Splits `connector/command`.
pub(super) fn command_name(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('/') {
        Some((connector, command)) if !connector.is_empty() && !command.is_empty() => {
            Ok((connector.into(), command.into()))
        }
        _ => Err(
            "write it as CONNECTOR/COMMAND, such as postgres_v2/DoSQL; see airlock commands".into(),
        ),
    }
}

/// Reads parameters from JSON text, `@FILE` or `-`.
pub(super) fn parameters(input: &str) -> Result<Parameters> {
    let text = match (input, input.strip_prefix('@')) {
        ("-", _) => {
            let mut text = Vec::new();
            io::stdin().read_to_end(&mut text)?;
            text
        }
        (_, Some(file)) => {
            fs::read(file).map_err(|error| Usage(format!("cannot read {file}: {error}")))?
        }
        (text, None) => text.as_bytes().to_vec(),
    };
    Parameters::parse(&text).map_err(|fault| Usage(format!("--input: {}", fault.message)).into())
}
