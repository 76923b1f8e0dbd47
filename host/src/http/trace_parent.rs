//! The trace that a request is part of, by the headers of the W3C.

use axum::http::HeaderMap;
use opentelemetry::propagation::Extractor;

/// Longest `tracestate` that is taken over, in bytes: what the standard wants carried at least. It is held
/// with each span that waits to be sent.
const MAX_STATE_BYTES: usize = 512;

/// The headers of a request.
pub(super) struct TraceParent<'r>(pub(super) &'r HeaderMap);

impl Extractor for TraceParent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(key).iter();
        let value = values.next()?.to_str().ok()?;
        // Of several, nobody knows which is meant.
        (values.next().is_none() && value.len() <= MAX_STATE_BYTES).then_some(value)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|key| key.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn one_header_of_a_sensible_length_counts() {
        let of = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("tracestate", HeaderValue::from_bytes(value).unwrap());
            }
            TraceParent(&headers).get("tracestate").map(str::to_owned)
        };
        assert_eq!(of(&[b"a=1"]).as_deref(), Some("a=1"));
        let long = [b'x'; MAX_STATE_BYTES + 1];
        assert!(of(&[&long[1..]]).is_some());
        for none in [&[][..], &[&long[..]], &[b"a=1", b"b=2"], &[b"\xff"]] {
            assert_eq!(of(none), None);
        }
    }
}
