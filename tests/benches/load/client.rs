//! One keep-alive HTTP/1.1 connection that costs as little as it can: the load generator shares the
//! processor with what it measures.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Room for one read.
const READ: usize = 256 << 10;

/// How every reply to a successful call ends.
const SUCCESS: &[u8] = br#""error": null, "command_response_version": 2}"#;

/// A connection to a server and the reply that came last.
pub(crate) struct Client {
    stream: TcpStream,
    raw: Vec<u8>,
    /// Where in `raw` the parts of the body are.
    parts: Vec<Range<usize>>,
}

/// Times since the request began to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    /// The first byte of the body was there.
    pub(crate) first_byte: Duration,
    /// The last one was.
    pub(crate) total: Duration,
}

/// How fast a reply is read.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// As it comes.
    Full,
    /// A little at a time with pauses, for as long as this; then as it comes.
    Slow(Duration),
}

impl Client {
    /// Connects to a server.
    pub(crate) async fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client {
            stream,
            raw: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Sends a request and reads the reply, which must be a success.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Timing {
        self.call_at(request, Pace::Full).await
    }

    /// Likewise, at the given pace.
    pub(crate) async fn call_at(&mut self, request: &[u8], pace: Pace) -> Timing {
        self.raw.clear();
        self.parts.clear();
        let began = Instant::now();
        self.stream.write_all(request).await.unwrap();
        let mut head = None;
        let mut first_byte = None;
        loop {
            self.read(pace, began).await;
            if head.is_none() {
                head = Head::parse(&self.raw);
            }
            let Some(found) = &mut head else { continue };
            if self.raw.len() > found.end {
                first_byte.get_or_insert_with(|| began.elapsed());
            }
            if found.is_complete(&self.raw, &mut self.parts) {
                break;
            }
        }
        let total = began.elapsed();
        let body = self.body();
        assert!(
            body.ends_with(SUCCESS),
            "the call failed: {}",
            beginning(&body)
        );
        Timing {
            first_byte: first_byte.unwrap(),
            total,
        }
    }

    async fn read(&mut self, pace: Pace, began: Instant) {
        self.raw.reserve(READ);
        let most = match pace {
            Pace::Slow(time) if began.elapsed() < time => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                16 << 10
            }
            _ => u64::MAX,
        };
        let read = (&mut self.stream)
            .take(most)
            .read_buf(&mut self.raw)
            .await
            .unwrap();
        assert!(read > 0, "the connection was closed within a reply");
    }

    /// The body of the last reply.
    pub(crate) fn body(&self) -> Cow<'_, [u8]> {
        match self.parts.as_slice() {
            [whole] => Cow::Borrowed(&self.raw[whole.clone()]),
            parts => {
                let parts: Vec<&[u8]> = parts.iter().map(|part| &self.raw[part.clone()]).collect();
                Cow::Owned(parts.concat())
            }
        }
    }
}

/// Enough of a reply to see what is wrong.
pub(crate) fn beginning(reply: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&reply[..reply.len().min(600)])
}

/// What the head of a reply says about its body.
struct Head {
    /// Where the body begins.
    end: usize,
    framing: Framing,
}

enum Framing {
    Length(usize),
    /// With the place of the next chunk.
    Chunked(usize),
}

impl Head {
    /// None while the head is not complete.
    fn parse(raw: &[u8]) -> Option<Head> {
        let end = raw.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
        let text = std::str::from_utf8(&raw[..end]).unwrap();
        assert!(
            text.starts_with("HTTP/1.1 200 "),
            "the call failed: {}",
            beginning(raw)
        );
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().unwrap())
        });
        let framing = length.map_or(Framing::Chunked(end), Framing::Length);
        Some(Head { end, framing })
    }

    /// Notes the parts of the body that are there; true when all of it is.
    fn is_complete(&mut self, raw: &[u8], parts: &mut Vec<Range<usize>>) -> bool {
        match &mut self.framing {
            Framing::Length(length) => {
                let whole = self.end..self.end + *length;
                let complete = raw.len() >= whole.end;
                if complete {
                    parts.push(whole);
                }
                complete
            }
            Framing::Chunked(next) => loop {
                let rest = &raw[*next..];
                let Some(line) = rest.windows(2).position(|bytes| bytes == b"\r\n") else {
                    return false;
                };
                let size = std::str::from_utf8(&rest[..line]).unwrap();
                let size = usize::from_str_radix(size, 16).unwrap();
                let begin = *next + line + 2;
                if raw.len() < begin + size + 2 {
                    return false;
                }
                if size == 0 {
                    return true;
                }
                parts.push(begin..begin + size);
                *next = begin + size + 2;
            },
        }
    }
}
