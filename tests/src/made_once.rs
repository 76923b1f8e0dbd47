//! Directories that take long to make and are kept for later runs.

use airlock::connector::Digest;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Digits of the digest in the name of a directory.
const KEY_DIGITS: usize = 16;

/// What tells that a directory was made to its end.
const COMPLETE: &str = "complete";

/// The directory for `contents` below `parent`. Where it is not there yet, `make` makes it: once, whatever
/// number of tests and processes ask for it, and anew where a run before broke off.
pub(crate) fn made_once(
    parent: &Path,
    name: &str,
    contents: &[u8],
    make: impl FnOnce(&Path),
) -> PathBuf {
    let digest = Digest::of(contents).to_string();
    let key = &digest[digest.len() - KEY_DIGITS..];
    let directory = parent.join(format!("{name}-{key}"));
    fs::create_dir_all(parent).unwrap();
    // Held until it is closed, whatever happens to this process.
    let lock = File::create(directory.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !directory.join(COMPLETE).exists() {
        if directory.exists() {
            fs::remove_dir_all(&directory).unwrap();
        }
        make(&directory);
        fs::write(directory.join(COMPLETE), "").unwrap();
    }
    directory
}
