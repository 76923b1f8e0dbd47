//! `airlock new`: the directory of a connector that works, to be changed into another one.
//!
//! Everything that goes into it is in this program, so it needs no clone and no network. Nothing that
//! is there already is changed.

mod name;
mod sdk;
mod template;

use super::input::Usage;
use super::language::Language;
use super::{Ending, NewArguments, Result};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use template::{ProjectFile, files};

/// Makes the directory and says what to do with it.
pub(super) fn run(arguments: &NewArguments) -> Result<Ending> {
    let NewArguments { name, template } = arguments;
    name::check(name)?;
    let directory = Path::new(name);
    if directory.symlink_metadata().is_ok() {
        let message = format!(
            "{name} is there already, and nothing is overwritten; choose another name or another directory"
        );
        return Err(Usage(message).into());
    }
    write(directory, &files(name, *template)?)
        .map_err(|error| format!("cannot make the project {name}: {error}"))?;
    let more = match template {
        Language::Rust => ", with the SDK in sdk/",
        Language::Python | Language::Javascript => "",
    };
    writeln!(
        io::stdout(),
        "{name}/ is a {template} connector{more}. Next:\n\n  cd {name}\n  airlock build\n  airlock test\n  airlock dev"
    )?;
    Ok(Ending::Done)
}

/// Makes the directory whole or not at all.
fn write(directory: &Path, files: &[ProjectFile]) -> io::Result<()> {
    let parent = match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let whole = tempfile::Builder::new()
        .prefix(".airlock-new-")
        .tempdir_in(parent)?;
    let root = whole.path().join("project");
    for file in files {
        let path = root.join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(&root))?;
        fs::write(path, &file.contents)?;
    }
    fs::rename(root, directory)
}
