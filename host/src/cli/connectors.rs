//! Loads the connectors that a command works with.

use super::{ConnectorArguments, Result};
use airlock::config::Config;
use airlock::{Compiler, Runtime};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the configuration file says, with the directory that the command line names.
pub(super) fn configure(arguments: &ConnectorArguments) -> Result<Config> {
    let mut config = Config::load(arguments.config.as_deref())?;
    if let Some(directory) = &arguments.connectors {
        config.connector_dir = Some(directory.clone());
    }
    Ok(config)
}

/// A runtime with the embedded connector and those in the directory, each held to its policy.
pub(super) fn load(config: &Config) -> Result<Runtime> {
    let runtime = Runtime::compiling_by(compiler()?, config.limits)?;
    runtime.load_embedded(config.policy("postgres_v2"))?;
    let files = config
        .connector_dir
        .as_deref()
        .map(components)
        .transpose()?;
    for file in files.unwrap_or_default() {
        let refused = |why: &str| format!("{}: {why}", file.display());
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let bytes =
            fs::read(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let connector = runtime
            .compile(&bytes, config.policy(&name))
            .map_err(|fault| refused(&fault.message))?;
        // Or any file could take the place of any connector.
        if connector.name() != name {
            return Err(refused(&format!(
                "the component calls itself {0}, so the file must be called {0}.wasm",
                connector.name()
            ))
            .into());
        }
        tracing::info!(name = connector.name(), digest = %connector.digest(), file = %file.display(), "loaded");
        runtime.install(Arc::new(connector));
    }
    Ok(runtime)
}

/// This program, compiling.
pub(super) fn compiler() -> Result<Compiler> {
    Ok(Compiler::Child {
        program: env::current_exe()?,
        arguments: vec!["compile".into()],
    })
}

/// The `.wasm` files of a directory, in the order of their names.
fn components(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)
        .map_err(|error| format!("cannot read {}: {error}", directory.display()))?;
    let paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    let mut files: Vec<_> = paths
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .collect();
    files.sort();
    Ok(files)
}
