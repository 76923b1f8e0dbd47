//! Reads component files: whole, or not at all.

use rustix::fs::OFlags;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::{error, fmt};

/// What tells one state of a file from another without reading it. The target counts, not the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature {
    device: u64,
    inode: u64,
    bytes: u64,
    /// In seconds and nanoseconds. That of the inode is there because contents can change behind a
    /// time of modification that is set back.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Signature {
    /// The state of the file at `path`; none where there is no file.
    pub(super) fn of(path: &Path) -> Option<Signature> {
        path.metadata().ok().map(Signature::from)
    }
}

impl From<Metadata> for Signature {
    fn from(metadata: Metadata) -> Self {
        Signature {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Why a file was not taken.
#[derive(Debug)]
pub(super) enum Unread {
    /// The system refuses.
    Failed(io::Error),
    /// It is a directory, a pipe or a device.
    NotRegular,
    /// It has more bytes than this.
    TooLong(usize),
    /// Somebody wrote to it meanwhile.
    Changing,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Failed(error) => write!(f, "the file cannot be read: {error}"),
            Unread::NotRegular => f.write_str("it is not a regular file"),
            Unread::TooLong(most) => {
                write!(
                    f,
                    "the file is longer than the limit component_bytes = {most}"
                )
            }
            Unread::Changing => f.write_str("the file was written to while it was read"),
        }
    }
}

impl error::Error for Unread {}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Unread::Failed(error)
    }
}

/// The whole file, of at most `most` bytes, and its state.
pub(super) fn read(path: &Path, most: usize) -> Result<(Vec<u8>, Signature), Unread> {
    // Opening a pipe would wait for somebody to write to it.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(Unread::NotRegular);
    }
    if before.size() > most as u64 {
        return Err(Unread::TooLong(most));
    }
    let before = Signature::from(before);
    let bytes = read_at_most(&mut file, most)?;
    match Signature::from(file.metadata()?) == before && bytes.len() as u64 == before.bytes {
        true => Ok((bytes, before)),
        false => Err(Unread::Changing),
    }
}

fn read_at_most(file: &mut File, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_regular_files_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("a"), "abc").unwrap();
        symlink(at("a"), at("link")).unwrap();
        symlink(at("b"), at("dangling")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert_eq!(read(&at("a"), 3).unwrap().0, b"abc");
        assert_eq!(read(&at("link"), 3).unwrap().0, b"abc");
        assert!(matches!(read(&at("a"), 2), Err(Unread::TooLong(2))));
        assert!(matches!(read(&at("pipe"), 3), Err(Unread::NotRegular)));
        assert!(matches!(read(directory.path(), 3), Err(Unread::NotRegular)));
        assert!(matches!(read(&at("dangling"), 3), Err(Unread::Failed(_))));
    }

    #[test]
    fn states_of_a_file_differ() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        assert_eq!(Signature::of(&path), None);
        fs::write(&path, "abc").unwrap();
        let first = Signature::of(&path);
        assert!(first.is_some() && first == Signature::of(&path));
        let other = directory.path().join("b");
        fs::write(&other, "abc").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_ne!(first, Signature::of(&path));
    }
}
