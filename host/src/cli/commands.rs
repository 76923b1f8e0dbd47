//! `airlock commands`: what can be called.

use super::{ConnectorArguments, Ending, Result, connectors};
use serde_json::json;
use std::io::{self, Write as _};

/// Lists the commands, for people or as JSON.
pub(super) fn run(as_json: bool, arguments: &ConnectorArguments) -> Result<Ending> {
    let runtime = connectors::load(connectors::configure(arguments)?)?;
    let mut out = io::stdout().lock();
    for connector in runtime.connectors() {
        let commands: Vec<_> = connector
            .commands()
            .iter()
            .map(|spec| &spec.command)
            .collect();
        if as_json {
            let line = json!({
                "name": connector.name(),
                "version": connector.version(),
                "summary": connector.summary(),
                "digest": connector.digest().to_string(),
                "commands": commands,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        for command in commands {
            writeln!(
                out,
                "{}/{:<16} {}",
                connector.name(),
                command.name,
                command.summary
            )?;
        }
    }
    Ok(Ending::Done)
}
