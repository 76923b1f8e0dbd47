//! `airlock test`: golden plans.

use crate::project::{run, said};
use airlock::plan::{Access, Reply};
use airlock_tests::hostile::{Guest, manifest, plan};
use airlock_tests::world::answering;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A project whose connector is not built but given.
struct Given(TempDir);

impl Given {
    fn new(component: &Guest) -> Given {
        let given = Given(tempfile::tempdir().unwrap());
        fs::write(given.at("Cargo.toml"), "").unwrap();
        fs::create_dir_all(given.at("tests/plans")).unwrap();
        fs::write(given.at("tests/plans/c.json"), r#"{"command": "C"}"#).unwrap();
        given.become_(component);
        given
    }

    fn become_(&self, component: &Guest) {
        fs::write(self.at("given.wasm"), component.component()).unwrap();
    }

    fn at(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// Tests; gives the exit code and what was printed.
    fn test(&self, more: &[&str]) -> (i32, String) {
        let arguments = [&["test", ".", "--component", "given.wasm"], more].concat();
        let output = run(self.0.path(), &arguments);
        (output.status.code().unwrap(), said(&output))
    }

    fn plan(&self) -> Value {
        let text = fs::read_to_string(self.at("tests/plans/c.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

#[test]
fn plans_are_expected_until_somebody_takes_others() {
    let given = Given::new(&answering("a", "one"));
    let (code, shown) = given.test(&[]);
    assert!(
        code == 1 && shown.contains("nothing is expected yet"),
        "{shown}"
    );
    assert_eq!(
        given.plan(),
        json!({"command": "C"}),
        "nothing was asked for"
    );
    assert_eq!(given.test(&["--update"]).0, 0);
    assert_eq!(given.plan()["plan"]["statements"][0]["sql"], "SELECT 'one'");
    assert_eq!(given.test(&[]).0, 0);

    given.become_(&answering("a", "two"));
    let (code, shown) = given.test(&[]);
    assert_eq!(code, 1, "{shown}");
    let line = |sign: &str, text: &str| {
        let mut lines = shown.lines();
        lines.any(|line| line.starts_with(sign) && line.contains(text))
    };
    assert!(
        line("-", "SELECT 'one'") && line("+", "SELECT 'two'"),
        "{shown}"
    );
    assert!(!shown.contains('\u{1b}'), "colours in a pipe");
    assert_eq!(given.test(&["--update"]).0, 0);
    assert_eq!(given.test(&[]).0, 0);
}

#[test]
fn failures_are_expected_as_plans_are() {
    let given = Given::new(&answering("a", "one"));
    fs::write(
        given.at("tests/plans/c.json"),
        r#"{"command": "C", "input": {"x": 1}}"#,
    )
    .unwrap();
    assert_eq!(given.test(&["--update"]).0, 0);
    assert_eq!(
        given.plan()["failure"]["code"],
        "TypeError",
        "{}",
        given.plan()
    );
    assert_eq!(given.test(&[]).0, 0);
    fs::write(given.at("tests/plans/c.json"), r#"{"command": "None"}"#).unwrap();
    assert_eq!(given.test(&["--update"]).0, 0);
    assert_eq!(given.plan()["failure"]["code"], "command_not_found");
}

/// What no server would run can be expected of nobody.
#[test]
fn plans_are_held_to_the_policy_of_the_project() {
    let mut writes = manifest();
    writes.name = "a".into();
    writes.commands[0].access = Access::Write;
    let mut deletes = plan("DELETE FROM t");
    deletes.statements[0].access = Access::Write;
    deletes.reply = Reply::Affected;
    let given = Given::new(&Guest {
        manifest: writes,
        ..Guest::answering(deletes)
    });
    assert_eq!(given.test(&["--update"]).0, 0);
    let before = given.plan();
    fs::write(
        given.at("airlock.toml"),
        "[connectors.a]\naccess = \"read\"\n",
    )
    .unwrap();
    for more in [&[][..], &["--update"]] {
        let (code, shown) = given.test(more);
        assert_eq!(code, 1, "{shown}");
        assert!(
            shown.contains("no server would run it") && shown.contains("read"),
            "{shown}"
        );
    }
    assert_eq!(given.plan(), before);
}

#[test]
fn what_a_connector_takes_is_told() {
    let given = Given::new(&answering("a", "one"));
    let (_, shown) = given.test(&["--update"]);
    let fuel = shown
        .lines()
        .find(|line| line.starts_with("most fuel"))
        .unwrap();
    assert!(!fuel.contains("near"), "{fuel}");
    let taken: u64 = fuel.split_whitespace().nth(2).unwrap().parse().unwrap();
    let config = format!("[connectors.a.limits]\nplan_fuel = {}\n", taken + taken / 2);
    fs::write(given.at("airlock.toml"), config).unwrap();
    let (code, shown) = given.test(&[]);
    assert!(
        code == 0 && shown.contains("plan_fuel = ") && shown.contains(": near it"),
        "{shown}"
    );
}

#[test]
fn wrong_files_are_named() {
    let given = Given::new(&answering("a", "one"));
    fs::write(given.at("tests/plans/d.json"), "{").unwrap();
    let (code, shown) = given.test(&[]);
    assert!(
        code == 1 && shown.contains("tests/plans/d.json: "),
        "{shown}"
    );
    fs::remove_dir_all(given.at("tests")).unwrap();
    assert!(given.test(&[]).1.contains("0 calls"));
    let output = run(given.0.path(), &["test", "--component", "/no/such/file"]);
    assert_eq!(output.status.code(), Some(2));
}
