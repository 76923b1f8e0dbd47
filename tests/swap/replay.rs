//! Calls are recorded without their values, and a version that plans them differently is told so.

use crate::world::configured;
use airlock_tests::world::{World, answering, digest};
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Output};

/// The same plans as [`answering`], by another component.
fn same(text: &str, version: &str) -> Vec<u8> {
    let mut guest = answering("a", text);
    guest.manifest.version = version.into();
    guest.component()
}

fn replay(world: &World, old: &[u8], new: &[u8], more: &[&str]) -> Output {
    let (old_file, new_file) = (world.at("old.bin"), world.at("new.bin"));
    fs::write(&old_file, old).unwrap();
    fs::write(&new_file, new).unwrap();
    Command::new(env!("CARGO_BIN_EXE_airlock"))
        .arg("replay")
        .arg("--old")
        .arg(old_file)
        .arg("--new")
        .arg(new_file)
        .arg("--calls")
        .arg(world.at("calls.jsonl"))
        .args(more)
        .output()
        .unwrap()
}

const CONFIG: &str =
    "[recording]\nfile = \"calls.jsonl\"\n[connectors.a]\nreplay = \"calls.jsonl\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_recorded_once_for_each_shape_and_without_values() {
    let one = answering("a", "one").component();
    let world = configured(CONFIG, &[("a.wasm", &one)]).await;
    let call = |table: &str, value: &str| {
        json!({
            "database_connection_str": world.database.dsn,
            "spiff__process_id": "canary-process",
            "table_name": table,
            "schema": {"columns": ["datname"], "where": [["datname", "=", value]]},
        })
    };
    for (table, value) in [
        ("pg_database", "canary-1"),
        ("pg_database", "canary-2"),
        ("pg_class", "canary-3"),
    ] {
        world
            .server
            .call("postgres_v2/SelectValuesV2", &call(table, value))
            .await;
    }
    world.call("a").await;
    let recorded = fs::read_to_string(world.at("calls.jsonl")).unwrap();
    assert!(!recorded.contains("canary"), "{recorded}");
    let calls: Vec<Value> = recorded
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(calls.len(), 3, "{recorded}");
    assert_eq!(
        calls[0],
        json!({
            "connector": "postgres_v2",
            "command": "SelectValuesV2",
            "sealed": {"table_name": "pg_database", "schema": {"columns": ["datname"], "where": [["datname", "=", "string"]]}},
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_shows_what_is_planned_differently() {
    let [one, two] = ["one", "two"].map(|text| answering("a", text).component());
    let world = configured(CONFIG, &[("a.wasm", &one)]).await;
    world.call("a").await;
    let equal = replay(&world, &one, &same("one", "2.0.0"), &[]);
    assert_eq!(equal.status.code(), Some(0), "{equal:?}");
    assert_eq!(equal.stdout, b"0 of 1 calls of a are planned differently\n");
    let differs = replay(&world, &one, &two, &[]);
    assert_eq!(differs.status.code(), Some(1));
    let shown = String::from_utf8(differs.stdout).unwrap();
    for line in [
        "-         \"sql\": \"SELECT 'one'\"",
        "+         \"sql\": \"SELECT 'two'\"",
        "1 of 1 calls of a",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
    let json = replay(&world, &one, &two, &["--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let [difference] = json["differences"].as_array().unwrap().as_slice() else {
        panic!("{json}");
    };
    assert!(shown.starts_with(difference["id"].as_str().unwrap()));
    let mut gone = answering("a", "one");
    gone.manifest.commands[0].name = "Other".into();
    let shown = replay(&world, &one, &gone.component(), &[]).stdout;
    assert!(
        String::from_utf8(shown)
            .unwrap()
            .contains("+ there is no such command")
    );
    let other = replay(&world, &one, &answering("b", "one").component(), &[]);
    assert_eq!(other.status.code(), Some(2), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_holds_back_what_plans_differently_unless_it_is_listed() {
    let [one, two] = ["one", "two"].map(|text| answering("a", text).component());
    let world = configured(CONFIG, &[("a.wasm", &one)]).await;
    world.call("a").await;
    world.put("a.wasm", &two);
    let told = |status: &Value| {
        status["rejected"]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("1 of 1 recorded calls"))
    };
    let status = world.until("a", told).await;
    assert_eq!(status["live"]["digest"], *digest(&one));
    assert_eq!(world.call("a").await.0, "one");
    // One that plans the same goes live.
    let equal = same("one", "2.0.0");
    world.put("a.wasm", &equal);
    world
        .until("a", |status| status["live"]["digest"] == *digest(&equal))
        .await;
    // So does one whose differences are listed.
    let json = replay(&world, &one, &two, &["--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let id = &json["differences"][0]["id"];
    world.configure(&format!("{CONFIG}replay_differences = [{id}]\n"));
    while !world.server.log().contains("held to its new policy") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.put("a.wasm", &two);
    world
        .until("a", |status| status["live"]["digest"] == *digest(&two))
        .await;
    // Without the calls, nothing can be said of a version, so none goes live.
    fs::remove_file(world.at("calls.jsonl")).unwrap();
    let three = answering("a", "three").component();
    world.put("a.wasm", &three);
    let told = |status: &Value| {
        status["rejected"]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("cannot be read"))
    };
    world.until("a", told).await;
    assert_eq!(world.call("a").await.0, "two");
}
