//! The ports that documents name. One process at a time may use them.

use std::env;
use std::fs::File;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

/// The ports of calls and of the admin surface.
const PORTS: [u16; 2] = [7004, 7005];

/// How long somebody else may have them.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds the ports, as far as tests of documents are concerned.
pub(super) struct Ports {
    _lock: File,
}

impl Ports {
    /// Waits for the turn of this test.
    pub(super) fn wait() -> Ports {
        let lock = File::create(env::temp_dir().join("airlock-documents.lock")).unwrap();
        lock.lock().unwrap();
        Ports { _lock: lock }
    }

    /// Waits until nobody listens there.
    ///
    /// # Panics
    /// When somebody does all the time.
    pub(super) fn are_free(&self) {
        for port in PORTS {
            assert!(
                is_free(port),
                "port {port}, which the documents name, is used by {}",
                owner(port)
            );
        }
    }
}

fn is_free(port: u16) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Who listens on a port.
#[cfg(target_os = "linux")]
fn owner(port: u16) -> String {
    use procfs::net::TcpState;
    use procfs::process::{FDTarget, all_processes};
    let sockets = procfs::net::tcp().unwrap_or_default();
    let socket = sockets
        .iter()
        .find(|socket| socket.local_address.port() == port && socket.state == TcpState::Listen);
    let inode = socket.map(|socket| socket.inode);
    let processes = all_processes().into_iter().flatten().flatten();
    let owner = processes.into_iter().find(|process| {
        let mut files = process.fd().into_iter().flatten().flatten();
        files.any(|file| matches!(file.target, FDTarget::Socket(socket) if Some(socket) == inode))
    });
    owner.map_or_else(
        || "somebody".into(),
        |process| {
            let command = process.cmdline().unwrap_or_default().join(" ");
            format!("process {}: {command}", process.pid)
        },
    )
}

#[cfg(not(target_os = "linux"))]
fn owner(_: u16) -> String {
    "somebody".into()
}

#[test]
fn who_has_a_port_is_told() {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let owner = owner(door.local_addr().unwrap().port());
    assert!(
        owner.contains(&format!("process {}: ", std::process::id())),
        "{owner}"
    );
}
