//! Loads the connectors that a command works with.

use super::Result;
use airlock::{Limits, Runtime};
use std::fs;
use std::path::{Path, PathBuf};

/// A runtime with the embedded connector and those in `directory`.
pub(super) fn load(limits: Limits, directory: Option<&Path>) -> Result<Runtime> {
    let runtime = Runtime::new(limits)?;
    for file in directory.map(components).transpose()?.unwrap_or_default() {
        let bytes =
            fs::read(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let connector = runtime
            .load(&bytes)
            .map_err(|fault| format!("{}: {}", file.display(), fault.message))?;
        tracing::info!(name = connector.name(), digest = %connector.digest(), file = %file.display(), "loaded");
    }
    Ok(runtime)
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
