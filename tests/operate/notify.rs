//! What a service manager is told that waits for it, as systemd does with `Type=notify`.

use crate::{AIRLOCK, path, terminate};
use airlock_tests::Server;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

fn received(socket: &UnixDatagram) -> String {
    let mut text = [0; 256];
    let length = socket.recv(&mut text).unwrap();
    String::from_utf8(text[..length].to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_when_calls_can_come_and_when_they_end() {
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().join("notify");
    let socket = UnixDatagram::bind(&name).unwrap();
    // A guard against waiting for ever.
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let server = Server::start(AIRLOCK, &[], &[("NOTIFY_SOCKET", path(&name))]);
    assert_eq!(received(&socket).trim(), "READY=1");
    terminate(&server);
    assert_eq!(received(&socket).trim(), "STOPPING=1");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_socket_that_is_not_there_stops_nobody() {
    let server = Server::start(AIRLOCK, &[], &[("NOTIFY_SOCKET", "/no/such/socket")]);
    assert!(server.log().contains("listening"), "{}", server.log());
}
