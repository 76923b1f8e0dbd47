//! Builds one connector of this workspace as a component, for a directory of connectors:
//!
//! ```sh
//! cargo run -p airlock-component-build -- airlock-postgres-admin connectors/postgres_admin.wasm
//! ```
#![forbid(unsafe_code)]

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [package, file] = arguments.as_slice() else {
        bail!(
            "give a package and the file for its component, such as airlock-postgres-admin connectors/postgres_admin.wasm"
        );
    };
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .context("this package has no workspace around it")?;
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| workspace.join("target"));
    let component =
        airlock_component_build::component(workspace, package, &target.join("components"))?;
    let file = Path::new(file);
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
    }
    // Moved into place: a server that watches the directory takes it when it is whole.
    let new = file.with_extension("wasm.new");
    fs::write(&new, component).with_context(|| format!("cannot write {}", new.display()))?;
    fs::rename(&new, file).with_context(|| format!("cannot write {}", file.display()))
}
