//! Tells what this cache has stored from everything else.
//!
//! An entry is machine code and an HMAC-SHA-256 over its key and the machine code. So an entry that was
//! changed, or renamed to another key, does not open. It is made with 32 random bytes that lie in the
//! same directory: whoever can read those could change this program as well.

use super::directory::PrivateDirectory;
use super::key::CompileCacheKey;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::io;

/// Name of the file with the key.
const FILE: &str = "key";

const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 32;

/// How often to try again where other processes make or remove the key at the same moment.
const ATTEMPTS: usize = 8;

/// The key, ready for use. It is never shown.
pub(super) struct Seal(Hmac<Sha256>);

impl Seal {
    /// The key in `directory`, which is made where there is none. Of several processes that make one at
    /// the same time, all take that of the first.
    pub(super) fn of(directory: &PrivateDirectory) -> io::Result<Seal> {
        let mut last = io::Error::other("the file with the key comes and goes");
        for _ in 0..ATTEMPTS {
            match directory.read(FILE, KEY_BYTES as u64) {
                Ok((_, key)) if key.len() == KEY_BYTES => {
                    return Hmac::new_from_slice(&key)
                        .map(Seal)
                        .map_err(io::Error::other);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => last = error,
                // What is there was not made here; all entries have to be made anew.
                Ok(_) => directory.remove(FILE)?,
                Err(error) => {
                    last = error;
                    directory.remove(FILE)?;
                }
            }
            let mut key = [0; KEY_BYTES];
            getrandom::fill(&mut key)?;
            directory.create(FILE, &key)?;
        }
        Err(last)
    }

    /// Machine code as it is stored under `key`.
    pub(super) fn close(&self, key: &CompileCacheKey, mut code: Vec<u8>) -> Vec<u8> {
        let tag = self.over(key, &code).finalize().into_bytes();
        code.extend_from_slice(&tag);
        code
    }

    /// The machine code, where this is what was stored under `key`. The comparison takes the same time
    /// whatever differs.
    pub(super) fn open(&self, key: &CompileCacheKey, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let (code, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
        self.over(key, code).verify_slice(tag).ok()?;
        sealed.truncate(code.len());
        Some(sealed)
    }

    fn over(&self, key: &CompileCacheKey, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        // Its length is fixed, so where it ends is not open to doubt.
        mac.update(key.as_bytes());
        mac.update(code);
        mac
    }
}
