//! What people give on the command line, read and checked.

use super::Result;
use airlock::{Fault, Parameters};
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

/// Reads the parameters: JSON text, `@FILE` or `-`.
pub(super) fn text(input: &str) -> Result<Vec<u8>> {
    Ok(match (input, input.strip_prefix('@')) {
        ("-", _) => {
            let mut text = Vec::new();
            io::stdin().read_to_end(&mut text)?;
            text
        }
        (_, Some(file)) => {
            fs::read(file).map_err(|error| Usage(format!("cannot read {file}: {error}")))?
        }
        (text, None) => text.as_bytes().to_vec(),
    })
}

/// Takes the parameters from what was read.
pub(super) fn parameters(text: &[u8]) -> Result<Parameters<'_>> {
    let usage = |fault: Fault| Usage(format!("--input: {}", fault.message));
    let parameters = Parameters::parse(text).map_err(usage)?;
    parameters.check().map_err(usage)?;
    Ok(parameters)
}
