//! Rows on their way out while a plan is still running.

use crate::fault::Fault;
use bytes::Bytes;
use tokio::sync::mpsc;

/// Size from which rendered rows are handed out, in bytes. Replies below it go out in one piece.
const CHUNK_BYTES: usize = 64 << 10;

/// Chunks that wait to be taken. With the one that is being filled and the one that is being sent,
/// this bounds the memory of a reply of any length.
const WAITING: usize = 1;

/// Hands rows out in chunks, and waits while nobody takes them.
pub(super) struct Chunks {
    sender: mpsc::Sender<Bytes>,
    begun: bool,
}

impl Chunks {
    pub(super) fn channel() -> (Chunks, mpsc::Receiver<Bytes>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (
            Chunks {
                sender,
                begun: false,
            },
            receiver,
        )
    }

    pub(super) fn are_full(&self, json: &[u8]) -> bool {
        json.len() >= CHUNK_BYTES
    }

    /// Takes what is in `json`, leaving it empty.
    pub(super) async fn send(&mut self, json: &mut Vec<u8>) -> Result<(), Fault> {
        self.begun = true;
        let chunk = std::mem::replace(json, Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8));
        let sent = self.sender.send(chunk.into()).await;
        sent.map_err(|_| Fault::internal("nobody takes the rows"))
    }

    /// Whether rows are out already, so that the plan cannot be run again.
    pub(super) fn have_begun(&self) -> bool {
        self.begun
    }
}
