//! The command line: what it prints and how it ends.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::plan::ParameterKind;
use airlock_tests::hostile::{Guest, manifest, parameter};
use airlock_tests::{Database, RECORDER, WASI_PROBE};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Where compiled components are kept, so that the user's own stay as they are.
const CACHES: &str = env!("CARGO_TARGET_TMPDIR");

fn airlock(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_airlock"))
        .args(arguments)
        .env("XDG_CACHE_HOME", CACHES)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn demo_shows_the_whole_flow() {
    let output = airlock(&["demo"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for expected in [
        "CREATE TABLE IF NOT EXISTS \"users\"",
        "once for each row of /schema/values",
        "2 rows affected",
        "[{\"id\":1,\"name\":\"John Doe\"}]",
        "newemail@example.com",
        "DROP TABLE IF EXISTS \"users\"",
    ] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(!text.contains('\u{1b}'), "colours in a pipe");
}

#[test]
fn plans_depend_on_the_shape_alone() {
    let plan = |command: &str, input: Value| {
        let output = airlock(&["plan", command, "--input", &input.to_string()]);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
        let printed: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert!(printed["verdict"]["allowed"].is_object(), "{printed}");
        printed["plan"].to_string()
    };
    let insert = |rows: Value| json!({"table_name": "users", "schema": {"columns": ["name", "age"], "values": rows}});
    let one = plan(
        "postgres_v2/InsertValuesV2",
        insert(json!([["Ann-canary", 5]])),
    );
    let other = plan(
        "postgres_v2/InsertValuesV2",
        insert(json!([["Bob", 7], ["Cid", null]])),
    );
    assert_eq!(one, other);
    assert!(
        one.contains("INSERT INTO") && one.contains("/schema/values") && !one.contains("canary"),
        "{one}"
    );
    let select = |value: &str| json!({"table_name": "users", "schema": {"columns": ["id"], "where": [["name", "=", value]], "limit": value.len()}});
    assert_eq!(
        plan("postgres_v2/SelectValuesV2", select("a")),
        plan("postgres_v2/SelectValuesV2", select("canary"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn call_prints_the_reply() {
    let database = Database::fresh().await;
    let input = json!({"schema": {"sql": "SELECT %s", "values": ["x"], "fetch_results": true}});
    let output = airlock(&[
        "call",
        "postgres_v2/DoSQL",
        "--database",
        &database.dsn,
        "--input",
        &input.to_string(),
    ]);
    assert_eq!(output.status.code(), Some(0));
    let reply: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(reply["command_response"]["body"], json!([["x"]]));

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("input.json");
    std::fs::write(&file, input.to_string()).unwrap();
    let output = airlock(&[
        "call",
        "postgres_v2/DoSQL",
        "--database",
        &database.dsn,
        "--input",
        &format!("@{}", file.display()),
    ]);
    assert_eq!(output.status.code(), Some(0));

    let mut process = Command::new(env!("CARGO_BIN_EXE_airlock"))
        .env("XDG_CACHE_HOME", CACHES)
        .args([
            "call",
            "postgres_v2/DoSQL",
            "--database",
            &database.dsn,
            "--input",
            "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(br#"{"schema": {"sql": "SELECT 1/0"}}"#)
        .unwrap();
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "a failed call");
    let reply: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(reply["error"]["error_code"], "DivisionByZero");
}

#[test]
fn wrong_usage_ends_with_two() {
    for arguments in [
        &["call", "DoSQL"][..],
        &["call", "postgres_v2/DoSQL", "--input", "{"],
        &["call", "postgres_v2/DoSQL", "--input", "@/no/such/file"],
        &["inspect", "/no/such/file"],
        &["fly"],
        &[],
    ] {
        let output = airlock(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
    assert_eq!(
        airlock(&["plan", "postgres_v2/NoSuch"]).status.code(),
        Some(1)
    );
}

#[test]
fn commands_are_printed_as_markdown() {
    let connectors = tempfile::tempdir().unwrap();
    let mut manifest = manifest();
    manifest.summary = "a\n## b\n<!-- c --> {{#include d}}".into();
    let component = Guest::described_by(manifest).component();
    std::fs::write(connectors.path().join("hostile.wasm"), component).unwrap();
    let directory = connectors.path().to_str().unwrap();
    let output = airlock(&["commands", "--markdown", "--connectors", directory]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for line in [
        "## postgres_v2",
        "## hostile",
        "### InsertValuesV2",
        "Access: `define`; takes SQL text of the caller.",
        "| `schema` | object | yes | | Columns and rows to insert. |",
        "| `schema.columns` | list of texts | yes | | Names of the columns. |",
        "| `schema.on_conflict.update` | list of texts | | | Columns that take the new values. Nothing is changed where it is left out. |",
        "| `schema.if_not_exists` | boolean | | `true` | Whether an existing table of this name is left as it is without an error. |",
        "{\"table_name\": \"users\"}",
        "| `KeyError` | A key is missing from schema. Add it. |",
        r"a \#\# b \<!-- c --> \{\{\#include d}}",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
    }
    let both = airlock(&["commands", "--markdown", "--json"]);
    assert_eq!(both.status.code(), Some(2));
}

/// A terminal would do what such text says, and a line of its own looks like one of ours.
#[test]
fn texts_of_connectors_stay_text_on_a_terminal() {
    let connectors = tempfile::tempdir().unwrap();
    let hostile = "1\u{1b}[2J\ndigest     sha256:0\u{202e}";
    let mut manifest = manifest();
    manifest.version = hostile.into();
    manifest.summary = hostile.into();
    for command in &mut manifest.commands {
        command.summary = hostile.into();
        for parameter in &mut command.parameters {
            parameter.name.push_str(hostile);
        }
    }
    let component = Guest::described_by(manifest).component();
    let file = connectors.path().join("hostile.wasm");
    std::fs::write(&file, component).unwrap();
    let (file, directory) = (file.to_str().unwrap(), connectors.path().to_str().unwrap());
    let shown = r"1\u{1b}[2J\ndigest     sha256:0\u{202e}";
    for (arguments, times) in [
        (&["inspect", file][..], 4),
        (&["commands", "--connectors", directory], 1),
    ] {
        let output = airlock(arguments);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        assert!(text.matches(shown).count() >= times, "{text}");
        let digests = text.lines().filter(|line| line.starts_with("digest"));
        assert_eq!(digests.count(), usize::from(times > 1), "{text}");
    }
}

#[test]
fn commands_lists_them() {
    let text = stdout(&airlock(&["commands"]));
    assert_eq!(text.lines().count(), 7, "{text}");
    assert!(text.contains("postgres_v2/SelectValuesV2"), "{text}");
    let manifest: Value = serde_json::from_str(&stdout(&airlock(&["commands", "--json"]))).unwrap();
    assert_eq!(manifest["commands"].as_array().unwrap().len(), 7);
    for command in manifest["commands"].as_array().unwrap() {
        let example: Value = serde_json::from_str(command["example"].as_str().unwrap()).unwrap();
        for parameter in command["parameters"].as_array().unwrap() {
            if let Some(schema) = parameter["schema"].as_str() {
                let schema: Value = serde_json::from_str(schema).unwrap();
                let validator = jsonschema::validator_for(&schema).unwrap();
                if let Some(value) = example.get(parameter["name"].as_str().unwrap()) {
                    assert!(
                        validator.is_valid(value),
                        "{}: {value} against {schema}",
                        command["name"]
                    );
                }
            }
        }
    }
}

#[test]
fn inspect_shows_that_nothing_is_imported() {
    let text = stdout(&airlock(&["inspect"]));
    assert!(
        text.contains("imports    airlock:connector/types@0.1.0 (types only)"),
        "{text}"
    );
    assert!(
        text.contains("sha256:") && text.contains("InsertValuesV2 (write)"),
        "{text}"
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("recorder.wasm");
    std::fs::write(&file, RECORDER).unwrap();
    assert!(
        stdout(&airlock(&["inspect", file.to_str().unwrap()]))
            .contains("connector  recorder 1.0.0")
    );
}

#[test]
fn inspect_shows_what_is_sealed() {
    let mut manifest = manifest();
    manifest.commands[0].parameters = vec![
        parameter("whole", ParameterKind::Any, &[""]),
        parameter("parts", ParameterKind::Any, &["/a", "/b/*"]),
        parameter("nothing", ParameterKind::Any, &[]),
    ];
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("sealed.wasm");
    std::fs::write(&file, Guest::described_by(manifest).component()).unwrap();
    let text = stdout(&airlock(&["inspect", file.to_str().unwrap()]));
    for line in [
        "  - whole (optional; sealed as a whole)",
        "  - parts (optional; sealed: /a /b/*)",
        "  - nothing (optional)",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} in {text}");
    }
}

#[test]
fn inspect_shows_what_has_to_be_granted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wasi_probe.wasm");
    std::fs::write(&file, WASI_PROBE).unwrap();
    let text = stdout(&airlock(&["inspect", file.to_str().unwrap()]));
    for (import, needs) in [
        ("airlock:connector/types@", "(types only)"),
        (
            "wasi:cli/environment@",
            "(needs imports = \"virtual-wasi\")",
        ),
    ] {
        let line = text.lines().find(|line| line.contains(import)).unwrap();
        assert!(line.ends_with(needs), "{text}");
    }
}
