//! Keeps the cache within its bound.

use super::directory::{Listed, PrivateDirectory, UNFINISHED};
use super::key::CompileCacheKey;
use std::io;
use std::time::{Duration, SystemTime};

/// Age at which a file that was never finished belongs to a process that is gone.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Removes entries, those used longest ago first, until the rest has at most `most_bytes`; and what
/// processes left behind that ended while they wrote.
pub(super) fn trim(directory: &PrivateDirectory, most_bytes: u64) -> io::Result<()> {
    let (mut entries, others): (Vec<_>, Vec<_>) = directory.list()?.into_iter().partition(is_entry);
    for file in others.iter().filter(|file| is_abandoned(file)) {
        directory.remove(&file.name)?;
    }
    entries.sort_by_key(|entry| entry.used);
    let mut bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
    for entry in entries {
        if bytes <= most_bytes {
            break;
        }
        directory.remove(&entry.name)?;
        bytes -= entry.bytes;
    }
    Ok(())
}

fn is_entry(file: &Listed) -> bool {
    file.name.parse::<CompileCacheKey>().is_ok()
}

fn is_abandoned(file: &Listed) -> bool {
    let age = SystemTime::now().duration_since(file.used);
    file.name.starts_with(UNFINISHED) && age.is_ok_and(|age| age > ABANDONED)
}
