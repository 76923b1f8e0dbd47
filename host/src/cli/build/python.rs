//! From a Python module to a component: componentize-py puts it together with the interpreter.

use super::tool;
use crate::cli::Result;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What makes the component.
const TOOL: &str = "componentize-py";

/// Where the project says which packages it needs, with their versions.
const REQUIREMENTS: &str = "requirements.txt";

/// The module with the class `WitWorld`.
const MODULE: &str = "app";

/// Where packages of the project are installed.
const ENVIRONMENT: &str = ".venv";

/// Builds the project in `directory`.
///
/// # Errors
/// Where Python is missing, the packages cannot be installed, or the module cannot be loaded.
pub(super) fn component(directory: &Path) -> Result<Vec<u8>> {
    let version = pinned_version(directory)?;
    let program = program(directory, &version)?;
    tool::progress("building by componentize-py");
    let made = tempfile::tempdir()?;
    let file = made.path().join("component.wasm");
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .args(["--wit-path", "wit", "--world", "connector", "componentize"])
        // All that imports WASI ends in a trap, so nothing is imported.
        .args(["--stub-wasi", MODULE, "--output"])
        .arg(&file);
    let environment = directory.join(ENVIRONMENT);
    if environment.is_dir() {
        // From there it takes the packages that the module imports.
        command.env("VIRTUAL_ENV", environment);
    }
    tool::run(
        &mut command,
        "remove .venv and build again",
        "the component cannot be built. The module is loaded to build it, so an error in it shows here",
    )?;
    Ok(fs::read(file)?)
}

/// The version of the tool that the project asks for.
fn pinned_version(directory: &Path) -> Result<String> {
    let file = directory.join(REQUIREMENTS);
    let text = fs::read_to_string(&file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let mut lines = text.lines().map(str::trim);
    let version = lines.find_map(|line| line.strip_prefix(TOOL)?.trim().strip_prefix("=="));
    let version = version.and_then(|version| version.split([' ', ';', '#', '\\']).next());
    Ok(version
        .ok_or_else(|| {
            format!("{REQUIREMENTS} must say which version builds it, such as {TOOL}==0.25.1")
        })?
        .to_owned())
}

/// The tool in that version: the project's, or that of the user where the project has none. It is
/// installed for the project where there is neither.
fn program(directory: &Path, version: &str) -> Result<OsString> {
    let own: PathBuf = directory.join(ENVIRONMENT).join("bin").join(TOOL);
    if is_version(&own, version) {
        return Ok(own.into());
    }
    if !directory.join(ENVIRONMENT).is_dir() && is_version(Path::new(TOOL), version) {
        return Ok(TOOL.into());
    }
    install(directory)?;
    match is_version(&own, version) {
        true => Ok(own.into()),
        false => Err(format!("{REQUIREMENTS} was installed in {ENVIRONMENT}, but {TOOL} {version} does not run there; remove {ENVIRONMENT} and build again").into()),
    }
}

fn is_version(program: &Path, version: &str) -> bool {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    output.is_ok_and(|output| {
        let said = String::from_utf8_lossy(&output.stdout);
        output.status.success() && said.split_whitespace().next_back() == Some(version)
    })
}

fn install(directory: &Path) -> Result<()> {
    tool::progress("installing requirements.txt in .venv");
    if !directory.join(ENVIRONMENT).is_dir() {
        tool::run(
            Command::new("python3")
                .current_dir(directory)
                .args(["-m", "venv", ENVIRONMENT]),
            "install Python 3, with its venv module",
            "a virtual environment cannot be made; on Debian the package python3-venv is needed",
        )?;
    }
    let python = directory.join(ENVIRONMENT).join("bin").join("python");
    let mut pip = Command::new(python);
    pip.current_dir(directory)
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "--requirement", REQUIREMENTS]);
    tool::run(
        &mut pip,
        "remove .venv and build again",
        "requirements.txt cannot be installed; is the package index reachable?",
    )?;
    Ok(())
}
