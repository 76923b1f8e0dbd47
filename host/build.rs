//! Builds the connector that the binary embeds, and takes in the files of new projects.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What `airlock new` writes, or takes versions from.
const EMBEDDED: [&str; 6] = [
    "Cargo.lock",
    "Cargo.toml",
    "guest/sdk",
    "guest/templates",
    "rust-toolchain.toml",
    "wit",
];

fn main() -> Result<(), Box<dyn Error>> {
    let manifest_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = manifest_dir
        .parent()
        .ok_or("the host has no workspace around it")?;
    let sources = [&EMBEDDED[..], &["guest/postgres"]].concat();
    let components =
        airlock_component_build::components(workspace, &["airlock-postgres"], &sources)?;
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    for component in components {
        fs::write(out_dir.join("postgres_v2.wasm"), component)?;
    }
    let mut files = Vec::new();
    for source in EMBEDDED {
        collect(workspace, Path::new(source), &mut files)?;
    }
    // `Debug` of text is how Rust writes it.
    let text = format!("const EMBEDDED: &[(&str, &str)] = &{files:?};");
    Ok(fs::write(out_dir.join("embedded.rs"), text)?)
}

/// The files at `path` and below, with their contents, in the same order on every machine.
fn collect(
    workspace: &Path,
    path: &Path,
    files: &mut Vec<(String, String)>,
) -> Result<(), Box<dyn Error>> {
    let place = workspace.join(path);
    if !place.is_dir() {
        let name = path.to_str().ok_or("a path is no text")?;
        files.push((name.to_owned(), fs::read_to_string(place)?));
    } else if !place.is_symlink() {
        let mut names = fs::read_dir(place)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<Result<Vec<_>, std::io::Error>>()?;
        names.sort();
        for name in names {
            collect(workspace, &path.join(name), files)?;
        }
    }
    Ok(())
}
