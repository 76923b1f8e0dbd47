//! Servers that answer what no PostgreSQL would, before anybody is logged in.

use crate::world::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const CONFIG: &str = "[limits]\nconnect_ms = 1000\n";

/// What a server does when it is asked for TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// Sends this at once, and nothing more.
    Says(&'static [u8]),
    /// Agrees, then sends this in the place of a handshake.
    AgreesThenSays(&'static [u8]),
    /// Closes.
    Closes,
}

/// A server that answers so; gives its port and how often it was dialled.
pub(crate) async fn serve(answer: Answer) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let dialled = Arc::new(AtomicUsize::new(0));
    let count = dialled.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(converse(stream, answer));
        }
    });
    (port, dialled)
}

async fn converse(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    let mut request = [0; 8];
    stream.read_exact(&mut request).await?;
    match answer {
        Answer::Says(text) => stream.write_all(text).await?,
        Answer::AgreesThenSays(text) => {
            stream.write_all(b"S").await?;
            // Once the client has begun the handshake.
            stream.read_u8().await?;
            stream.write_all(text).await?;
        }
        Answer::Closes => return Ok(()),
    }
    // Open until the client leaves.
    while stream.read_u8().await.is_ok() {}
    Ok(())
}

/// "Authentication went well", and "ready for queries": what an attacker would stuff in.
const LOGGED_IN: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
const STUFFED: &[u8] = b"SR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

#[tokio::test(flavor = "multi_thread")]
async fn bad_answers_are_refused() {
    let world = World::start(CONFIG);
    let unencrypted = "received unencrypted data after SSL response";
    let unsupported = "server does not support SSL, but SSL was required";
    let handshake = "error performing TLS handshake";
    for (answer, mode, message, dials) in [
        // In one packet with the answer: never read as if it were encrypted, and no way around TLS.
        (Answer::Says(STUFFED), "prefer", unencrypted, 1),
        (Answer::Says(STUFFED), "require", unencrypted, 1),
        (Answer::Says(STUFFED), "verify-full", unencrypted, 1),
        (Answer::Says(b"NR"), "prefer", unencrypted, 1),
        (Answer::Says(b"SS"), "require", unencrypted, 1),
        // In the place of a handshake.
        (Answer::AgreesThenSays(LOGGED_IN), "require", handshake, 1),
        (
            Answer::AgreesThenSays(b"HTTP/1.1 200 OK\r\n\r\n"),
            "require",
            handshake,
            1,
        ),
        (
            Answer::AgreesThenSays(&[0x15, 3, 3, 0, 2, 2, 40]),
            "require",
            handshake,
            1,
        ),
        // Prefer falls back, as in libpq: a connection without TLS, which is answered as badly.
        (Answer::AgreesThenSays(LOGGED_IN), "prefer", "failed: ", 2),
        (Answer::Says(b"S"), "require", "timeout expired", 1),
        (Answer::Says(b""), "require", "timeout expired", 1),
        (Answer::Says(b"N"), "require", unsupported, 1),
        (Answer::Says(b"N"), "verify-ca", unsupported, 1),
        (Answer::Says(b"N"), "verify-full", unsupported, 1),
        (
            Answer::Says(b"E"),
            "prefer",
            "invalid response to SSL negotiation: E",
            1,
        ),
        (
            Answer::Says(b"\x1b[2J"),
            "prefer",
            "negotiation: \\u{1b}",
            1,
        ),
        (
            Answer::Closes,
            "prefer",
            "server closed the connection unexpectedly",
            1,
        ),
        (
            Answer::Closes,
            "require",
            "server closed the connection unexpectedly",
            1,
        ),
    ] {
        let (port, dialled) = serve(answer).await;
        let dsn = format!("user=u password=canary host=127.0.0.1 port={port} sslmode={mode}");
        let (code, told) = world.outcome(&dsn).await;
        assert_eq!(code, "OperationalError", "{answer:?} {mode}: {told}");
        assert!(told.contains(message), "{answer:?} {mode}: {told}");
        assert_eq!(
            dialled.load(Ordering::SeqCst),
            dials,
            "{answer:?} {mode}: {told}"
        );
        assert!(!told.contains("canary"), "{told}");
    }
    assert!(
        !world.server.log().contains("panicked"),
        "{}",
        world.server.log()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_string_waits_longer_than_the_host() {
    let world = World::start("[limits]\nconnect_ms = 300\ndeadline_ms = 30000\n");
    let (port, dialled) = serve(Answer::Says(b"")).await;
    let host = ["127.0.0.1"; 3].join(",");
    let dsn = format!("user=u host={host} port={port} connect_timeout=3600");
    let (code, message) = world.outcome(&dsn).await;
    // Each of the three had its time, and the call was not ended by its deadline.
    assert_eq!(code, "OperationalError");
    assert_eq!(message.matches("timeout expired").count(), 3, "{message}");
    assert_eq!(dialled.load(Ordering::SeqCst), 3);
}
