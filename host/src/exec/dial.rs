//! Dials one endpoint, and asks the server behind it for TLS.

use super::connect::Reason;
use super::error;
use crate::network::SslMode;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

/// The message that asks the server for TLS: length 8, code 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Opens a connection to exactly this address.
pub(super) async fn tcp(address: SocketAddr) -> Result<TcpStream, Reason> {
    let stream = TcpStream::connect(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?".to_owned()
        }
        _ => error.to_string(),
    })?;
    stream
        .set_nodelay(true)
        .map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Opens the socket at this path.
pub(super) async fn socket(path: &str) -> Result<UnixStream, Reason> {
    UnixStream::connect(path).await.map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "No such file or directory".to_owned(),
            io::ErrorKind::ConnectionRefused => "Connection refused".to_owned(),
            _ => return error.to_string(),
        };
        format!(
            "{reason}\n\tIs the server running locally and accepting connections on that socket?"
        )
    })
}

/// Asks for TLS where the mode wants it; true when the server goes along.
pub(super) async fn negotiate(
    mut stream: TcpStream,
    mode: SslMode,
) -> Result<(TcpStream, bool), Reason> {
    if mode < SslMode::Prefer {
        return Ok((stream, false));
    }
    // One byte is answered. What comes with it was not encrypted, and must not pass for what was.
    let mut answer = [0; 2];
    let read = async {
        stream.write_all(&SSL_REQUEST).await?;
        stream.read(&mut answer).await
    };
    match (read.await, answer) {
        (Ok(2), [b'S' | b'N', _]) => Err("received unencrypted data after SSL response".into()),
        (Ok(1), [b'S', _]) => Ok((stream, true)),
        (Ok(1), [b'N', _]) if mode == SslMode::Prefer => Ok((stream, false)),
        (Ok(1), [b'N', _]) => Err("server does not support SSL, but SSL was required".into()),
        (Ok(1 | 2), [other, _]) => Err(format!(
            "received invalid response to SSL negotiation: {}",
            char::from(other).escape_default()
        )),
        (Ok(_) | Err(_), _) => Err(error::CLOSED.trim_end().into()),
    }
}
