//! `airlock inspect`: what a component is, before anyone trusts it.

use super::progress::Progress;
use super::visible::{line, lines};
use super::{Ending, Result, connectors, input::Usage};
use airlock::config::Config;
use airlock::plan::ParameterKind;
use airlock::{Connector, Imports, Policy, Runtime};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

/// Prints manifest, digest, size and imports of a component file, or of the embedded connector.
pub(super) fn run(file: Option<&Path>) -> Result<Ending> {
    let config = Config::load(None)?;
    let runtime = Runtime::compiling_by(connectors::compiler(&config)?, config.limits)?;
    let progress = Progress::of("compiling");
    let connector = match file {
        Some(file) => {
            let bytes = fs::read(file)
                .map_err(|error| Usage(format!("cannot read {}: {error}", file.display())))?;
            match runtime.load(&bytes, connectors::widest()) {
                Ok(connector) => connector,
                Err(fault) => {
                    writeln!(
                        io::stderr(),
                        "airlock: {} is refused: {}",
                        file.display(),
                        lines(&fault.message)
                    )?;
                    return Ok(Ending::Failed);
                }
            }
        }
        None => runtime.load_embedded(Policy::default())?,
    };
    drop(progress);
    print(&connector)?;
    Ok(Ending::Done)
}

fn print(connector: &Arc<Connector>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "connector  {} {}",
        connector.name(),
        line(connector.version())
    )?;
    writeln!(out, "summary    {}", line(connector.summary()))?;
    writeln!(out, "digest     {}", connector.digest())?;
    writeln!(out, "size       {} bytes", connector.size())?;
    if connector.imports().is_empty() {
        writeln!(out, "imports    none")?;
    }
    for (index, import) in connector.imports().iter().enumerate() {
        let label = if index == 0 { "imports" } else { "" };
        let needs = match import.needs {
            Imports::None => "types only",
            Imports::VirtualWasi => "needs imports = \"virtual-wasi\"",
        };
        writeln!(out, "{label:<10} {} ({needs})", line(&import.name))?;
    }
    for command in connector.commands().iter().map(|spec| &spec.command) {
        let raw = if command.raw { ", takes SQL text" } else { "" };
        writeln!(
            out,
            "\n{} ({}{raw})\n  {}",
            command.name,
            format!("{:?}", command.access).to_lowercase(),
            line(&command.summary)
        )?;
        for parameter in &command.parameters {
            let sealed = match (parameter.kind, parameter.sealed.as_slice()) {
                (ParameterKind::Connection, _) => "; never reaches the connector".to_owned(),
                (_, []) => String::new(),
                (_, patterns) if patterns.iter().any(String::is_empty) => {
                    "; sealed as a whole".to_owned()
                }
                (_, patterns) => format!("; sealed: {}", line(&patterns.join(" "))),
            };
            let required = if parameter.required {
                "required"
            } else {
                "optional"
            };
            writeln!(out, "  - {} ({required}{sealed})", line(&parameter.name))?;
        }
    }
    Ok(())
}
