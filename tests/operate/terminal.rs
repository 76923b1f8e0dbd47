//! A terminal of the system, with a command in it.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

/// Runs a command whose standard output and standard error are a terminal; gives what it wrote there.
pub(crate) fn on_terminal(command: &mut Command) -> String {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap());
    let theirs = OwnedFd::from(theirs.unwrap());
    command.stdin(Stdio::null());
    command.stdout(theirs.try_clone().unwrap()).stderr(theirs);
    let mut process = command.spawn().unwrap();
    // The command keeps copies; with these open, the terminal would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut seen = Vec::new();
    // It ends with an error, not with an end of file.
    let _ = std::fs::File::from(ours).read_to_end(&mut seen);
    process.wait().unwrap();
    String::from_utf8_lossy(&seen).into_owned()
}
