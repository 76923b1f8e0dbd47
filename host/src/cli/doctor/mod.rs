//! `airlock doctor`: whether this machine, the configuration and its databases are fit to serve.
//!
//! It does what `serve` would do and more, changes nothing, and shows no secret. Each file looks at one
//! part: `host.rs` at the machine, `memory.rs` at how much of it there is, `files.rs` at what others can
//! read or write, `doors.rs` at where clients come in, `connectors.rs` and `databases.rs` at those.

mod connectors;
mod databases;
mod doors;
mod ends;
mod files;
mod finding;
mod host;
mod memory;
mod print;

use super::progress::Progress;
use super::style::Style;
use super::{ConnectorArguments, Ending, Result, input::Usage};
use airlock::config::ConfigError;
use finding::{Findings, Status};
use std::io;

/// Looks at everything and prints what was found; ends well where nothing failed.
pub(super) fn run(as_json: bool, arguments: &ConnectorArguments) -> Result<Ending> {
    let findings = examine(arguments)?;
    let mut out = io::stdout().lock();
    if as_json {
        print::as_json(&mut out, &findings)?;
    } else {
        let style = Style::of(&io::stdout());
        print::as_text(&mut out, &findings, style)?;
    }
    Ok(match findings.count(Status::Failed) {
        0 => Ending::Done,
        _ => Ending::Failed,
    })
}

fn examine(arguments: &ConnectorArguments) -> Result<Findings> {
    let mut findings = Findings::default();
    let config = match super::connectors::read(arguments) {
        Ok(config) => config,
        Err(ConfigError::Mistaken(mistakes)) => {
            let next = "mend it; airlock check reports the same";
            for mistake in mistakes {
                findings.failed("config", mistake, next);
            }
            return Ok(findings);
        }
        Err(error @ ConfigError::Unreadable { .. }) => return Err(Usage(error.to_string()).into()),
    };
    let read = match &arguments.config {
        Some(file) => format!("{} has no mistakes", file.display()),
        None => "there is no file, so the defaults hold".into(),
    };
    findings.ok("config", read);
    let progress = Progress::of("looking at this machine");
    host::look(&config, &mut findings);
    memory::look(&config, &mut findings);
    files::look(&config, &mut findings);
    doors::look(&config, &mut findings);
    progress.now("loading connectors");
    let config = connectors::look(config, &mut findings)?;
    progress.now("asking databases");
    super::async_runtime()?.block_on(databases::look(&config, &mut findings));
    Ok(findings)
}
