//! Keys that callers must know.

use crate::secret::Secret;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A key, as its digest: comparing digests takes as long whatever is given, so the time tells neither
/// the key nor its length.
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn new(key: &Secret) -> Key {
        Key(Sha256::digest(key.expose()).into())
    }

    /// Whether `given` is the key.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        Sha256::digest(given).as_slice().ct_eq(&self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_is_the_key() {
        let key = Key::new(&Secret::new("sekrit"));
        assert!(key.is(b"sekrit"));
        for other in [&b""[..], b"sekri", b"sekrit ", b"Sekrit", &[0; 32]] {
            assert!(!key.is(other));
        }
    }
}
