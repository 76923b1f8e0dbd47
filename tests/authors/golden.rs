//! `airlock test`: golden plans.

use crate::project::{run, said};
use airlock::plan::{Access, Plan, Reply};
use airlock_tests::POSTGRES_ADMIN;
use airlock_tests::hostile::{Guest, statement};
use airlock_tests::world::answering;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A project whose connector is not built but given.
struct Given(TempDir);

impl Given {
    fn new(component: &Guest) -> Given {
        Given::of(&component.component())
    }

    fn of(component: &[u8]) -> Given {
        let given = Given(tempfile::tempdir().unwrap());
        fs::write(given.at("Cargo.toml"), "").unwrap();
        fs::create_dir_all(given.at("tests/plans")).unwrap();
        fs::write(given.at("tests/plans/c.json"), r#"{"command": "C"}"#).unwrap();
        fs::write(given.at("given.wasm"), component).unwrap();
        given
    }

    fn become_(&self, component: &Guest) {
        fs::write(self.at("given.wasm"), component.component()).unwrap();
    }

    /// Puts a call in the place of the one before.
    fn call(&self, call: Value) {
        fs::write(self.at("tests/plans/c.json"), call.to_string()).unwrap();
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
    given.call(json!({"command": "C", "input": {"x": 1}}));
    assert_eq!(given.test(&["--update"]).0, 0);
    assert_eq!(
        given.plan()["failure"]["code"],
        "TypeError",
        "{}",
        given.plan()
    );
    assert_eq!(given.test(&[]).0, 0);
    given.call(json!({"command": "None"}));
    assert_eq!(given.test(&["--update"]).0, 0);
    assert_eq!(given.plan()["failure"]["code"], "command_not_found");
}

/// `Locks` asks for the version of the server before it plans the rest.
#[test]
fn rounds_go_on_with_what_their_statements_gave() {
    let given = Given::of(POSTGRES_ADMIN);
    let locks = |version: u32| {
        let outcome = json!({"columns": ["version"], "rows": [[version]], "affected": 1});
        json!({"command": "Locks", "rounds": [{"outcomes": [outcome]}]})
    };
    given.call(locks(150_000));
    let (code, shown) = given.test(&[]);
    assert!(
        code == 1 && shown.contains("nothing is expected"),
        "{shown}"
    );
    assert_eq!(given.test(&["--update"]).0, 0);
    let expected = given.plan();
    assert!(expected["plan"]["reply"]["resume"].is_array(), "{expected}");
    let round = &expected["rounds"][0];
    assert_eq!(round["outcomes"], locks(150_000)["rounds"][0]["outcomes"]);
    let sql = round["plan"]["statements"][0]["sql"].as_str().unwrap();
    assert!(sql.contains("waitstart"), "{sql}");
    assert_eq!(given.test(&[]).0, 0);

    // An older server is asked for something else.
    let mut older = expected.clone();
    older["rounds"][0]["outcomes"] = locks(130_000)["rounds"][0]["outcomes"].clone();
    given.call(older);
    let (code, shown) = given.test(&[]);
    let mut lines = shown.lines();
    let gone = lines.any(|line| line.starts_with('-') && line.contains("waitstart"));
    assert!(code == 1 && gone, "{shown}");
    assert_eq!(given.test(&["--update"]).0, 0);
    assert_eq!(given.test(&[]).0, 0);

    // A round can fail.
    let round = json!({"outcomes": [{"rows": []}]});
    let input = json!({"table": "t"});
    given.call(json!({"command": "DescribeTable", "input": input, "rounds": [round]}));
    assert_eq!(given.test(&["--update"]).0, 0);
    let failure = &given.plan()["rounds"][0]["failure"];
    assert_eq!(failure["pointer"], "/table", "{failure}");
    assert_eq!(given.test(&[]).0, 0);
}

#[test]
fn rounds_that_no_server_would_come_to_are_never_expected() {
    let given = Given::of(POSTGRES_ADMIN);
    let version = json!({"outcomes": [{"rows": [[150000]]}]});
    let none = json!({"outcomes": []});
    let wrong = json!({"outcomes": [{"rows": [["?"]]}]});
    for (command, rounds, reason) in [
        ("Locks", json!([none]), "round 1: it has 0 outcomes"),
        (
            "Locks",
            json!([version, version]),
            "round 2: the plan before does not ask",
        ),
        (
            "Locks",
            json!([wrong, none]),
            "round 2: the call has failed",
        ),
        (
            "ListTables",
            json!([version]),
            "round 1: the plan before does not ask",
        ),
    ] {
        let call = json!({"command": command, "rounds": rounds});
        given.call(call.clone());
        let (code, shown) = given.test(&["--update"]);
        assert!(code == 1 && shown.contains(reason), "{reason} in {shown}");
        assert_eq!(given.plan(), call);
    }
    let first = json!({"command": "Locks", "rounds": [version]});
    given.call(first);
    let config = "[connectors.postgres_admin.limits]\nrounds = 1\n";
    fs::write(given.at("airlock.toml"), config).unwrap();
    let (code, shown) = given.test(&["--update"]);
    assert!(code == 1 && shown.contains("limit rounds"), "{shown}");
}

/// What no server would run can be expected of nobody.
#[test]
fn plans_are_held_to_the_policy_of_the_project() {
    let deletes = Plan {
        statements: vec![statement("DELETE FROM t", Access::Write)],
        reply: Reply::Affected,
    };
    let deletes = Guest::answering(deletes).declaring(Access::Write);
    let given = Given::new(&deletes.called("a"));
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
