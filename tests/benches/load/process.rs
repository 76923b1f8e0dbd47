//! The servers that are measured, each a process of its own, and what the system says about them.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What a server logs in front of its address.
const LISTENING: &str = "listening on http://";

/// Ticks of a second in `/proc/PID/stat`, on every Linux there is.
const TICKS: f64 = 100.0;

/// A running server; it is ended when this is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Child,
}

/// Memory in KiB; none where the system has no `/proc`.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) now: Option<u64>,
    /// Most that was resident since the peak was forgotten.
    pub(crate) peak: Option<u64>,
}

impl Server {
    /// Starts `airlock serve` as it comes, its log in a file.
    pub(crate) async fn airlock(directory: &Path) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airlock"));
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .env_remove("CONNECTOR_PROXY_API_KEY")
            .env_remove("CONNECTOR_PROXY_CORS_ORIGINS")
            .env_remove("RUST_LOG");
        Server::start(command, &directory.join("airlock.log")).await
    }

    /// Starts the native baseline for the database at `dsn`.
    pub(crate) async fn baseline(directory: &Path, dsn: &str) -> Server {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .arg("--serve-baseline")
            .env(crate::BASELINE_DSN, dsn);
        Server::start(command, &directory.join("baseline.log")).await
    }

    async fn start(mut command: Command, log: &Path) -> Server {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log).unwrap())
            .spawn()
            .unwrap();
        loop {
            let seen = fs::read_to_string(log).unwrap();
            if let Some((_, rest)) = seen.split_once(LISTENING)
                && let Some((address, _)) = rest.split_once('\n')
            {
                let address = address.trim().parse().unwrap();
                return Server { address, process };
            }
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none(), "a server did not start: {seen}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Processor time that it took so far, in seconds.
    pub(crate) fn cpu(&self) -> Option<f64> {
        let stat = self.proc("stat")?;
        // The second field is the name in parentheses; user and system time are the 14th and 15th.
        let (_, fields) = stat.rsplit_once(") ")?;
        let times = fields.split(' ').skip(11).take(2);
        Some(
            times
                .filter_map(|ticks| ticks.parse::<f64>().ok())
                .sum::<f64>()
                / TICKS,
        )
    }

    /// Resident memory.
    pub(crate) fn memory(&self) -> Memory {
        let status = self.proc("status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.trim().parse().ok()
        };
        Memory {
            now: field("VmRSS:"),
            peak: field("VmHWM:"),
        }
    }

    /// Lets the peak begin again at what is resident now. The kernel keeps it exactly, where samples
    /// would miss it.
    pub(crate) fn forget_peak(&self) {
        // Without /proc there is no peak to forget.
        let _ = fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5");
    }

    fn proc(&self, file: &str) -> Option<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
