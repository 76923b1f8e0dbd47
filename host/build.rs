//! Builds the connector that the binary embeds.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let manifest_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = manifest_dir
        .parent()
        .ok_or("the host has no workspace around it")?;
    let sources = [
        "Cargo.lock",
        "Cargo.toml",
        "guest/postgres",
        "guest/sdk",
        "wit",
    ];
    let components =
        airlock_component_build::components(workspace, &["airlock-postgres"], &sources)?;
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    for component in components {
        fs::write(out_dir.join("postgres_v2.wasm"), component)?;
    }
    Ok(())
}
