//! What operators need: readiness, health, `airlock doctor`, files to deploy, the habits of a command line.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod deploy;
mod doctor;
mod habits;
mod health;
mod image;
mod kubernetes;
mod notify;
mod readiness;
mod terminal;

use airlock_tests::{Server, secrets};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::Command;

const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// Where compiled components are kept, so that the user's own stay as they are.
const CACHES: &str = env!("CARGO_TARGET_TMPDIR");

/// The variables that decide about colours. Where `CI` is set, each terminal can show them.
const COLOURS: [&str; 5] = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "CI"];

/// The command with nothing of this environment that it goes by.
fn airlock(arguments: &[&str]) -> Command {
    let mut command = Command::new(AIRLOCK);
    command.args(arguments).env("XDG_CACHE_HOME", CACHES);
    let others = [
        "CONNECTOR_PROXY_API_KEY",
        "AIRLOCK_ADMIN_TOKEN",
        "AIRLOCK_HEALTH_URL",
    ];
    for variable in COLOURS.iter().chain(&others) {
        command.env_remove(variable);
    }
    command
}

/// Runs it; gives the exit code, standard output and standard error.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    secrets::search("standard output", &out);
    secrets::search("standard error", &err);
    (output.status.code(), out, err)
}

fn terminate(server: &Server) {
    let process = Pid::from_raw(i32::try_from(server.id()).unwrap());
    kill(process, Signal::SIGTERM).unwrap();
}

/// The directory of what is deployed.
fn deployed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
