//! Rows on their way out while a plan is still running.

use bytes::Bytes;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

/// Size from which rendered rows are handed out, in bytes. Replies below it go out in one piece.
const CHUNK_BYTES: usize = 64 << 10;

/// The chunk that waits to be taken. With the one that is being filled and the one that is being sent,
/// it bounds the memory of a reply of any length.
pub(super) type Slot = Arc<Mutex<Option<Bytes>>>;

/// Hands rows out in chunks, and waits while nobody takes them.
///
/// Whoever takes the chunks also polls the plan, in the same task, so nobody needs to be woken.
pub(super) struct Chunks {
    slot: Slot,
    begun: bool,
}

impl Chunks {
    pub(super) fn new(slot: Slot) -> Chunks {
        Chunks { slot, begun: false }
    }

    pub(super) fn are_full(&self, json: &[u8]) -> bool {
        json.len() >= CHUNK_BYTES
    }

    /// Takes what is in `json`, leaving it empty, and waits until it was taken on.
    pub(super) async fn send(&mut self, json: &mut Vec<u8>) {
        self.begun = true;
        let chunk = std::mem::replace(json, Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8));
        let mut chunk = Some(Bytes::from(chunk));
        poll_fn(|_| {
            let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.is_some() {
                return Poll::Pending;
            }
            match chunk.take() {
                Some(chunk) => {
                    *slot = Some(chunk);
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }
        })
        .await;
    }

    /// Whether rows are out already, so that the plan cannot be run again.
    pub(super) fn have_begun(&self) -> bool {
        self.begun
    }
}
