//! Follows the messages of a server, and stops at what the driver would hold without bound: a message that
//! is too long, and settings without end.
//!
//! The driver holds a message whole before anybody sees any of it, and takes several times its size
//! meanwhile.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// A message begins with its kind, one byte, and its length, which counts itself.
const HEAD_BYTES: usize = 5;
const LENGTH_BYTES: u64 = 4;

/// Most settings that a server may report before it is ready for the next request: it has some fifteen that
/// it reports. The driver keeps them by name for as long as the connection lives.
const MOST_REPORTS: u32 = 1_000;

/// The kinds of messages that report a setting, and that the server is ready.
const PARAMETER_STATUS: u8 = b'S';
const READY_FOR_QUERY: u8 = b'Z';

/// How long messages may be, and whether one was longer.
#[derive(Debug, Clone)]
pub(super) struct Longest {
    bytes: u64,
    exceeded: Arc<AtomicBool>,
}

impl Longest {
    pub(super) fn new(bytes: usize) -> Longest {
        Longest {
            bytes: bytes as u64,
            exceeded: Arc::default(),
        }
    }

    /// Whether a message was longer.
    pub(super) fn is_exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Acquire)
    }
}

/// What a server sends, as long as its messages are not too long.
pub(super) struct Frames<S> {
    stream: S,
    longest: Longest,
    /// Of the message that is coming: what is there of its head, or what is still to come behind it.
    head: Vec<u8>,
    rest: u64,
    /// Settings that were reported since the server was ready.
    reports: u32,
}

impl<S> Frames<S> {
    pub(super) fn new(stream: S, longest: Longest) -> Frames<S> {
        Frames {
            stream,
            longest,
            head: Vec::with_capacity(HEAD_BYTES),
            rest: 0,
            reports: 0,
        }
    }

    fn follow(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let skipped =
                    usize::try_from(self.rest).map_or(bytes.len(), |rest| rest.min(bytes.len()));
                self.rest -= skipped as u64;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            let wanted = HEAD_BYTES - self.head.len();
            let (head, behind) = bytes.split_at(wanted.min(bytes.len()));
            self.head.extend_from_slice(head);
            bytes = behind;
            if let [kind, a, b, c, d] = *self.head.as_slice() {
                let length = u64::from(u32::from_be_bytes([a, b, c, d]));
                if length > self.longest.bytes {
                    self.longest.exceeded.store(true, Ordering::Release);
                    return Err(io::Error::other("a message is longer than message_bytes"));
                }
                self.count(kind)?;
                self.rest = length.saturating_sub(LENGTH_BYTES);
                self.head.clear();
            }
        }
        Ok(())
    }

    fn count(&mut self, kind: u8) -> io::Result<()> {
        match kind {
            PARAMETER_STATUS => self.reports += 1,
            READY_FOR_QUERY => self.reports = 0,
            _ => {}
        }
        match self.reports > MOST_REPORTS {
            true => Err(io::Error::other("the server reports settings without end")),
            false => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Frames<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        let followed = self.follow(read);
        if followed.is_err() {
            // An error means that nothing was read.
            buffer.set_filled(before);
        }
        Poll::Ready(followed)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Frames<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl<S: TlsStream + Unpin> TlsStream for Frames<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// A TLS handshake whose stream is followed.
pub(super) struct Followed<C> {
    pub(super) connect: C,
    pub(super) longest: Longest,
}

impl<S, C> TlsConnect<S> for Followed<C>
where
    C: TlsConnect<S>,
    C::Stream: Unpin,
    C::Future: Send + 'static,
{
    type Stream = Frames<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, C::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let (connecting, longest) = (self.connect.connect(stream), self.longest);
        Box::pin(async move { Ok(Frames::new(connecting.await?, longest)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    async fn read(messages: &[u8], piece: usize, longest: usize) -> (io::Result<usize>, bool) {
        let (mut server, client) = tokio::io::duplex(piece);
        let sent = messages.to_vec();
        let sending = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt as _;
            let _ = server.write_all(&sent).await;
        });
        let longest = Longest::new(longest);
        let mut frames = Frames::new(client, longest.clone());
        let mut received = Vec::new();
        let read = frames.read_to_end(&mut received).await;
        drop(frames);
        sending.await.unwrap();
        (read, longest.is_exceeded())
    }

    #[tokio::test]
    async fn settings_are_reported_with_an_end() {
        let report = b"S\0\0\0\x08a\0b\0";
        let ready = b"Z\0\0\0\x05I".as_slice();
        let most = report.repeat(MOST_REPORTS as usize);
        let twice = [&most, ready, &most].concat();
        assert!(read(&twice, 64, 100).await.0.is_ok());
        let more = [most.as_slice(), report].concat();
        let (stopped, exceeded) = read(&more, 64, 100).await;
        assert!(stopped.is_err() && !exceeded);
    }

    #[tokio::test]
    async fn messages_are_followed_however_they_arrive() {
        let messages = [
            b"Z\0\0\0\x05I".as_slice(),
            b"1\0\0\0\x04",
            b"D\0\0\0\x0eabcdefghij",
        ]
        .concat();
        for piece in 1..messages.len() + 1 {
            let (all, exceeded) = read(&messages, piece, 14).await;
            assert_eq!((all.unwrap(), exceeded), (messages.len(), false), "{piece}");
            let (stopped, exceeded) = read(&messages, piece, 13).await;
            assert!(stopped.is_err() && exceeded, "{piece}");
        }
    }
}
