//! Messages of the protocol, as they come out of a socket.

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Kind of the message that opens a session; it has none on the wire.
pub const STARTUP: u8 = 0;

/// Kind of the message that asks to cancel; it has none on the wire.
pub const CANCEL: u8 = 1;

/// Messages beyond this length come in parts.
const WHOLE: usize = 64 << 10;

/// What a message without a kind says when it asks to cancel.
const CANCEL_CODE: u32 = 80_877_102;

/// A message, or a part of a long one.
pub(super) struct Part {
    pub(super) kind: u8,
    /// As on the wire.
    pub(super) bytes: Vec<u8>,
    /// Whether the message begins, and whether it ends, with this part.
    pub(super) first: bool,
    pub(super) last: bool,
}

impl Part {
    /// Whether its beginning holds this text.
    pub(super) fn holds(&self, text: &str) -> bool {
        let mut windows = self.bytes.windows(text.len());
        windows.any(|window| window == text.as_bytes())
    }
}

/// Reads messages from one side of a connection.
pub(super) struct Messages<R> {
    from: R,
    buffer: Vec<u8>,
    /// The next message has no kind.
    opens: bool,
    /// Kind and length of what is left of a long message.
    rest: (u8, usize),
}

impl<R: AsyncRead + Unpin> Messages<R> {
    /// The messages in `from`; the first one opens a session if `opens` says so.
    pub(super) fn new(from: R, opens: bool) -> Messages<R> {
        Messages {
            from,
            buffer: Vec::new(),
            opens,
            rest: (STARTUP, 0),
        }
    }

    /// Waits for the next part; none at the end.
    pub(super) async fn next(&mut self) -> Option<Part> {
        if self.rest.1 > 0 {
            return self.next_of_rest().await;
        }
        let kind_bytes = usize::from(!self.opens);
        self.fill(kind_bytes + 4).await?;
        let length = &self.buffer[kind_bytes..kind_bytes + 4];
        let length = kind_bytes + u32::from_be_bytes(length.try_into().unwrap()) as usize;
        self.fill(length.min(WHOLE)).await?;
        let bytes: Vec<u8> = self.buffer.drain(..length.min(WHOLE)).collect();
        let kind = match self.opens {
            false => bytes[0],
            true if code(&bytes) == Some(CANCEL_CODE) => CANCEL,
            true => STARTUP,
        };
        self.rest = (kind, length - bytes.len());
        self.opens = false;
        Some(Part {
            kind,
            bytes,
            first: true,
            last: self.rest.1 == 0,
        })
    }

    async fn next_of_rest(&mut self) -> Option<Part> {
        let (kind, rest) = self.rest;
        self.fill(1).await?;
        let count = rest.min(self.buffer.len());
        self.rest.1 -= count;
        Some(Part {
            kind,
            bytes: self.buffer.drain(..count).collect(),
            first: false,
            last: self.rest.1 == 0,
        })
    }

    async fn fill(&mut self, length: usize) -> Option<()> {
        while self.buffer.len() < length {
            self.buffer.reserve(WHOLE);
            match self.from.read_buf(&mut self.buffer).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return None,
            }
        }
        Some(())
    }
}

/// What a message without a kind asks for.
fn code(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(4..8)?.try_into().ok()?))
}
