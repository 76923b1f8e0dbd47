//! `airlock check`: what is wrong with a configuration file.

use super::input::Usage;
use super::{Ending, Result};
use airlock::config::{Config, ConfigError};
use std::io::{self, Write as _};
use std::path::Path;

/// Prints every mistake, or what the file configures.
pub(super) fn run(file: &Path) -> Result<Ending> {
    let mut out = io::stdout().lock();
    match Config::load(Some(file)) {
        Ok(config) => {
            writeln!(out, "ok: {}", summary(&config)?)?;
            Ok(Ending::Done)
        }
        Err(ConfigError::Mistaken(mistakes)) => {
            for mistake in mistakes {
                writeln!(out, "{mistake}")?;
            }
            Ok(Ending::Failed)
        }
        Err(error @ ConfigError::Unreadable { .. }) => Err(Usage(error.to_string()).into()),
    }
}

fn summary(config: &Config) -> io::Result<String> {
    let connectors = config.components()?.into_iter().map(|source| source.name);
    let databases = config.databases.names().map(ToString::to_string);
    Ok(format!(
        "listens on {}; connectors: {}; databases: {}",
        config.listen,
        list(connectors),
        list(databases)
    ))
}

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [] => "none".into(),
        names => names.join(", "),
    }
}
