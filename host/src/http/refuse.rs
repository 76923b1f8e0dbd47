//! Tells clients beyond the last connection so.
//!
//! They are accepted and answered rather than left waiting: an engine tries again when it reads 503, and
//! would wait for its whole timeout otherwise; and whoever watches the server learns what is wrong. What
//! this takes is bounded: one piece of text, a second, and no more than [`MOST`] at a time.

use super::envelope;
use super::request_id::{self, RequestId};
use super::security;
use crate::fault::{Fault, Kind};
use crate::reply;
use axum::http::HeaderMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Most clients that are told at the same time; the sockets of others are just closed.
const MOST: usize = 64;

/// Time for a client to send its request and take the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Most bytes of the request that are taken.
const MOST_BYTES: u64 = 1 << 20;

/// Turns clients away.
#[derive(Clone)]
pub(super) struct Refusals(Arc<Semaphore>);

impl Refusals {
    pub(super) fn new() -> Refusals {
        Refusals(Arc::new(Semaphore::new(MOST)))
    }

    /// Tells the client, where it speaks plainly and there are not too many of its kind.
    pub(super) fn turn_away(&self, mut stream: TcpStream, tls: bool) {
        let Ok(permit) = self.0.clone().try_acquire_owned() else {
            return;
        };
        if tls {
            return;
        }
        tokio::spawn(async move {
            let tell = async {
                stream.write_all(response().as_bytes()).await?;
                stream.shutdown().await?;
                // Closed at once, what still comes would be answered with a reset, which can take the
                // response from the client.
                let mut rest = stream.take(MOST_BYTES);
                tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
            };
            let _ = timeout(PATIENCE, tell).await;
            drop(permit);
        });
    }
}

fn response() -> String {
    let message = "too many connections are open; try again in a second";
    let fault = Fault::new(Kind::Overload, "TooManyConnections", message);
    let body = reply::failure(&fault).to_string();
    let mut headers = HeaderMap::new();
    security::add(&mut headers, false);
    headers.insert(request_id::HEADER, RequestId::new().header());
    headers.extend(envelope::failure(&fault).headers().clone());
    let mut response = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n".to_owned();
    for (name, value) in &headers {
        // Writing into memory cannot fail.
        let _ = write!(
            response,
            "{name}: {}\r\n",
            value.to_str().unwrap_or_default()
        );
    }
    let _ = write!(response, "content-length: {}\r\n\r\n{body}", body.len());
    response
}
