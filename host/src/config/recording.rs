//! `[recording]`: where calls are kept.

use super::table::Table;
use std::path::{Path, PathBuf};

/// What the file has at most unless the configuration says otherwise, in bytes: some fifty thousand
/// shapes of calls.
const DEFAULT_MAX_BYTES: u64 = 16 << 20;

/// Where calls are kept, as connectors see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The file.
    pub file: PathBuf,
    /// What it has at most, in bytes.
    pub max_bytes: u64,
}

/// Reads the table; none where there is none.
pub(super) fn read(outer: &Table<'_>, directory: &Path) -> Option<Recording> {
    let table = outer.table("recording")?;
    let file = table.text("file").map(|file| directory.join(file.value));
    let max_bytes = table.integer("max_bytes", 1..=u64::MAX);
    table.finish();
    if file.is_none() {
        let message = "[recording] needs a file";
        outer.mistakes().add(outer.at("recording"), message);
    }
    Some(Recording {
        file: file?,
        max_bytes: max_bytes.map_or(DEFAULT_MAX_BYTES, |given| given.value),
    })
}
