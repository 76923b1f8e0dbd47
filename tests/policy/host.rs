//! Which components are loaded, and what `airlock plan` tells.

use crate::world::{AIRLOCK, written};
use airlock_tests::RECORDER;
use serde_json::{Value, json};
use std::process::Command;

fn airlock(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(AIRLOCK).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn plan_shows_the_verdict() {
    let directory = tempfile::tempdir().unwrap();
    let config = written(
        directory.path(),
        "[connectors.postgres_v2]\naccess = \"write\"\nrole = \"clerk\"\nlock_timeout_ms = 5\naffected_rows = 7\nreply_rows = 8\n",
    );
    let plan = |command: &str, input: &str| {
        let (code, printed, _) = airlock(&["plan", command, "--config", &config, "--input", input]);
        let printed: Value = serde_json::from_str(&printed).unwrap();
        assert!(
            printed["plan"]["statements"][0]["sql"].is_string(),
            "{printed}"
        );
        (code, printed["verdict"].clone())
    };
    let allowed = plan(
        "postgres_v2/DeleteValuesV2",
        r#"{"table_name": "t", "schema": {}}"#,
    );
    let bounds = json!({"allowed": {
        "access": "write", "transaction": "block", "role": "clerk",
        "statement_timeout_ms": null, "lock_timeout_ms": 5,
        "reply_rows": 8, "reply_bytes": 268435456, "affected_rows": 7,
    }});
    assert_eq!(allowed, (Some(0), bounds));
    let refused = plan("postgres_v2/DropTableV2", r#"{"table_name": "t"}"#);
    let refusal = json!({"refused": {
        "error_code": "PolicyDenied",
        "message": "the policy of postgres_v2 has access = \"write\"; DropTableV2 needs define",
    }});
    assert_eq!(refused, (Some(1), refusal));
}

#[test]
fn components_are_loaded_from_where_the_table_says() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("more")).unwrap();
    std::fs::create_dir(at("dir")).unwrap();
    std::fs::write(at("more/any name.wasm"), RECORDER).unwrap();
    std::fs::write(at("dir/recorder.wasm"), RECORDER).unwrap();
    let commands = |text: &str| {
        let config = written(directory.path(), text);
        let (code, out, error) = airlock(&["commands", "--config", &config]);
        let mut connectors: Vec<_> = out
            .lines()
            .filter_map(|line| line.split('/').next())
            .collect();
        connectors.dedup();
        (code, connectors.join(" "), error)
    };
    let path = "[connectors.recorder]\npath = \"more/any name.wasm\"\n";
    let disabled = "[connectors.postgres_v2]\nenabled = false\n";
    for (text, expected) in [
        ("", "postgres_v2"),
        (path, "postgres_v2 recorder"),
        (disabled, ""),
        ("connector_dir = \"dir\"", "postgres_v2 recorder"),
        (
            "connector_dir = \"dir\"\nunlisted_connectors = false",
            "postgres_v2",
        ),
        (
            "connector_dir = \"dir\"\nunlisted_connectors = false\n[connectors.recorder]",
            "postgres_v2 recorder",
        ),
        (
            "connector_dir = \"dir\"\n[connectors.recorder]\nenabled = false",
            "postgres_v2",
        ),
        (&format!("{path}{disabled}"), "recorder"),
    ] {
        let (code, connectors, error) = commands(text);
        assert_eq!(
            (code, connectors.as_str()),
            (Some(0), expected),
            "{text}: {error}"
        );
    }
    let (code, _, error) = commands("[connectors.another]\npath = \"more/any name.wasm\"\n");
    assert!(
        code == Some(1) && error.contains("its table must be [connectors.recorder]"),
        "{error}"
    );
}

#[test]
fn another_component_than_the_pinned_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (_, shown, _) = airlock(&["inspect"]);
    let digest = shown
        .lines()
        .find_map(|line| line.strip_prefix("digest     "))
        .unwrap();
    let commands = |sha256: &str| {
        let config = written(
            directory.path(),
            &format!("[connectors.postgres_v2]\nsha256 = \"{sha256}\"\n"),
        );
        airlock(&["commands", "--config", &config])
    };
    assert_eq!(commands(digest).0, Some(0));
    assert_eq!(commands(&digest["sha256:".len()..]).0, Some(0));
    let other = "0".repeat(64);
    let (code, _, error) = commands(&other);
    assert_eq!(code, Some(1));
    assert!(
        error.contains(digest) && error.contains(&format!("sha256:{other}")),
        "{error}"
    );
}
