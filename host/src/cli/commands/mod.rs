//! `airlock commands`: what can be called, as a list, as JSON or as a reference in Markdown.

mod markdown;
mod outline;
mod text;

use super::visible::line;
use super::{ConnectorArguments, Ending, Result, connectors};
use airlock::Connector;
use serde_json::json;
use std::io::{self, Write};

/// How the commands are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// A line for each.
    List,
    /// The manifests as JSON, a line for each connector.
    Json,
    /// The reference that people read.
    Markdown,
}

/// Prints the commands of all connectors.
pub(super) fn run(form: Form, arguments: &ConnectorArguments) -> Result<Ending> {
    let runtime = connectors::load(connectors::configure(arguments)?)?;
    let mut out = io::stdout().lock();
    for (at, connector) in runtime.connectors().iter().enumerate() {
        match form {
            Form::List => list(&mut out, connector)?,
            Form::Json => writeln!(out, "{}", manifest(connector))?,
            Form::Markdown => {
                if at > 0 {
                    writeln!(out)?;
                }
                let commands = connector.commands().iter().map(|spec| &spec.command);
                markdown::write(&mut out, connector.name(), connector.summary(), commands)?;
            }
        }
    }
    Ok(Ending::Done)
}

fn list(out: &mut impl Write, connector: &Connector) -> io::Result<()> {
    for command in connector.commands().iter().map(|spec| &spec.command) {
        let (connector, name) = (connector.name(), &command.name);
        writeln!(out, "{connector}/{name:<16} {}", line(&command.summary))?;
    }
    Ok(())
}

fn manifest(connector: &Connector) -> serde_json::Value {
    let commands = connector.commands().iter().map(|spec| &spec.command);
    json!({
        "name": connector.name(),
        "version": connector.version(),
        "summary": connector.summary(),
        "digest": connector.digest().to_string(),
        "commands": commands.collect::<Vec<_>>(),
    })
}
