//! What an entry is found by.

use crate::connector::Digest;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// Identifies machine code by what it was compiled from: the component, the compiler with its settings
/// and processor, and the version of Airlock. Prints as the name of the entry's file, 64 hexadecimal
/// digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CompileCacheKey([u8; 32]);

impl CompileCacheKey {
    /// The key of the component `component`, compiled by what `compiler` identifies, such as
    /// `Engine::precompile_compatibility_hash`, in the version `version` of Airlock.
    #[must_use]
    pub fn new(component: Digest, compiler: &impl Hash, version: &str) -> CompileCacheKey {
        // Each of them has a fixed length, so none can pass for a part of another.
        let mut all = Sha256::new();
        all.update(component.as_bytes());
        let mut fields = Fields(Sha256::new());
        compiler.hash(&mut fields);
        all.update(fields.0.finalize());
        all.update(Sha256::digest(version));
        CompileCacheKey(all.finalize().into())
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CompileCacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CompileCacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not the name of an entry: 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an entry: 64 hexadecimal digits in lower case")]
pub struct NotAKey;

impl FromStr for CompileCacheKey {
    type Err = NotAKey;

    fn from_str(name: &str) -> Result<Self, NotAKey> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(NotAKey),
        };
        let bytes = name.as_bytes().chunks(2).map(|pair| match *pair {
            [high, low] => Ok(digit(high)? << 4 | digit(low)?),
            _ => Err(NotAKey),
        });
        let bytes: Vec<u8> = bytes.collect::<Result<_, _>>()?;
        bytes.try_into().map(CompileCacheKey).map_err(|_| NotAKey)
    }
}

/// Takes in all that a value hashes, where the usual hashers keep 64 bits of it.
struct Fields(Sha256);

impl Hasher for Fields {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not asked for.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_makes_another_key() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let keys = [
            CompileCacheKey::new(a, &("x", 1), "0.1.0"),
            CompileCacheKey::new(b, &("x", 1), "0.1.0"),
            CompileCacheKey::new(a, &("x", 2), "0.1.0"),
            CompileCacheKey::new(a, &("x", 1), "0.1.1"),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{at}");
            assert_eq!(key.to_string().parse(), Ok(*key));
        }
        assert_eq!(CompileCacheKey::new(a, &("x", 1), "0.1.0"), keys[0]);
    }

    #[test]
    fn other_names_are_no_keys() {
        let long = "a".repeat(66);
        let upper = "A".repeat(64);
        for name in ["", "key", "a", &long, &long[..63], &upper] {
            assert_eq!(name.parse::<CompileCacheKey>(), Err(NotAKey), "{name}");
        }
    }
}
