//! Starts and removes a private PostgreSQL.

use super::find::{self, NotFound};
use crate::secret::Secret;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use thiserror::Error;

/// How long a server may take to start once more. What a crash leaves has to end and be recovered first.
const RECOVERY: Duration = Duration::from_secs(60);

/// What the server says while processes of the one before it are still there.
const STILL_IN_USE: &str = "is still in use";

/// Attempts to find a port that nobody else takes between looking and starting.
const ATTEMPTS: usize = 5;

/// What the server logs when it is ready; the other one where it is a standby.
const READY: [&str; 2] = [
    "database system is ready to accept connections",
    "database system is ready to accept read-only connections",
];

/// Users to run as when started as root: the server refuses to run as root.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Settings of a cluster that need not survive a crash.
const SETTINGS: [&str; 9] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "max_connections=200",
    "max_prepared_transactions=10",
];

/// A cluster cannot be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// There is no server to start.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// Files or processes cannot be made.
    #[error("cannot prepare a PostgreSQL cluster: {0}")]
    Io(#[from] io::Error),
    /// A program failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// Name of the program.
        program: &'static str,
        /// What it printed.
        output: String,
    },
    /// Started as root and there is no other user to run the server as.
    #[error(
        "PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody to run it as"
    )]
    NoUser,
}

/// A private PostgreSQL on a free loopback port, in a temporary directory. It is stopped and removed
/// when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    server: Child,
    launch: Launch,
    port: u16,
    password: Secret,
    /// Removed last.
    _directory: TempDir,
}

/// How its server is started.
#[derive(Debug)]
struct Launch {
    bin: PathBuf,
    data: PathBuf,
    settings: Vec<String>,
    user: Option<User>,
}

impl Cluster {
    /// Makes and starts a cluster; takes a second or two. When started as root, the server runs as
    /// an unprivileged user.
    ///
    /// # Errors
    /// When there is no server on this machine, or it does not start.
    pub fn start() -> Result<Cluster, StartError> {
        Cluster::start_with(&[])
    }

    /// As [`Cluster::start`], with further settings of the server, each as `name=value`.
    ///
    /// # Errors
    /// When there is no server on this machine, or it does not start.
    pub fn start_with(settings: &[&str]) -> Result<Cluster, StartError> {
        let bin = find::bin_dir()?;
        let user = user()?;
        let directory = tempfile::Builder::new()
            .prefix("airlock-postgres-")
            .tempdir()?;
        let data = directory.path().join("data");
        let password = random_password()?;
        let password_file = directory.path().join("password");
        fs::write(&password_file, password.expose())?;
        for path in [directory.path(), &password_file] {
            give(path, user.as_ref())?;
        }
        init(&bin, &data, &password_file, user.as_ref())?;
        fs::remove_file(&password_file)?;
        let settings = SETTINGS.iter().chain(settings);
        let launch = Launch {
            settings: settings.map(ToString::to_string).collect(),
            bin,
            data,
            user,
        };
        let mut refusal = String::new();
        for _ in 0..ATTEMPTS {
            let port = free_port()?;
            match launch.serve(port)? {
                Ok(server) => {
                    return Ok(Cluster {
                        server,
                        launch,
                        port,
                        password,
                        _directory: directory,
                    });
                }
                Err(log) => refusal = log,
            }
        }
        Err(StartError::Failed {
            program: "postgres",
            output: refusal,
        })
    }

    /// A superuser's connection string to the database `postgres`.
    #[must_use]
    pub fn connection_string(&self) -> Secret {
        self.connection_string_to("postgres")
    }

    /// A superuser's connection string to a database of this cluster.
    #[must_use]
    pub fn connection_string_to(&self, database: &str) -> Secret {
        let Cluster { port, password, .. } = self;
        Secret::new(format!(
            "dbname={database} user=postgres password={} host=127.0.0.1 port={port}",
            password.expose()
        ))
    }

    /// The loopback port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory with its data.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.launch.data
    }

    /// Ends the server as a crash would. Its sessions end by themselves when they notice.
    ///
    /// # Errors
    /// When the system does not let go of the process.
    pub fn kill(&mut self) -> io::Result<()> {
        self.server.kill()?;
        self.server.wait().map(drop)
    }

    /// Ends the server, if it still runs, and starts it once more with the same data and port.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.stop();
        let end = Instant::now() + RECOVERY;
        loop {
            match self.launch.serve(self.port)? {
                Ok(server) => {
                    self.server = server;
                    return Ok(());
                }
                Err(log) if log.contains(STILL_IN_USE) && Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(output) => {
                    return Err(StartError::Failed {
                        program: "postgres",
                        output,
                    });
                }
            }
        }
    }

    fn stop(&mut self) {
        // One that was waited for is gone, and its number may be somebody else's.
        if !matches!(self.server.try_wait(), Ok(None)) {
            return;
        }
        let pid = i32::try_from(self.server.id()).map(Pid::from_raw);
        // SIGINT is the server's fast shutdown: it ends its sessions and its own children.
        if let Ok(pid) = pid
            && kill(pid, Signal::SIGINT).is_ok()
        {
            let _ = self.server.wait();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The user to run the server as; none where this process need not change.
fn user() -> Result<Option<User>, StartError> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let found = UNPRIVILEGED
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    found.map(Some).ok_or(StartError::NoUser)
}

fn give(path: &Path, user: Option<&User>) -> io::Result<()> {
    if let Some(user) = user {
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
    }
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn random_password() -> io::Result<Secret> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(Secret::new(
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
    ))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// A program of the server, run as `user` in a directory that this user can read.
fn program(bin: &Path, name: &str, data: &Path, user: Option<&User>) -> Command {
    let mut command = Command::new(bin.join(name));
    command.arg("-D").arg(data).stdin(Stdio::null());
    command.current_dir(data.parent().unwrap_or(Path::new("/")));
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C");
    if let Some(user) = user {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

fn init(
    bin: &Path,
    data: &Path,
    password_file: &PathBuf,
    user: Option<&User>,
) -> Result<(), StartError> {
    let Output {
        status,
        stdout,
        stderr,
    } = program(bin, "initdb", data, user)
        .args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .arg("--pwfile")
        .arg(password_file)
        .output()?;
    if status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    Err(StartError::Failed {
        program: "initdb",
        output,
    })
}

impl Launch {
    /// Starts the server and waits until it is ready; the inner error is its log.
    fn serve(&self, port: u16) -> Result<Result<Child, String>, StartError> {
        let mut command = program(&self.bin, "postgres", &self.data, self.user.as_ref());
        command.args(["-p", &port.to_string()]);
        command.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
        // A process group of its own: an interrupt at the terminal is for this process to handle.
        let mut server = command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()?;
        let Some(log) = server.stderr.take() else {
            return Err(io::Error::other("the server has no log").into());
        };
        let mut lines = BufReader::new(log).lines();
        let mut seen = String::new();
        for line in lines.by_ref() {
            let line = line?;
            if READY.iter().any(|ready| line.contains(ready)) {
                // The log must be read on, or the server would stand still when the pipe is full.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Ok(server));
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        server.wait()?;
        Ok(Err(seen))
    }
}
