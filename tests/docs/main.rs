//! README.md and the book in `host/docs`, held to the truth: links lead somewhere, commands run, examples
//! are accepted, references are what the program says.
//!
//! The parts that are made by the program stand between two comments, such as `<!-- commands:begin -->` and
//! `<!-- commands:end -->`. `AIRLOCK_WRITE_DOCS=1 cargo test -p airlock --test docs reference` writes them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod blocks;
mod book;
mod commands;
mod document;
mod links;
mod reference;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program.
const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// Where things are kept for the next run.
const KEPT: &str = env!("CARGO_TARGET_TMPDIR");

/// The root of the repository.
fn repository() -> PathBuf {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    host.parent().unwrap().canonicalize().unwrap()
}

/// The files that are tracked, by their paths in the repository.
fn tracked() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let files = String::from_utf8(output.stdout).unwrap();
    let files = files.split('\0').filter(|file| !file.is_empty());
    // One that was just deleted is listed as well.
    let files = files.filter(|file| repository().join(file).exists());
    files.map(str::to_owned).collect()
}
