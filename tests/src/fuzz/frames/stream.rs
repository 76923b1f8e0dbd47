//! What the server says, message by message, and where that goes wrong.

use super::messages::{message, report, texts};
use super::script::{Edit, Script};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the server waits for the host once its stream went wrong: both may wait for each other.
const QUIET: Duration = Duration::from_millis(20);

/// Longest message that the host sends here, in bytes.
const LONGEST: usize = 1 << 20;

/// What the host was told.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    /// That what it asked for is done, in a stream that was whole until then.
    pub(super) confirmed: bool,
    /// Something from which nobody can tell.
    pub(super) odd: bool,
}

/// Both directions of one connection.
pub(super) struct Stream {
    socket: TcpStream,
    script: Arc<Script>,
    told: Arc<Mutex<Told>>,
    out: Vec<u8>,
    /// Messages so far, counted for the edits.
    sent: usize,
    /// Edits were made, so the host may wait for what never comes.
    is_edited: bool,
    /// What runs is complete.
    pub(super) is_complete: bool,
    /// An error was said since the last time that the server was ready.
    is_refused: bool,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, script: Arc<Script>, told: Arc<Mutex<Told>>) -> Stream {
        Stream {
            socket,
            script,
            told,
            out: Vec::new(),
            sent: 0,
            is_edited: false,
            is_complete: false,
            is_refused: false,
        }
    }

    /// Reads a message without a tag and gives its code.
    pub(super) async fn first(&mut self) -> io::Result<u32> {
        let length = self.socket.read_u32().await? as usize;
        let code = self.socket.read_u32().await?;
        let mut rest = vec![0; length.saturating_sub(8).min(LONGEST)];
        self.socket.read_exact(&mut rest).await?;
        Ok(code)
    }

    /// Reads the next message, once the host has all that was said.
    pub(super) async fn next(&mut self) -> io::Result<(u8, Vec<u8>)> {
        self.flush().await?;
        let read = async {
            let tag = self.socket.read_u8().await?;
            let length = self.socket.read_u32().await? as usize;
            let mut body = vec![0; length.saturating_sub(4).min(LONGEST)];
            self.socket.read_exact(&mut body).await?;
            Ok((tag, body))
        };
        match self.is_edited {
            true => timeout(QUIET, read).await?,
            false => read.await,
        }
    }

    /// Says these bytes as they are.
    pub(super) fn say(&mut self, bytes: &[u8]) {
        self.out.extend(bytes);
    }

    /// Says that the server is ready, and with that whether what was asked for is done.
    pub(super) async fn ready(&mut self, status: u8, asked: bool) -> io::Result<()> {
        self.send(b'Z', &[status]).await?;
        self.told().confirmed |= asked && self.is_complete && !self.is_refused;
        (self.is_complete, self.is_refused) = (false, false);
        Ok(())
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }

    /// Sends one message, or what its edits make of it.
    pub(super) async fn send(&mut self, tag: u8, body: &[u8]) -> io::Result<()> {
        let mut bytes = message(tag, body);
        let at = self.sent;
        self.sent += 1;
        let edits = self.script.edits.clone();
        for (_, edit) in edits.iter().filter(|(place, _)| usize::from(*place) == at) {
            self.edit(edit, &mut bytes).await?;
        }
        self.out.extend(bytes);
        Ok(())
    }

    async fn edit(&mut self, edit: &Edit, bytes: &mut Vec<u8>) -> io::Result<()> {
        self.is_edited |= *edit != Edit::Notice;
        match edit {
            Edit::Drop => {
                self.is_complete &= !matches!(bytes.first(), Some(b'C' | b'Z'));
                self.told().odd |= !matches!(bytes.first(), Some(b'C' | b'Z'));
                bytes.clear();
            }
            Edit::Repeat => {
                self.told().odd = true;
                bytes.extend(bytes.clone());
            }
            Edit::Byte(at, value) => {
                self.told().odd = true;
                let at = usize::from(*at) % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = *value;
                }
            }
            Edit::Cut(keep) => {
                let keep = usize::from(*keep).min(bytes.len().saturating_sub(1));
                self.out.extend(&bytes[..keep]);
                return self.end().await;
            }
            Edit::Bytes(more) => {
                self.told().odd = true;
                self.out.extend(more);
            }
            Edit::Error(fatal) => {
                self.is_refused = true;
                let severity = if *fatal { "FATAL" } else { "ERROR" };
                self.out.extend(message(b'E', &report(severity, "22012")));
            }
            Edit::Notice => {
                let news = [&[0; 4][..], &texts(&["channel", "news"])].concat();
                self.out.extend(message(b'N', &report("NOTICE", "00000")));
                self.out.extend(message(b'A', &news));
            }
            Edit::Status(name, value) => {
                let status = texts(&[name, value]);
                self.out.extend(message(b'S', &status));
            }
            Edit::Close => return self.end().await,
            Edit::Silence => {
                self.flush().await?;
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        let out = std::mem::take(&mut self.out);
        self.socket.write_all(&out).await
    }

    /// Ends the connection.
    async fn end(&mut self) -> io::Result<()> {
        self.flush().await?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}
