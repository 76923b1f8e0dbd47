//! From a crate to a component: cargo compiles it, and the module is encoded.

use super::tool;
use crate::cli::Result;
use airlock_component_build::{TARGET, encode, reproducible};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A message of cargo about something that it made.
#[derive(Deserialize)]
struct Artifact {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Builds the crate in `directory`.
///
/// # Errors
/// Where cargo is missing or fails, or the crate is no connector.
pub(super) fn component(directory: &Path) -> Result<Vec<u8>> {
    tool::progress("building by cargo");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(directory).args([
        "build",
        "--release",
        "--target",
        TARGET,
        // Diagnostics go to standard error, as they do without it.
        "--message-format",
        "json-render-diagnostics",
    ]);
    reproducible(&mut cargo, directory);
    let messages = tool::run(
        &mut cargo,
        "install Rust by rustup, see https://rustup.rs",
        &format!(
            "the connector does not compile. Where the target is missing, run: rustup target add {TARGET}"
        ),
    )?;
    let module = module(&messages, &directory.join("Cargo.toml")).ok_or(
        "cargo made no WebAssembly module: Cargo.toml needs a [lib] with crate-type = [\"cdylib\"]",
    )?;
    let bytes =
        fs::read(&module).map_err(|error| format!("cannot read {}: {error}", module.display()))?;
    let component = encode(&bytes, "the crate");
    Ok(component.map_err(|error| format!("{error:#}"))?)
}

/// The module that cargo made of the crate with this manifest.
fn module(messages: &[u8], manifest: &Path) -> Option<PathBuf> {
    let artifacts = messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Artifact>(line).ok());
    artifacts
        .filter(|made| made.reason == "compiler-artifact" && made.manifest_path == manifest)
        .flat_map(|made| made.filenames)
        .find(|file| {
            file.extension()
                .is_some_and(|extension| extension == "wasm")
        })
}
