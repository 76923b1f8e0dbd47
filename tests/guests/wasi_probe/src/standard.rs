//! What programs do by the standard library.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "to see what comes of it"
)]

use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::net::{TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::{Duration, Instant, SystemTime};
use std::{env, process, thread};

pub(crate) fn time() -> Value {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let begin = Instant::now();
    let standing = begin.elapsed();
    thread::sleep(Duration::from_secs(3_600));
    json!({
        "wall_s": since_1970.unwrap_or_default().as_secs(),
        "standing_ns": standing.as_nanos(),
        "slept_ns": begin.elapsed().as_nanos(),
    })
}

/// The order of a set shows the keys of its hashes.
pub(crate) fn chance() -> Value {
    let set: HashSet<u32> = (0..64).collect();
    json!(set.into_iter().collect::<Vec<_>>())
}

pub(crate) fn world() -> Value {
    let mut input = String::new();
    let read = io::stdin().read_to_string(&mut input);
    json!({
        "variables": env::vars().count(),
        "arguments": env::args().count(),
        "input_bytes": told(read),
        "open": told(File::open("/etc/passwd")),
        "write": told(fs::write("new", "text")),
        "list": told(fs::read_dir("/").map(Iterator::count)),
        "remove": told(fs::remove_file("/etc/passwd")),
        "tcp": told(TcpStream::connect("127.0.0.1:5432")),
        "udp": told(UdpSocket::bind("127.0.0.1:0")),
        "name": told("localhost:80".to_socket_addrs().map(Iterator::count)),
    })
}

fn told<T: Debug>(result: io::Result<T>) -> String {
    match result {
        Ok(done) => format!("done: {done:?}"),
        Err(error) => format!("refused: {error}"),
    }
}

pub(crate) fn print() -> Value {
    println!("to standard output");
    eprintln!("to standard error \u{1b}[31m");
    Value::Null
}

pub(crate) fn flood() -> Value {
    loop {
        println!("and again");
    }
}

pub(crate) fn exit() -> Value {
    process::exit(7)
}

pub(crate) fn exit_well() -> Value {
    process::exit(0)
}

pub(crate) fn panic() -> Value {
    panic!("the probe panics")
}
