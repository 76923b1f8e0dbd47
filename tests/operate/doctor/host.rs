//! Machines that are too small, made so by bounds on the process.

use super::{Place, Report, report};
use crate::{AIRLOCK, CACHES, path, run};
use std::process::Command;

/// Has the doctor look under a bound of the shell.
fn bounded(bound: &str) -> Report {
    let place = Place::new("");
    let config = place.at("airlock.toml");
    let mut shell = Command::new("sh");
    let line = format!("{bound} && exec \"$0\" doctor --json --config \"$1\"");
    shell.args(["-c", &line, AIRLOCK, path(&config)]);
    report(run(shell.env("XDG_CACHE_HOME", CACHES)))
}

#[test]
fn bounds_of_the_process_are_found() {
    bounded("ulimit -n 500").expect("host.open_files", "warning", "500 can be open");
    bounded("ulimit -v 4000000").expect("host.address_space", "failed", "no room for 256");
}

#[test]
fn limits_that_want_too_much_are_found() {
    let place = Place::new("[limits]\nbodies_bytes = 1_000_000_000_000_000\n");
    let report = place.look(&[]);
    report.expect("host.memory", "warning", "serving may take");
    let place = Place::new("[limits]\nconnections = 1_000_000_000\n");
    place
        .look(&[])
        .expect("host.open_files", "warning", "may be needed");
}

#[test]
fn what_is_fine_is_said() {
    let report = Place::new("").look(&[]);
    for check in ["host.address_space", "host.clock"] {
        report.expect(check, "ok", "");
    }
    // Whether the kernel is new enough is for it to say.
    assert!(!report.lacks("host.kernel"));
}
