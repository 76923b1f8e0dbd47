//! Where the server's programs are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use thiserror::Error;

/// Places that hold one directory for each version.
const VERSIONED: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/local/opt", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ("/usr", "bin"),
];

/// No PostgreSQL server is installed here, or none that can be found.
#[derive(Debug, Error)]
#[error(
    "no PostgreSQL server was found (initdb and postgres: looked on PATH, at pg_config --bindir and in the usual places). Install one: {install}"
)]
pub struct NotFound {
    install: &'static str,
}

/// The directory with `initdb`, `postgres` and the other programs of a server.
///
/// # Errors
/// When no server is installed here.
pub fn bin_dir() -> Result<PathBuf, NotFound> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(pg_config())
        .chain(
            VERSIONED
                .iter()
                .flat_map(|(parent, bin)| versions(Path::new(parent), bin)),
        )
        .find(|dir| dir.join("initdb").is_file() && dir.join("postgres").is_file())
        .ok_or_else(|| NotFound {
            install: install_command(),
        })
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

/// `parent/15/bin`, `parent/postgresql@15/bin` …, the highest version first.
fn versions(parent: &Path, bin: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let version = |name: &str| {
        let digits: String = name
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse::<u32>().unwrap_or(0)
    };
    let mut found: Vec<_> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            name.starts_with(|c: char| c.is_ascii_digit())
                || name.starts_with("postgresql")
                || name.starts_with("pgsql-")
        })
        .collect();
    found.sort_by_key(|name| std::cmp::Reverse(version(name)));
    found
        .into_iter()
        .map(|name| parent.join(name).join(bin))
        .collect()
}

fn install_command() -> &'static str {
    if cfg!(target_os = "macos") {
        return "brew install postgresql";
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let is = |names: &[&str]| names.iter().any(|name| release.contains(name));
    if is(&["debian", "ubuntu"]) {
        "apt-get install postgresql"
    } else if is(&["fedora", "rhel", "centos"]) {
        "dnf install postgresql-server"
    } else if is(&["alpine"]) {
        "apk add postgresql"
    } else if is(&["arch"]) {
        "pacman -S postgresql"
    } else if is(&["suse"]) {
        "zypper install postgresql-server"
    } else {
        "your system's package of the PostgreSQL server"
    }
}
