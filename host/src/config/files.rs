//! Small files that the configuration names.

use std::fs;
use std::path::Path;

/// The text of a file.
///
/// # Errors
/// When it cannot be read, with its path.
pub(super) fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|cause| format!("cannot read {}: {cause}", path.display()))
}
