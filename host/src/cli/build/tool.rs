//! Runs the tools that build connectors.
//!
//! Progress is for people at a terminal. What a tool says is shown there as it comes, else only where the
//! tool fails.

use crate::cli::Result;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::{Command, Output, Stdio};

/// Tells a person at a terminal what goes on.
pub(in crate::cli) fn progress(what: &str) {
    let mut out = io::stderr();
    if out.is_terminal() {
        let _ = writeln!(out, "airlock: {what} …");
    }
}

/// Runs a tool to its end and gives what it wrote to standard output.
///
/// # Errors
/// With what it said and `hint`, where it fails; with `missing`, where it is not there.
pub(super) fn run(command: &mut Command, missing: &str, hint: &str) -> Result<Vec<u8>> {
    let shows = io::stderr().is_terminal();
    if shows {
        command.stderr(Stdio::inherit());
    }
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("{name} is not there: {missing}"),
            _ => format!("cannot run {name}: {error}"),
        })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(complaint(&output, hint).into())
}

fn complaint(output: &Output, hint: &str) -> String {
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
    let said: Vec<&str> = said
        .iter()
        .map(|said| said.trim())
        .filter(|said| !said.is_empty())
        .collect();
    match said.as_slice() {
        [] => hint.to_owned(),
        said => format!("{hint}\n\n{}", said.join("\n")),
    }
}
