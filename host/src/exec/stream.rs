//! A socket that is closed when the server has closed it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a server says at the end is read in pieces of this size and dropped.
const PIECE_BYTES: usize = 4 << 10;

/// A socket whose shutdown ends when the server has shut it down as well. A server process closes its
/// socket as the last thing that it does, so from then on it counts no more as a connection there.
#[derive(Debug)]
pub(super) struct Stream<S> {
    socket: S,
    /// This side is shut down.
    is_shut: bool,
}

impl<S> Stream<S> {
    pub(super) fn new(socket: S) -> Stream<S> {
        Stream {
            socket,
            is_shut: false,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
            self.is_shut = true;
        }
        let mut piece = [0; PIECE_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test]
    async fn it_is_closed_when_the_server_has_closed_it() {
        let (client, mut server) = duplex(16);
        let closing = tokio::spawn(async move { Stream::new(client).shutdown().await });
        let mut said = Vec::new();
        server.read_to_end(&mut said).await.unwrap();
        // More than the socket holds, so somebody reads it.
        server.write_all(&[0; 1024]).await.unwrap();
        assert!(!closing.is_finished());
        drop(server);
        closing.await.unwrap().unwrap();
    }
}
