//! Components that were compiled before.
//!
//! Compiling takes a fraction of a second or, for scripts, many; a program that starts again takes the
//! machine code from a private directory instead. Machine code is trusted as it is loaded, so an entry
//! carries a code that only this directory's key can make, see [`seal`]. What fails that, or cannot be
//! read, is as good as absent: it is removed, and the component compiled. Nothing here fails a load.
//!
//! Only what the compiler of this process gave is stored, see [`super::compile`]; the child that
//! compiles never sees the directory.

mod directory;
mod key;
mod seal;
mod trim;

pub use directory::CompileCacheError;
pub use key::CompileCacheKey;

use crate::limits::Limits;
use directory::PrivateDirectory;
use seal::Seal;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Machine code by what it was compiled from, in a directory that only this user can reach. Those used
/// longest ago go first. Several processes may share it.
pub struct CompileCache {
    directory: PrivateDirectory,
    seal: Seal,
    most_bytes: u64,
    hits: AtomicU64,
    misses: AtomicU64,
    refused: AtomicU64,
}

/// What the cache did since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompileCacheStats {
    /// Components that were there.
    pub hits: u64,
    /// Components that were not, those with a refused entry included.
    pub misses: u64,
    /// Entries that were not what this cache had stored, or could not be read.
    pub refused: u64,
}

impl CompileCache {
    /// Opens the cache in `directory`, and makes it where there is none. It holds at most
    /// `compile_cache_bytes`.
    ///
    /// # Errors
    /// When the directory cannot be used, or other users can reach it.
    pub fn open(directory: &Path, limits: &Limits) -> Result<CompileCache, CompileCacheError> {
        let opened = PrivateDirectory::open(directory)?;
        let seal =
            Seal::of(&opened).map_err(|cause| CompileCacheError::unusable(directory, cause))?;
        Ok(CompileCache {
            directory: opened,
            seal,
            most_bytes: limits.compile_cache_bytes,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// The machine code for `key` as it was stored. Anything else in its place is removed.
    #[must_use]
    pub fn get(&self, key: &CompileCacheKey) -> Option<Vec<u8>> {
        let found = self.read(key);
        match &found {
            Ok(_) => self.hits.fetch_add(1, Ordering::Relaxed),
            Err(_) => self.misses.fetch_add(1, Ordering::Relaxed),
        };
        match found {
            Ok(code) => Some(code),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.refuse(key, &error);
                None
            }
        }
    }

    /// Stores the machine code that our compiler gave. Where that fails, the next start compiles again.
    ///
    /// It is not public: what is stored here will be run.
    pub(super) fn put(&self, key: &CompileCacheKey, code: Vec<u8>) {
        let sealed = self.seal.close(key, code);
        if sealed.len() as u64 > self.most_bytes {
            return;
        }
        let stored = self
            .directory
            .replace(&key.to_string(), &sealed)
            .and_then(|()| trim::trim(&self.directory, self.most_bytes));
        if let Err(error) = stored {
            tracing::warn!(%error, "cannot write to the compile cache");
        }
    }

    /// Removes an entry that is of no use, and says so.
    pub(super) fn refuse(&self, key: &CompileCacheKey, reason: &dyn fmt::Display) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(entry = %key, %reason, "an entry of the compile cache is refused; compiling afresh");
        if let Err(error) = self.directory.remove(&key.to_string()) {
            tracing::warn!(entry = %key, %error, "cannot remove an entry of the compile cache");
        }
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> CompileCacheStats {
        CompileCacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// A file with these bytes beside the entries. It has no name and is gone when it is closed.
    pub(super) fn write_unnamed(&self, code: &[u8]) -> io::Result<File> {
        self.directory.write_unnamed(code)
    }

    /// Reads an entry whole and opens it. What is returned is what was verified: a private copy.
    fn read(&self, key: &CompileCacheKey) -> io::Result<Vec<u8>> {
        let (file, sealed) = self.directory.read(&key.to_string(), self.most_bytes)?;
        let code = self.seal.open(key, sealed).ok_or_else(|| {
            let message = "it is damaged, or was not stored here for this component";
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        // The order in which entries go; it may be a little wrong.
        let _ = file.set_modified(SystemTime::now());
        Ok(code)
    }
}

impl fmt::Debug for CompileCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompileCache")
            .field("most_bytes", &self.most_bytes)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
