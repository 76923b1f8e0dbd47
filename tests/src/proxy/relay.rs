//! Passes the messages of one connection on, and breaks it where its script says.

use super::Shared;
use super::message::{Messages, Part};
use super::script::{Break, Flow, Place, Script, Watch};
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How a connection ends.
#[derive(PartialEq, Eq)]
pub(super) enum End {
    /// Both sides closed it, or it is cut.
    Closed,
    /// It is reset.
    Reset,
}

/// A connection that the host has open.
struct Open<'a>(&'a watch::Sender<usize>);

impl<'a> Open<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Open<'a> {
        count.send_modify(|open| *open += 1);
        Open(count)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

/// One flow of a connection.
struct Half<'a, W> {
    to: W,
    watch: Watch,
    fired: &'a watch::Sender<usize>,
    swallows: &'a AtomicBool,
    slices: bool,
    delay: Duration,
}

/// Passes messages on until both sides have closed the connection, or it breaks.
pub(super) async fn run(
    host: &mut TcpStream,
    server: &mut TcpStream,
    script: Script,
    shared: &Shared,
) -> End {
    let _ = (host.set_nodelay(true), server.set_nodelay(true));
    let swallows = AtomicBool::new(false);
    let (from_host, to_host) = host.split();
    let (from_server, to_server) = server.split();
    let up = Half::new(to_server, Flow::ToServer, &script, shared, &swallows);
    let down = Half::new(to_host, Flow::ToHost, &script, shared, &swallows);
    let open = Open::new(&shared.open);
    let up = async {
        let ended = up.pass(Messages::new(from_host, true)).await;
        drop(open);
        ended
    };
    match tokio::try_join!(up, down.pass(Messages::new(from_server, false))) {
        Ok(_) => End::Closed,
        Err(end) => end,
    }
}

impl<'a, W: AsyncWrite + Unpin> Half<'a, W> {
    fn new(
        to: W,
        flow: Flow,
        script: &Script,
        shared: &'a Shared,
        swallows: &'a AtomicBool,
    ) -> Half<'a, W> {
        Half {
            to,
            watch: Watch::new(script, flow),
            fired: &shared.fired,
            swallows,
            slices: false,
            delay: Duration::ZERO,
        }
    }

    async fn pass(mut self, mut messages: Messages<impl AsyncRead + Unpin>) -> Result<(), End> {
        while let Some(part) = messages.next().await {
            if part.first {
                self.happen(&part, Place::Before).await?;
            }
            self.send(&part.bytes).await;
            if part.last {
                self.happen(&part, Place::After).await?;
                self.watch.count(&part);
            }
        }
        if !self.swallows.load(Ordering::SeqCst) {
            let _ = self.to.shutdown().await;
        }
        Ok(())
    }

    /// Has happen what is due on this side of a message.
    async fn happen(&mut self, part: &Part, place: Place) -> Result<(), End> {
        for what in self.watch.see(part, place) {
            self.fired.send_modify(|fired| *fired += 1);
            match what {
                Break::Cut => return Err(End::Closed),
                Break::Reset => return Err(End::Reset),
                Break::Stall => pending().await,
                Break::BlackHole => self.swallows.store(true, Ordering::SeqCst),
                Break::Slice => self.slices = true,
                Break::Delay(delay) => self.delay = delay,
            }
        }
        Ok(())
    }

    /// Passes bytes on. A receiver that is gone takes none; what it sent before still goes its way.
    async fn send(&mut self, bytes: &[u8]) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        if self.swallows.load(Ordering::SeqCst) {
            return;
        }
        let piece = if self.slices { 1 } else { bytes.len() };
        for piece in bytes.chunks(piece.max(1)) {
            if self.to.write_all(piece).await.is_err() {
                return;
            }
            if self.slices {
                tokio::task::yield_now().await;
            }
        }
    }
}
