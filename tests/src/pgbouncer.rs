//! PgBouncer between the host and a server, in transaction mode.

use nix::unistd::{Uid, User};
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Where it is where it is not on PATH.
const PLACES: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];

/// What it logs when it is ready.
const READY: &str = "process up: PgBouncer";

/// Users to run as when started as root, which it refuses.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// A running PgBouncer, which lends its connections for one transaction at a time. It is ended when
/// this is dropped.
pub struct PgBouncer {
    port: u16,
    server: u16,
    process: Child,
    _directory: TempDir,
}

impl PgBouncer {
    /// Starts one in front of the server that the connection string names, with so many connections to
    /// each database as each user.
    ///
    /// No PgBouncer on this machine is a failure, not a reason to skip.
    #[must_use]
    pub fn start(dsn: &str, pool_size: usize) -> PgBouncer {
        let value = |key: &str| {
            let pairs = dsn.split(' ').filter_map(|pair| pair.split_once('='));
            let mut values = pairs.filter(|(given, _)| *given == key);
            values.next().expect(key).1.to_owned()
        };
        let server: u16 = value("port").parse().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|free| free.local_addr())
            .unwrap()
            .port();
        let directory = tempfile::tempdir().unwrap();
        let (users, config) = (
            directory.path().join("users.txt"),
            directory.path().join("pgbouncer.ini"),
        );
        let user = format!("\"{}\" \"{}\"\n", value("user"), value("password"));
        fs::write(&users, user).unwrap();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = {pool_size}\nmax_client_conn = 1000\n",
            users.display()
        );
        fs::write(&config, settings).unwrap();
        let mut command = Command::new(find());
        command.arg(&config).stdin(Stdio::null());
        if Uid::effective().is_root() {
            let user = unprivileged();
            for path in [directory.path(), &users, &config] {
                chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
            }
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let mut lines = log.lines().map_while(Result::ok);
        let mut seen = String::new();
        loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("PgBouncer did not start: {seen}"));
            if line.contains(READY) {
                break;
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        // Its log must be read on, or it would stand still when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        PgBouncer {
            port,
            server,
            process,
            _directory: directory,
        }
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection string for the server, with this in between.
    #[must_use]
    pub fn dsn(&self, dsn: &str) -> String {
        let direct = format!("port={}", self.server);
        assert!(
            dsn.contains(&direct),
            "not a connection string to this server"
        );
        dsn.replace(&direct, &format!("port={}", self.port))
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn find() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(PLACES.map(PathBuf::from))
        .map(|directory| directory.join("pgbouncer"))
        .find(|program| Path::is_file(program))
        .expect("PgBouncer is not installed: apt-get install pgbouncer, brew install pgbouncer or your system's package")
}

fn unprivileged() -> User {
    UNPRIVILEGED
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .expect("PgBouncer refuses to run as root, and there is no user to run it as")
}
