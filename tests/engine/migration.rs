//! Processes that were made for the Python proxy run on Airlock: nothing but the URL changes.

use super::{Run, World, form, here, process};
use airlock_tests::Server;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// What the Python proxy listed.
fn recorded() -> Vec<Value> {
    let cases = fs::read(here().join("../data/cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    let listing = cases
        .iter()
        .find(|case| case["name"] == "proxy_commands_query_ignored");
    listing.unwrap()["response"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_processes_are_what_the_python_proxy_lists() {
    let world = World::start("").await;
    let recorded = recorded();
    let mut used = BTreeSet::new();
    for (name, input) in [
        ("registration", form("Ann", "ann@example.com", "1")),
        ("query_and_update", json!({"data": {"name": "Ann"}})),
        ("cleanup", json!({"data": {"cutoff": "2020-01-01"}})),
    ] {
        let ran = world.run(name, &input);
        assert_eq!(ran.result["completed"], true, "{:#}", ran.result);
        let services = ran.result["services"].as_object().unwrap();
        for (operator, given) in services.values().map(|service| (&service[0], &service[1])) {
            let listed = recorded.iter().find(|command| command["id"] == *operator);
            let listed = listed.unwrap_or_else(|| panic!("{operator} is of our own"));
            let parameters = listed["parameters"].as_array().unwrap();
            let mut parameters: Vec<&str> = parameters
                .iter()
                .map(|parameter| parameter["id"].as_str().unwrap())
                .collect();
            parameters.sort_unstable();
            assert_eq!(*given, json!(parameters), "{operator}");
            used.insert(operator.as_str().unwrap().to_owned());
        }
    }
    // All but DoSQL, which no pattern of the guide needs.
    assert_eq!(used.len(), recorded.len() - 1, "{used:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_url_changes() {
    for file in fs::read_dir(here().join("processes")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let names = text
            .split('"')
            .filter(|word| word.contains("://"))
            .filter(|word| !word.contains(".org/") && *word != "http://bpmn.io/schema/bpmn");
        assert_eq!(names.collect::<Vec<_>>(), [] as [&str; 0]);
        assert!(!text.to_lowercase().contains("airlock"));
    }
    assert!(process("registration").exists());
    let world = World::start("").await;
    let open = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let dsn = &world.database.dsn;
    for (base, key, email) in [
        (&world.server.base, super::API_KEY, "a"),
        (&open.base, "", "b"),
    ] {
        let input = form("Ann", email, "1");
        Run::begin(base, key, dsn, "registration", &input)
            .end()
            .assert_ended_at("registered");
    }
    assert_eq!(world.users().await.len(), 2);
}
