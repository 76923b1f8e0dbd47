//! The id of a request: the caller's own, or one that is made here.

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use std::hash::{BuildHasher as _, RandomState};

/// The header that carries it, in requests and responses.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over, in bytes: it is in every line of the log that is about the request.
pub(super) const MAX_BYTES: usize = 128;

/// The id of a request, in its response and in every line of the log that is about it.
#[derive(Clone)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    /// The one that the request brings, where it is one and holds nothing but visible ASCII; else a new
    /// one.
    pub(super) fn of(headers: &HeaderMap) -> RequestId {
        let mut given = headers.get_all(HEADER).iter();
        match (given.next(), given.next()) {
            (Some(id), None) if is_well_formed(id.as_bytes()) => RequestId(id.clone()),
            _ => RequestId::new(),
        }
    }

    /// A new one: 128 bits from hashes whose keys the system seeded at random. It tells requests apart
    /// and is no secret.
    pub(super) fn new() -> RequestId {
        let bits = || u128::from(RandomState::new().hash_one(()));
        let bits = bits() << 64 | bits();
        let digits = (0..32).map(|at| match (bits >> (4 * at)) as u8 & 0xf {
            digit @ 0..=9 => b'0' + digit,
            digit => b'a' + digit - 10,
        });
        let id = HeaderValue::from_maybe_shared(digits.collect::<Bytes>());
        // Digits make a header.
        RequestId(id.unwrap_or(HeaderValue::from_static("none")))
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn is_well_formed(id: &[u8]) -> bool {
    (1..=MAX_BYTES).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for id in ids {
            headers.append(HEADER, HeaderValue::from_bytes(id).unwrap());
        }
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn well_formed_ids_are_taken_over_and_others_are_not() {
        assert_eq!(of(&[b"a-1:b/2"]), "a-1:b/2");
        let long = [b'x'; MAX_BYTES + 1];
        assert_eq!(of(&[&long[1..]]).as_bytes(), &long[1..]);
        let none: [&[&[u8]]; 7] = [
            &[],
            &[b""],
            &[b"two words"],
            &[b"\xe9"],
            &[b"tab\t"],
            &[&long],
            &[b"a", b"b"],
        ];
        for ids in none {
            let made = of(ids);
            assert_eq!(made.len(), 32, "{ids:?}");
            assert!(made.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert_ne!(made, of(ids));
        }
    }
}
