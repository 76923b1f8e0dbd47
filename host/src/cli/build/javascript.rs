//! From a JavaScript module to a component: componentize-qjs puts it together with QuickJS.
//!
//! It is what `jco componentize` runs with its QuickJS backend, without the other tools of jco.

use super::tool;
use crate::cli::Result;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What makes the component.
const TOOL: &str = "componentize-qjs";

/// Where packages of the project are installed.
const MODULES: &str = "node_modules";

/// What counts of a `package.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    main: Option<String>,
    version: Option<String>,
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, String>,
}

/// Builds the project in `directory`.
///
/// # Errors
/// Where npm or Node is missing, the packages cannot be installed, or the module cannot be loaded.
pub(super) fn component(directory: &Path) -> Result<Vec<u8>> {
    let package = read(directory)?;
    let main = package
        .main
        .as_deref()
        .ok_or("package.json must name the module of the connector as \"main\"")?;
    if !package.dev_dependencies.contains_key(TOOL) {
        return Err(format!("package.json must have {TOOL} among its devDependencies; run: npm install --save-dev --save-exact {TOOL}").into());
    }
    if !is_installed(directory, &package) {
        install(directory)?;
    }
    tool::progress("building by componentize-qjs");
    let made = tempfile::tempdir()?;
    let file = made.path().join("component.wasm");
    let mut command = Command::new(directory.join(MODULES).join(".bin").join(TOOL));
    command
        .current_dir(directory)
        .args(["--wit", "wit", "--world", "connector"])
        .args(["--js", main, "--module-root", "."])
        // All that imports WASI ends in a trap, so nothing is imported.
        .args(["--stub-wasi", "--sync", "--output"])
        .arg(&file);
    tool::run(
        &mut command,
        "remove node_modules and build again",
        "the component cannot be built. The module is loaded to build it, so an error in it shows here",
    )?;
    Ok(fs::read(file)?)
}

fn read(directory: &Path) -> Result<Package> {
    let file = directory.join("package.json");
    let text = fs::read_to_string(&file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?)
}

/// Whether all that the project needs is there, in the version that it names.
fn is_installed(directory: &Path, package: &Package) -> bool {
    let mut needed = package.dependencies.iter().chain(&package.dev_dependencies);
    needed.all(|(name, wanted)| {
        let found = read(&directory.join(MODULES).join(name)).ok();
        let exact = wanted.starts_with(|first: char| first.is_ascii_digit());
        found.is_some_and(|found| !exact || found.version.as_ref() == Some(wanted))
    })
}

fn install(directory: &Path) -> Result<()> {
    tool::progress("installing packages by npm");
    let locked = directory.join("package-lock.json").is_file();
    let mut npm = Command::new("npm");
    npm.current_dir(directory)
        .args([if locked { "ci" } else { "install" }])
        .args(["--no-audit", "--no-fund", "--loglevel", "error"]);
    tool::run(
        &mut npm,
        "install Node 18 or later, which brings it, see https://nodejs.org",
        "the packages cannot be installed; is the registry reachable, and does package-lock.json fit package.json?",
    )?;
    Ok(())
}
