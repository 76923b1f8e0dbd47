//! The golden plans beside the connector, of commands that are resumed.

use airlock_tests::POSTGRES_ADMIN;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn golden_plans_are_as_expected() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/postgres_admin");
    let directory = tempfile::tempdir().unwrap();
    let component = directory.path().join("postgres_admin.wasm");
    fs::write(&component, POSTGRES_ADMIN).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_airlock"))
        .arg("test")
        .arg(project)
        .arg("--component")
        .arg(&component)
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("4 calls, 0 not as expected"), "{said}");
}
