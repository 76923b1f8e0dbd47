//! A client that sends bytes as they are and tells the responses apart.

use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing here takes as long; what does hangs.
const HANGS: Duration = Duration::from_secs(60);

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|header| header.0 == name)
            .map(|header| header.1.as_str())
    }
}

/// A connection.
pub(crate) struct Raw<I = TcpStream> {
    stream: I,
    seen: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(address: &str) -> Raw {
        Raw::over(TcpStream::connect(address).await.unwrap())
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Raw<I> {
    /// Whether the server closes the connection in a moment; what came before that is kept.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.seen);
        match timeout(Duration::from_millis(20), read).await {
            Ok(read) => read.map_or(true, |read| read == 0),
            Err(_) => false,
        }
    }

    pub(crate) fn over(stream: I) -> Raw<I> {
        let seen = Vec::new();
        Raw { stream, seen }
    }

    /// Sends bytes; the server may have closed before it has them all.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Sends no more.
    pub(crate) async fn half_close(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// The next response; none where the connection is closed before it.
    pub(crate) async fn response(&mut self) -> Option<Response> {
        loop {
            if let Some((response, length)) = parse(&self.seen) {
                self.seen.drain(..length);
                return Some(response);
            }
            if !self.read().await {
                return None;
            }
        }
    }

    /// The next bytes, as many as these.
    pub(crate) async fn take(&mut self, bytes: usize) -> Vec<u8> {
        while self.seen.len() < bytes {
            assert!(self.read().await, "the connection is closed");
        }
        self.seen.drain(..bytes).collect()
    }

    /// Waits until the server closes the connection, and gives what came before that.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.read().await {}
        std::mem::take(&mut self.seen)
    }

    async fn read(&mut self) -> bool {
        let read = timeout(HANGS, self.stream.read_buf(&mut self.seen)).await;
        // A reset closes, too.
        read.expect("the server hangs").is_ok_and(|read| read > 0)
    }
}

/// The response that `seen` begins with, where it is whole, and its length.
fn parse(seen: &[u8]) -> Option<(Response, usize)> {
    let text = String::from_utf8_lossy(seen);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let mut response = Response {
        status,
        headers: headers.collect(),
        body: String::new(),
    };
    let start = head.len() + 4;
    let end = match response.header("content-length") {
        Some(length) => start + length.parse::<usize>().unwrap(),
        None if response.header("transfer-encoding").is_some() => {
            start + text.get(start..)?.find("0\r\n\r\n")? + 5
        }
        None => start,
    };
    response.body = String::from_utf8_lossy(seen.get(start..end)?).into_owned();
    Some((response, end))
}
