//! Builds the connectors that the tests load.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

const GUESTS: [&str; 1] = ["guest-recorder"];

fn main() -> Result<(), Box<dyn Error>> {
    let manifest_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = manifest_dir
        .parent()
        .ok_or("the tests have no workspace around them")?;
    let sources = [
        "Cargo.lock",
        "Cargo.toml",
        "guest/sdk",
        "tests/guests",
        "wit",
    ];
    let components = airlock_component_build::components(workspace, &GUESTS, &sources)?;
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    for (guest, component) in GUESTS.iter().zip(components) {
        fs::write(out_dir.join(guest).with_extension("wasm"), component)?;
    }
    Ok(())
}
