//! Takes the bodies of requests: in time, no longer than they may be, and no more of them at once than
//! there is room for.

use super::envelope;
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use axum::body::{Body, HttpBody as _};
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::time::timeout;

/// First allocation for a body that comes in pieces, in bytes.
const FIRST_BYTES: usize = 64 << 10;

/// The bodies of all requests that are held.
pub(super) struct Bodies {
    bytes: AtomicUsize,
    most: usize,
}

impl Bodies {
    /// Room for this many bytes.
    pub(super) fn new(most: usize) -> Arc<Bodies> {
        Arc::new(Bodies {
            bytes: AtomicUsize::new(0),
            most,
        })
    }
}

/// What a body takes of the room for all, until this is dropped.
pub(super) struct Held {
    bytes: usize,
    of: Arc<Bodies>,
}

impl Held {
    /// Takes more; false where there is no room for it.
    fn grow(&mut self, bytes: usize) -> bool {
        let before = self.of.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        before + bytes <= self.of.most
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Why a body was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Untaken {
    TooLong,
    TooSlow,
    NoRoom,
    BrokenOff,
}

/// Takes a body whole. The error is the response.
pub(super) async fn receive(
    body: Body,
    bodies: &Arc<Bodies>,
    limits: &Limits,
) -> Result<(Bytes, Held), Response<Body>> {
    let held = Held {
        bytes: 0,
        of: bodies.clone(),
    };
    let mut taking = pin!(take(body, held, limits.body_bytes));
    let time = Duration::from_millis(limits.body_ms);
    let taken = match at_once(taking.as_mut()).await {
        Some(taken) => taken,
        None => timeout(time, taking).await.unwrap_or(Err(Untaken::TooSlow)),
    };
    taken.map_err(|untaken| refusal(untaken, limits))
}

/// What the future gives at its first or second turn: small bodies are there with their heads, and are
/// handed on between the two. None costs a timer then.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut first = true;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if first => {
            first = false;
            context.waker().wake_by_ref();
            Poll::Pending
        }
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

async fn take(mut body: Body, mut held: Held, most: usize) -> Result<(Bytes, Held), Untaken> {
    let announced = body.size_hint().lower();
    if announced > most as u64 {
        return Err(Untaken::TooLong);
    }
    let (mut first, mut whole) = (Bytes::new(), Vec::new());
    // Where all that was announced is there, nobody has to wait for the end.
    while !body.is_end_stream()
        && let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        // Trailers say nothing here.
        let Ok(piece) = frame.map_err(|_| Untaken::BrokenOff)?.into_data() else {
            continue;
        };
        if !held.grow(piece.len()) {
            return Err(Untaken::NoRoom);
        }
        if held.bytes > most {
            return Err(Untaken::TooLong);
        }
        if held.bytes == piece.len() {
            first = piece;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(FIRST_BYTES.max(2 * first.len()).min(announced as usize));
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&piece);
    }
    match whole.is_empty() {
        true => Ok((first, held)),
        false => Ok((whole.into(), held)),
    }
}

fn refusal(untaken: Untaken, limits: &Limits) -> Response<Body> {
    match untaken {
        Untaken::TooLong => envelope::refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            &format!(
                "the body is longer than the {} bytes of body_bytes",
                limits.body_bytes
            ),
        ),
        Untaken::TooSlow => {
            let message = format!(
                "the body took longer than the {} ms of body_ms",
                limits.body_ms
            );
            let mut response =
                envelope::refusal(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", &message);
            let headers = response.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
            response
        }
        Untaken::NoRoom => {
            let message =
                "the bodies of all calls take more than bodies_bytes; try again in a second";
            envelope::failure(&Fault::new(Kind::Overload, "TooManyRequests", message))
        }
        Untaken::BrokenOff => {
            let message = "the body breaks off, or is not sent as its headers say";
            envelope::refusal(StatusCode::BAD_REQUEST, "BadRequest", message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::io;

    fn body(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, io::Error>(*piece))
            .collect();
        Body::from_stream(stream::iter(pieces))
    }

    async fn taken(
        body: Body,
        bodies: &Arc<Bodies>,
        most: usize,
    ) -> Result<(Bytes, Held), Untaken> {
        let held = Held {
            bytes: 0,
            of: bodies.clone(),
        };
        take(body, held, most).await
    }

    #[tokio::test]
    async fn pieces_are_put_together() {
        let bodies = Bodies::new(100);
        for (pieces, whole) in [
            (&[][..], ""),
            (&["abc"], "abc"),
            (&["", "abc"], "abc"),
            (&["abc", "", "d", "ef"], "abcdef"),
        ] {
            let (bytes, held) = taken(body(pieces), &bodies, 6).await.unwrap();
            assert_eq!(
                (bytes.as_ref(), held.bytes),
                (whole.as_bytes(), whole.len())
            );
        }
        let too_long = taken(body(&["abc", "defg"]), &bodies, 6).await;
        assert_eq!(too_long.err(), Some(Untaken::TooLong));
        let announced = taken(Body::from("abcdefg"), &bodies, 6).await;
        assert_eq!(announced.err(), Some(Untaken::TooLong));
        assert_eq!(bodies.bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn all_bodies_together_have_a_bound() {
        let bodies = Bodies::new(10);
        let held = taken(body(&["abcdef"]), &bodies, 8).await.unwrap();
        let refused = taken(body(&["ab", "cde"]), &bodies, 8).await;
        assert_eq!(refused.err(), Some(Untaken::NoRoom));
        drop(held);
        assert!(taken(body(&["ab", "cde"]), &bodies, 8).await.is_ok());
        assert_eq!(bodies.bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_breaks_off_is_told_apart() {
        let bodies = Bodies::new(10);
        let pieces = [Ok("abc"), Err(io::Error::other("reset"))];
        let broken = taken(Body::from_stream(stream::iter(pieces)), &bodies, 8).await;
        assert_eq!(broken.err(), Some(Untaken::BrokenOff));
        let never = Body::from_stream(stream::pending::<Result<&str, io::Error>>());
        let limits = Limits {
            body_ms: 1,
            ..Limits::default()
        };
        let response = receive(never, &bodies, &limits).await.err().unwrap();
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
