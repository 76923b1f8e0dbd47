//! From the start of a server to its first reply.

use crate::{BINARY, Options, print_times};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(120);

/// Times and prints.
pub(crate) fn measure(options: &Options) {
    println!(
        "**From the start of a server to GET /liveness.** {} starts; milliseconds\n",
        options.times
    );
    println!("| compiled before | median | most | at most wanted |");
    println!("| --- | --- | --- | --- |");
    let cold = (0..options.times).map(|_| time(tempfile::tempdir().unwrap().path()));
    print_times("no", &cold.collect::<Vec<_>>(), "–");
    let caches = tempfile::tempdir().unwrap();
    time(caches.path());
    let warm = (0..options.times).map(|_| time(caches.path()));
    print_times("yes", &warm.collect::<Vec<_>>(), "150");
    println!();
}

/// A server that is ended with this.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server that keeps compiled components in `caches`.
fn time(caches: &Path) -> Duration {
    // Free a moment ago: the server is told where to listen, so that nothing has to be read from it.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let began = Instant::now();
    let server = Command::new(BINARY)
        .args(["serve", "--listen", &address.to_string()])
        .env("XDG_CACHE_HOME", caches)
        .env_remove("CONNECTOR_PROXY_API_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Started(server);
    while !is_live(address) {
        assert!(began.elapsed() < PATIENCE, "the server did not start");
        // A fraction of what is measured, and it leaves the processor to the server.
        std::thread::sleep(Duration::from_micros(500));
    }
    began.elapsed()
}

/// Whether a server answers.
fn is_live(address: SocketAddr) -> bool {
    let request = b"GET /liveness HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let answer = || {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(request)?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        std::io::Result::Ok(reply)
    };
    answer().is_ok_and(|reply| reply.starts_with("HTTP/1.1 200 "))
}
