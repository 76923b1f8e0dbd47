//! Builds the connectors that the tests load.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

const GUESTS: [&str; 2] = ["airlock-postgres-admin", "guest-recorder"];

/// Those that import WASI.
const WASI_GUESTS: [&str; 1] = ["guest-wasi-probe"];

fn main() -> Result<(), Box<dyn Error>> {
    let manifest_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = manifest_dir
        .parent()
        .ok_or("the tests have no workspace around them")?;
    let sources = [
        "Cargo.lock",
        "Cargo.toml",
        "guest/postgres_admin",
        "guest/sdk",
        "tests/guests",
        "wit",
    ];
    let components = airlock_component_build::components(workspace, &GUESTS, &sources)?;
    let wasi = airlock_component_build::wasi_components(workspace, &WASI_GUESTS, &sources)?;
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    let guests = GUESTS.iter().chain(&WASI_GUESTS);
    for (guest, component) in guests.zip(components.into_iter().chain(wasi)) {
        fs::write(out_dir.join(guest).with_extension("wasm"), component)?;
    }
    Ok(())
}
