//! The source of a project, and that it changed.
//!
//! The system tells that something happened; what counts is whether a file of the source looks different
//! then. So what a build writes starts no other build.

use crate::cli::Result;
use crate::cli::build::Project;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Time without another event behind one: editors write several files for one that is saved.
const GATHER: Duration = Duration::from_millis(100);

/// Extensions of what connectors are built from.
const EXTENSIONS: [&str; 10] = [
    "cjs", "js", "json", "mjs", "py", "rs", "sql", "toml", "txt", "wit",
];

/// Directories with what builds make or fetch. Hidden ones are left out as well.
const MADE: [&str; 3] = ["__pycache__", "node_modules", "target"];

/// Where the golden plans of a project are.
const GOLDEN: &str = "tests";

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// What the connector is built from.
    Source,
    /// Golden plans alone.
    Plans,
}

/// The source of a project.
pub(super) struct Sources {
    root: PathBuf,
    seen: Option<Snapshot>,
    events: Receiver<()>,
    watcher: RecommendedWatcher,
}

type Snapshot = BTreeMap<PathBuf, Signature>;

/// What changes where a file does: time of the last change in nanoseconds, size, inode.
type Signature = (i128, u64, u64);

impl Sources {
    /// The source of `project`, all of which is new.
    ///
    /// # Errors
    /// Where the system cannot tell of changes.
    pub(super) fn of(project: &Project) -> Result<Sources> {
        let (sender, events) = channel();
        let watcher = notify::recommended_watcher(move |_| {
            // Nobody waits any more.
            let _ = sender.send(());
        })?;
        Ok(Sources {
            root: project.directory.clone(),
            seen: None,
            events,
            watcher,
        })
    }

    /// Waits until something is different from what it was when this was called before.
    ///
    /// # Errors
    /// Where the directory cannot be read, or is gone.
    pub(super) fn wait(&mut self) -> Result<Change> {
        loop {
            let mut now = Snapshot::new();
            // The system tells of changes before they are looked for, so that none is missed.
            let watch = &mut |directory: &Path| {
                let watched = self.watcher.watch(directory, RecursiveMode::NonRecursive);
                Ok(watched?)
            };
            look(&self.root, watch, &mut now)?;
            let before = self.seen.replace(now.clone());
            match before {
                None => return Ok(Change::Source),
                Some(before) if before != now => return Ok(self.change(&before, &now)),
                Some(_) => self.events.recv()?,
            }
            while self.events.recv_timeout(GATHER).is_ok() {}
        }
    }

    fn change(&self, before: &Snapshot, now: &Snapshot) -> Change {
        let same = built_from(&self.root, before).eq(built_from(&self.root, now));
        if same { Change::Plans } else { Change::Source }
    }
}

/// Whether `file` was written after all that the connector in `root` is built from.
///
/// # Errors
/// Where the source cannot be read.
pub(super) fn is_newer_than_source(file: &Path, root: &Path) -> Result<bool> {
    let mut source = Snapshot::new();
    look(root, &mut |_| Ok(()), &mut source)?;
    let (written, ..) = signature(&fs::metadata(file)?);
    Ok(built_from(root, &source).all(|(_, (changed, ..))| *changed < written))
}

/// What a connector is built from: all but its golden plans.
fn built_from<'f>(
    root: &Path,
    files: &'f Snapshot,
) -> impl Iterator<Item = (&'f PathBuf, &'f Signature)> {
    let golden = root.join(GOLDEN);
    let files = files.iter();
    files.filter(move |(path, _)| !path.starts_with(&golden))
}

/// Notes the files of a directory and of those in it, each of which it enters first.
fn look(
    directory: &Path,
    enter: &mut dyn FnMut(&Path) -> Result<()>,
    found: &mut Snapshot,
) -> Result<()> {
    enter(directory)?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A file may be gone again.
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        if metadata.is_dir() {
            if !name.starts_with('.') && !MADE.contains(&&*name) {
                look(&path, enter, found)?;
            }
        } else if is_source(&path) {
            found.insert(path, signature(&metadata));
        }
    }
    Ok(())
}

fn is_source(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    EXTENSIONS.iter().any(|known| extension == *known)
}

fn signature(metadata: &fs::Metadata) -> Signature {
    let nanoseconds =
        i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    (nanoseconds, metadata.size(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::language::Language;

    #[test]
    fn a_component_is_newer_until_its_source_changes() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("tests/plans")).unwrap();
        let (source, component) = (root.join("app.py"), root.join("notes.wasm"));
        fs::write(&source, "").unwrap();
        let write = |file: &Path, second: u64| {
            let time = std::time::UNIX_EPOCH + Duration::from_secs(second);
            fs::File::create(file).unwrap().set_modified(time).unwrap();
        };
        write(&source, 1);
        write(&component, 2);
        write(&root.join("tests/plans/a.json"), 3);
        assert!(is_newer_than_source(&component, root).unwrap());
        write(&source, 2);
        assert!(!is_newer_than_source(&component, root).unwrap());
    }

    #[test]
    fn what_a_build_makes_is_no_change() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for made in ["src", "tests/plans", "target", ".venv"] {
            fs::create_dir_all(root.join(made)).unwrap();
        }
        fs::write(root.join("src/lib.rs"), "").unwrap();
        let project = Project {
            directory: root.to_owned(),
            language: Language::Rust,
        };
        let mut sources = Sources::of(&project).unwrap();
        assert_eq!(sources.wait().unwrap(), Change::Source);
        // Were one of the first four a change, the next would be told of too early.
        for made in ["target/a.rs", ".venv/a.py", "notes.wasm", "Cargo.lock"] {
            fs::write(root.join(made), "made").unwrap();
        }
        fs::write(root.join("tests/plans/a.json"), "{}").unwrap();
        assert_eq!(sources.wait().unwrap(), Change::Plans);
        // In a directory that is new, too.
        fs::create_dir(root.join("src/more")).unwrap();
        fs::write(root.join("src/more/mod.rs"), "").unwrap();
        assert_eq!(sources.wait().unwrap(), Change::Source);
        fs::write(root.join("src/more/mod.rs"), "// changed").unwrap();
        assert_eq!(sources.wait().unwrap(), Change::Source);
    }
}
