//! Accepting where the system has no more to give.

use super::{AIRLOCK, assert_serves, until_logged};
use airlock_tests::{Database, Server};
use std::os::unix::fs::PermissionsExt as _;
use tokio::net::TcpStream;

/// Files that the server may have open. It needs some forty for itself.
const FILES: usize = 80;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_files_waits_and_goes_on() {
    let database = Database::fresh().await;
    let directory = tempfile::tempdir().unwrap();
    let poor = directory.path().join("airlock");
    let script = format!("#!/bin/sh\nulimit -n {FILES}\nexec {AIRLOCK} \"$@\"\n");
    std::fs::write(&poor, script).unwrap();
    std::fs::set_permissions(&poor, std::fs::Permissions::from_mode(0o700)).unwrap();
    let server = Server::start(poor.to_str().unwrap(), &[], &[]);
    assert_serves(&server, &database).await;
    let mut open = Vec::new();
    for _ in 0..FILES {
        open.push(TcpStream::connect(server.address()).await.unwrap());
    }
    until_logged(&server, "connections cannot be accepted for now").await;
    drop(open);
    assert_serves(&server, &database).await;
    // It is told once, not each time that it is tried.
    assert_eq!(server.log().matches("cannot be accepted").count(), 1);
}
