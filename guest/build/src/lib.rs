//! Builds connector crates as WebAssembly components.
//!
//! Build scripts use it, so that `cargo build` of the host builds the connectors that it embeds from
//! their source; `airlock build` uses the parts of it for crates elsewhere. The module is compiled for `wasm32-unknown-unknown` and wrapped as a component: no
//! WASI, no adapter, no imports but the contract's types. Only tests need others, by [`wasi_components`].
#![forbid(unsafe_code)]

use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The target that connectors are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The target of programs that import WASI 0.2. Its linker makes components.
const WASI_TARGET: &str = "wasm32-wasip2";

/// The Cargo profile that connectors are compiled with; the workspace defines it.
const PROFILE: &str = "guest";

/// Variables of an outer Cargo, or of the user, that would change what is built.
const FOREIGN_VARIABLES: [&str; 6] = [
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

/// Builds the packages `packages` of the workspace in `workspace` and encodes each as a component.
///
/// Returns the components in the order of `packages`. Call it from a build script: it takes the
/// place for its files from `OUT_DIR` and prints the `rerun-if-changed` lines for `sources`, which are
/// relative to the workspace, the parent directory of the calling package.
///
/// # Errors
/// When a crate does not compile or is no component; the message holds the compiler's output.
pub fn components(workspace: &Path, packages: &[&str], sources: &[&str]) -> Result<Vec<Vec<u8>>> {
    build(workspace, packages, sources, TARGET)?
        .iter()
        .zip(packages)
        .map(|(module, package)| encode(module, package))
        .collect()
}

/// Builds the package `package` of the workspace in `workspace` and encodes it as a component, outside of
/// build scripts: what the compiler makes goes to `target_dir`.
///
/// # Errors
/// As for [`components`].
pub fn component(workspace: &Path, package: &str, target_dir: &Path) -> Result<Vec<u8>> {
    compile(workspace, &[package], TARGET, target_dir)?;
    encode(&module(package, TARGET, target_dir)?, package)
}

/// As [`components`], for `wasm32-wasip2`: the components import WASI.
///
/// # Errors
/// When a crate does not compile; the message holds the compiler's output.
pub fn wasi_components(
    workspace: &Path,
    packages: &[&str],
    sources: &[&str],
) -> Result<Vec<Vec<u8>>> {
    build(workspace, packages, sources, WASI_TARGET)
}

/// What the linker makes of each package.
#[allow(clippy::print_stdout, reason = "build scripts talk to Cargo this way")]
fn build(
    workspace: &Path,
    packages: &[&str],
    sources: &[&str],
    target: &str,
) -> Result<Vec<Vec<u8>>> {
    for source in sources {
        // Relative to the package, so that a target directory which outlives a clone notices the
        // files of the next one.
        println!("cargo:rerun-if-changed=../{source}");
    }
    let target_dir = target_dir()?;
    compile(workspace, packages, target, &target_dir)?;
    packages
        .iter()
        .map(|package| module(package, target, &target_dir))
        .collect()
}

/// What was compiled of a package.
fn module(package: &str, target: &str, target_dir: &Path) -> Result<Vec<u8>> {
    let file = package.replace('-', "_") + ".wasm";
    let path = target_dir.join(target).join(PROFILE).join(file);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// All build scripts share one directory beside the outer profile directories, so that the
/// dependencies of the connectors are compiled once.
fn target_dir() -> Result<PathBuf> {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR is not set")?);
    let target = out_dir
        .ancestors()
        .nth(4)
        .context("OUT_DIR is not inside a target directory")?;
    Ok(target.join("components"))
}

fn compile(workspace: &Path, packages: &[&str], target: &str, target_dir: &Path) -> Result<()> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace).args([
        "build",
        "--locked",
        "--target",
        target,
        "--profile",
        PROFILE,
    ]);
    cargo.arg("--target-dir").arg(target_dir);
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    reproducible(&mut cargo, workspace);
    let output = cargo
        .output()
        .context("cannot run cargo for the connectors")?;
    ensure!(
        output.status.success(),
        "the connectors do not compile. If the target is missing, run: rustup target add {target}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Has `cargo` build the same from the same source in `root`, whatever its environment.
pub fn reproducible(cargo: &mut Command, root: &Path) {
    for variable in FOREIGN_VARIABLES {
        cargo.env_remove(variable);
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags(root).join("\x1f"));
}

/// Paths of this machine in panic messages would make each build's digest its own.
fn flags(workspace: &Path) -> Vec<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let mut flags = vec![remap(workspace, "/airlock")];
    flags.extend(home.map(|home| remap(&home, "/cargo")));
    flags
}

/// The component of a module that was compiled for [`TARGET`]; `package` is named in the error.
///
/// # Errors
/// When the module does not export what connectors do.
pub fn encode(module: &[u8], package: &str) -> Result<Vec<u8>> {
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .with_context(|| format!("{package} is not a connector"))
}
