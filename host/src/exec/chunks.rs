//! Rows on their way out while a plan is still running.

use bytes::Bytes;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Size from which rendered rows are handed out, in bytes. Replies below it go out in one piece.
const CHUNK_BYTES: usize = 64 << 10;

/// The chunk that waits to be taken. With the one that is being filled and the one that is being sent,
/// it bounds the memory of a reply of any length.
pub(super) type Slot = Arc<Mutex<Waiting>>;

/// A chunk, and who waits for it to be taken.
#[derive(Default)]
pub(super) struct Waiting {
    chunk: Option<Bytes>,
    sender: Option<Waker>,
}

impl Waiting {
    /// Takes the chunk, where there is one, and lets the rows behind it come.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        let chunk = self.chunk.take()?;
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
        Some(chunk)
    }
}

/// Hands rows out in chunks, and waits while nobody takes them.
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
        poll_fn(|context| {
            let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.chunk.is_none() {
                match chunk.take() {
                    Some(chunk) => slot.chunk = Some(chunk),
                    None => return Poll::Ready(()),
                }
            }
            slot.sender = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Whether rows are out already, so that the plan cannot be run again.
    pub(super) fn have_begun(&self) -> bool {
        self.begun
    }
}
