//! What the image holds: put together as its Dockerfile does, and run with nothing else.

use crate::{AIRLOCK, deployed, path};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The user of the image.
const USER: u32 = 65_532;

/// The root of the image, by the script that its Dockerfile runs.
fn root() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("image");
    let output = Command::new(deployed().join("image-root.sh"))
        .args([AIRLOCK, path(&root)])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    directory
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn it_holds_the_program_and_what_that_needs() {
    let directory = root();
    let root = directory.path().join("image");
    let files = files(&root);
    let is_there = |name: &str| files.iter().any(|file| file.ends_with(name));
    for name in [
        "usr/bin/airlock",
        "etc/ssl/certs/ca-certificates.crt",
        "etc/passwd",
    ] {
        assert!(is_there(name), "{name}: {files:?}");
    }
    // No shell, and no more programs than one.
    let programs = files
        .iter()
        .filter(|file| file.parent().unwrap().ends_with("bin"));
    assert_eq!(programs.count(), 1, "{files:?}");
    // The loader of the image finds all libraries in the image.
    let loader = files.iter().find(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.starts_with("ld-")
    });
    let mut places: Vec<&str> = files
        .iter()
        .filter(|file| file.to_str().unwrap().contains(".so"))
        .map(|file| path(file.parent().unwrap()))
        .collect();
    places.dedup();
    let loaded = |more: &[&str]| -> Output {
        Command::new(loader.expect("there is no loader"))
            .args(["--inhibit-cache", "--library-path", &places.join(":")])
            .args(more)
            .output()
            .unwrap()
    };
    let program = root.join("usr/bin/airlock");
    let listed = String::from_utf8(loaded(&["--list", path(&program)]).stdout).unwrap();
    for line in listed.lines().filter(|line| line.contains("=> ")) {
        assert!(line.contains(path(&root)), "from elsewhere: {line}");
    }
    let output = loaded(&[path(&program), "--version"]);
    let version = String::from_utf8(output.stdout).unwrap();
    assert!(version.starts_with("airlock "), "{version}");
}

/// What its Dockerfile does beside the script: the directory of the cache belongs to the user.
fn own_the_cache(root: &Path) {
    chown(root.join("var/cache/airlock"), Some(USER), Some(USER)).unwrap();
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A command in the image, as its user, with the `/proc` that containers have.
fn inside(root: &Path, arguments: &[&str]) -> Command {
    let enter = "mount -t proc proc \"$0/proc\" && exec chroot --userspec=65532:65532 \"$0\" /usr/bin/airlock \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", enter, path(root)])
        .args(arguments);
    command.env_clear().envs([
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ("XDG_CACHE_HOME", "/var/cache"),
    ]);
    command
}

/// Whether this user may do what a container engine does; root may not in every container.
pub(crate) fn may_enter() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(["--mount", "sh", "-c", "mount -t tmpfs none /mnt"]);
    Uid::effective().is_root() && probe.output().is_ok_and(|output| output.status.success())
}

/// The whole life of a container. Who may not enter one has had the test above.
#[test]
fn it_serves_as_its_user_from_nothing_but_the_image() {
    if !may_enter() {
        return;
    }
    let directory = root();
    let root = directory.path().join("image");
    own_the_cache(&root);
    // Compiling takes long beside all other tests.
    let patient = "[connectors.postgres_v2.limits]\ncompile_ms = 600_000\n";
    fs::write(root.join("etc/airlock.toml"), patient).unwrap();
    let mut server = inside(
        &root,
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
            "--config",
            "/etc/airlock.toml",
        ],
    )
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    let url = loop {
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("it did not start: {seen}"))
            .unwrap();
        if let Some((_, rest)) = line.split_once("listening on ") {
            break rest.split('"').next().unwrap().to_owned();
        }
        seen.push_str(&line);
    };
    let health = inside(&root, &["health", "--url", &url]).output().unwrap();
    assert!(health.status.success(), "{health:?}");
    let cache = root.join("var/cache/airlock/compiled").metadata().unwrap();
    assert_eq!((cache.uid(), cache.mode() & 0o777), (USER, 0o700));
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    assert!(
        status.contains(&format!("Uid:\t{USER}\t{USER}\t{USER}")),
        "{status}"
    );
    kill(
        Pid::from_raw(i32::try_from(server.id()).unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
}
