//! The socket of a connection: notes what comes and goes, and parts so that clients get the answer.

use super::activity::Activity;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Time to wait for a client that sends a body which nobody reads. Were the socket closed at once, the
/// system would answer what still comes with a reset, and that can take the answer from the client.
const LINGER: Duration = Duration::from_secs(1);

/// Most bytes that are taken meanwhile.
const LINGER_BYTES: usize = 1 << 20;

/// A stream to a client whose connection notes what happens on it.
pub(super) struct Socket<I> {
    stream: I,
    activity: Arc<Activity>,
    parting: Option<Parting>,
}

/// What is left of a connection that is closed on this side.
struct Parting {
    until: Pin<Box<Sleep>>,
    bytes: usize,
}

impl<I> Socket<I> {
    pub(super) fn new(stream: I, activity: Arc<Activity>) -> Socket<I> {
        Socket {
            stream,
            activity,
            parting: None,
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Socket<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.activity.sent(taken.is_ready());
        taken
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.activity.sent(taken.is_ready());
        taken
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.activity.sent(flushed.is_ready());
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.parting.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            if !self.activity.is_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        let Socket {
            stream, parting, ..
        } = &mut *self;
        let parting = parting.get_or_insert_with(|| Parting {
            until: Box::pin(sleep(LINGER)),
            bytes: 0,
        });
        let mut room = [0; 4096];
        while parting.bytes < LINGER_BYTES && parting.until.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                break;
            }
            parting.bytes += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}
