//! Connectors that are not what they should be.

use super::Place;
use airlock_tests::world::{answering, digest};

#[test]
fn components_are_loaded_and_held_to_their_digests() {
    let good = answering("a", "good").component();
    let right = digest(&good);
    let wrong = digest(b"another");
    let config =
        |sha256: &str| format!("connector_dir = \".\"\n[connectors.a]\nsha256 = \"{sha256}\"\n");
    let place = Place::new(&config(&right)).with("a.wasm", &good);
    let report = place.look(&[]);
    report.expect("connectors.a", "ok", &right);
    report.expect_all_ok();
    let place = Place::new(&config(&wrong)).with("a.wasm", &good);
    let report = place.look(&[]);
    report.expect("connectors.a", "failed", "sha256");
    report.expect_only("connectors.a");
    report.expect("connectors.postgres_v2", "ok", "loads");
}

#[test]
fn what_is_no_connector_or_is_missing_is_told() {
    let config = "connector_dir = \".\"\n[connectors.a]\n[connectors.b]\n";
    let mut trap = answering("a", "bad");
    trap.plan = "unreachable".into();
    for (contents, says) in [
        (b"no component".to_vec(), "is not WebAssembly"),
        (trap.component(), "the example of C cannot be planned"),
    ] {
        let place = Place::new(config).with("a.wasm", contents);
        let report = place.look(&[]);
        report.expect("connectors.a", "failed", says);
        report.expect("connectors.b", "warning", "no file");
    }
}

/// As `MemoryDenyWriteExecute` of systemd does. Kernels before 6.3 do not know the request.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_system_that_denies_machine_code_is_told() {
    use crate::{AIRLOCK, CACHES, path, run};

    let place = Place::new("");
    let config = place.at("airlock.toml");
    // PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN.
    let deny = "exit 77 if syscall(157, 65, 1, 0, 0, 0) != 0; exec @ARGV";
    let mut perl = std::process::Command::new("perl");
    perl.args([
        "-e",
        deny,
        AIRLOCK,
        "doctor",
        "--json",
        "--config",
        path(&config),
    ]);
    perl.env("XDG_CACHE_HOME", CACHES);
    let ended = run(&mut perl);
    if ended.0 == Some(77) {
        return;
    }
    let found = super::report(ended);
    found.expect("connectors.postgres_v2", "failed", "make memory executable");
}
