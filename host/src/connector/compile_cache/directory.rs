//! A directory that only this user can reach.
//!
//! It is opened once, and all else goes by its handle: whatever happens to the path later, files come
//! from where it was checked. Symbolic links are not followed.

use rustix::fs::{self, AtFlags, Dir, Mode, OFlags};
use rustix::process::geteuid;
use std::fs::{DirBuilder, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How names of files begin that are being written.
pub(super) const UNFINISHED: &str = ".new-";

/// What other users may do with a file, as bits of its mode.
const OTHERS: u32 = 0o077;

/// The directory cannot hold a compile cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileCacheError {
    /// It cannot be made, opened or written to.
    #[error(
        "cannot use {path} as the compile cache: {cause}; set compile_cache_dir to a directory that can be written to, or to \"\" to do without"
    )]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Another user owns it.
    #[error(
        "the compile cache {path} belongs to another user, who could put code of theirs there; set compile_cache_dir to a directory of your own"
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// Other users can reach it.
    #[error(
        "other users can reach the compile cache {path} (mode {mode:03o}) and could put code of theirs there; run chmod 700 on it, after you have looked who wrote what is in there"
    )]
    Exposed {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl CompileCacheError {
    pub(super) fn unusable(path: &Path, cause: impl Into<io::Error>) -> CompileCacheError {
        CompileCacheError::Unusable {
            path: path.into(),
            cause: cause.into(),
        }
    }
}

/// The directory, open.
pub(super) struct PrivateDirectory(OwnedFd);

/// One of its files.
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// When it was written or last used.
    pub(super) used: SystemTime,
}

impl PrivateDirectory {
    /// Opens the directory, and makes it with its parents where there is none.
    pub(super) fn open(path: &Path) -> Result<PrivateDirectory, CompileCacheError> {
        let unusable = |cause| CompileCacheError::unusable(path, cause);
        let mut make = DirBuilder::new();
        make.recursive(true).mode(0o700);
        make.create(path).map_err(unusable)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened =
            fs::open(path, flags, Mode::empty()).map_err(|error| unusable(error.into()))?;
        let file = File::from(opened);
        let is = file.metadata().map_err(unusable)?;
        let path = path.to_owned();
        if is.uid() != geteuid().as_raw() {
            return Err(CompileCacheError::Foreign { path });
        }
        match is.mode() & 0o777 {
            mode if mode & OTHERS != 0 => Err(CompileCacheError::Exposed { path, mode }),
            _ => Ok(PrivateDirectory(file.into())),
        }
    }

    /// A file of this user, read whole, where it has at most `most_bytes`.
    pub(super) fn read(&self, name: &str, most_bytes: u64) -> io::Result<(File, Vec<u8>)> {
        // Or opening a pipe would wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(fs::openat(&self.0, name, flags, Mode::empty())?);
        let is = file.metadata()?;
        if !is_private(&is) {
            return Err(io::Error::other("it is not a private file of this user"));
        }
        if is.len() > most_bytes {
            return Err(io::Error::other("it is too long"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(is.len()).unwrap_or_default());
        (&mut file).take(most_bytes).read_to_end(&mut bytes)?;
        Ok((file, bytes))
    }

    /// Puts a file in the place of one of the same name. Who reads sees one or the other, whole.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let unfinished = Unfinished::write(self, bytes)?;
        Ok(fs::renameat(&self.0, &unfinished.name, &self.0, name)?)
    }

    /// Makes a file where there is none of the name yet, and leaves that alone where there is. It stays
    /// even where the machine stops right afterwards.
    pub(super) fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let unfinished = Unfinished::write(self, bytes)?;
        unfinished.file.sync_all()?;
        match fs::linkat(&self.0, &unfinished.name, &self.0, name, AtFlags::empty()) {
            Err(error) if error != rustix::io::Errno::EXIST => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// A file with these bytes that has no name and cannot get one.
    pub(super) fn write_unnamed(&self, bytes: &[u8]) -> io::Result<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(fs::openat(&self.0, ".", flags, Mode::RUSR)?);
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Removes a file or link, where it is there.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Err(error) if error != rustix::io::Errno::NOENT => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The files in it, in no order. What vanishes meanwhile is left out.
    pub(super) fn list(&self) -> io::Result<Vec<Listed>> {
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            let Ok(is) = fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if fs::FileType::from_raw_mode(is.st_mode) == fs::FileType::RegularFile {
                found.push(listed(name, &is));
            }
        }
        Ok(found)
    }
}

/// Whether it is a plain file that this user owns and nobody else can touch.
fn is_private(file: &Metadata) -> bool {
    file.is_file() && file.uid() == geteuid().as_raw() && file.mode() & OTHERS == 0
}

fn listed(name: &str, is: &fs::Stat) -> Listed {
    let used = Duration::new(
        u64::try_from(is.st_mtime).unwrap_or_default(),
        u32::try_from(is.st_mtime_nsec).unwrap_or_default(),
    );
    Listed {
        name: name.to_owned(),
        bytes: u64::try_from(is.st_size).unwrap_or_default(),
        used: SystemTime::UNIX_EPOCH + used,
    }
}

/// A file under a name that nobody looks for. It is removed when this is dropped.
struct Unfinished<'a> {
    directory: &'a PrivateDirectory,
    name: String,
    file: File,
}

impl Unfinished<'_> {
    fn write<'a>(directory: &'a PrivateDirectory, bytes: &[u8]) -> io::Result<Unfinished<'a>> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let name = format!("{UNFINISHED}{:016x}", u64::from_ne_bytes(random));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = File::from(fs::openat(
            &directory.0,
            &name,
            flags,
            Mode::RUSR | Mode::WUSR,
        )?);
        let mut unfinished = Unfinished {
            directory,
            name,
            file,
        };
        unfinished.file.write_all(bytes)?;
        Ok(unfinished)
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        // Where it was renamed it is no longer there.
        let _ = self.directory.remove(&self.name);
    }
}
