//! Plans that are used again are the plans that would be made anew, and hold no value.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::runtime::FoundCommand;
use airlock::{Limits, Parameters, Runtime};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use std::cell::Cell;

/// Parameters of the recorded calls, by command.
fn recorded() -> Vec<(String, Map<String, Value>)> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/cases.json")).unwrap();
    cases
        .iter()
        .filter_map(|case| {
            let command = case["request"]["path"]
                .as_str()?
                .strip_prefix("/v1/do/postgres_v2/")?;
            let parameters = case["request"]["json"].as_object()?;
            Some((command.to_owned(), parameters.clone()))
        })
        .collect()
}

/// What planning gives: the plan, or the failure.
async fn planned(
    runtime: &Runtime,
    found: &FoundCommand,
    parameters: &Map<String, Value>,
) -> String {
    let call = match found.call(Parameters::from(parameters.clone())) {
        Ok(call) => call,
        Err(fault) => return fault.to_string(),
    };
    match runtime.cached_plan(found, &call).await {
        Ok(plan) => format!("{plan:?}"),
        Err(fault) => fault.to_string(),
    }
}

#[tokio::test]
async fn recorded_calls_get_the_same_plan_from_the_cache() {
    let cached = Runtime::new(Limits::default()).unwrap();
    let fresh = Runtime::new(Limits {
        plan_cache_bytes: 0,
        ..Limits::default()
    })
    .unwrap();
    let mut calls = 0;
    for (command, parameters) in recorded() {
        let Ok(found) = cached.command("postgres_v2", &command) else {
            continue;
        };
        let again = fresh.command("postgres_v2", &command).unwrap();
        let first = planned(&cached, &found, &parameters).await;
        let second = planned(&cached, &found, &parameters).await;
        let anew = planned(&fresh, &again, &parameters).await;
        assert_eq!(first, second, "{command}");
        assert_eq!(first, anew, "{command}");
        calls += 1;
    }
    assert!(calls > 400, "only {calls} calls were compared");
    assert!(cached.plan_cache().hits > 300, "{:?}", cached.plan_cache());
    assert_eq!(fresh.plan_cache().hits, 0, "{:?}", fresh.plan_cache());
}

/// No value may look like this by chance.
const CANARY: &str = "canary";

/// A value of each kind, different each time, that can be told from everything else.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-z]{0,8}".prop_map(|text| json!(format!("{CANARY}{text}"))),
        (710_000_000..719_999_999_i64).prop_map(|number| json!(number)),
        (7_100_000_000_000..7_199_999_999_999_i64).prop_map(|number| json!(number)),
        "71[0-9]{12}\\.5".prop_map(|text| serde_json::from_str(&text).unwrap()),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        "[a-z]{0,8}".prop_map(|text| json!([format!("{CANARY}{text}"), {"deep": CANARY}])),
        "[a-z]{0,8}".prop_map(|text| json!({CANARY: format!("{CANARY}{text}")})),
    ]
}

/// Whether `text` holds what a value of the test looks like.
fn holds_a_value(text: &str) -> bool {
    let digits = |run: &str| run.len() >= 9 && run.starts_with("71");
    text.contains(CANARY) || text.split(|c: char| !c.is_ascii_digit()).any(digits)
}

/// A call with these values in every place where values go.
fn calls(values: &[Value]) -> Vec<(&'static str, Value)> {
    let [a, b, c] = values else {
        panic!("three values")
    };
    let conditions = json!([["x", "=", a], {"or": [["y", "<>", b], ["z", "in", [a, b, c]]]}]);
    let table = "orders";
    vec![
        (
            "InsertValuesV2",
            json!({"table_name": table, "schema": {"columns": ["x", "y", "z"], "values": [values, values]}}),
        ),
        (
            "SelectValuesV2",
            json!({"table_name": table, "schema": {"columns": ["x"], "where": conditions}}),
        ),
        (
            "UpdateValuesV2",
            json!({"table_name": table, "schema": {"set": {"x": a, "y": b}, "where": conditions}}),
        ),
        (
            "UpdateValuesV2",
            json!({"table_name": table, "schema": {"columns": ["x", "y", "z"], "values": values, "where": conditions}}),
        ),
        (
            "DeleteValuesV2",
            json!({"table_name": table, "schema": {"where": conditions}}),
        ),
        (
            "DoSQL",
            json!({"schema": {"sql": "SELECT %s, %s, %s", "values": values, "fetch_results": true}}),
        ),
        (
            "DoSQL",
            json!({"schema": {"sql": "SELECT %(a)s, %(b)s", "values": {"a": a, "b": c}}}),
        ),
    ]
}

#[test]
fn no_value_is_part_of_a_key_or_a_plan() {
    let cached = Runtime::new(Limits::default()).unwrap();
    let fresh = Runtime::new(Limits {
        plan_cache_bytes: 0,
        ..Limits::default()
    })
    .unwrap();
    let tasks = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let three = || proptest::collection::vec(value(), 3);
    let plans = Cell::new(0);
    runner
        .run(&three(), |values| {
            for (command, call) in calls(&values) {
                let found = cached.command("postgres_v2", command).unwrap();
                let mut parameters = call.as_object().unwrap().clone();
                parameters.insert("database_connection_str".into(), CANARY.into());
                let call = found.call(Parameters::from(parameters.clone())).unwrap();
                prop_assert!(!holds_a_value(call.sealed()), "{}", call.sealed());
                let first = tasks.block_on(planned(&cached, &found, &parameters));
                let again = fresh.command("postgres_v2", command).unwrap();
                let anew = tasks.block_on(planned(&fresh, &again, &parameters));
                prop_assert!(!holds_a_value(&first), "{first}");
                prop_assert_eq!(&first, &anew);
                plans.set(plans.get() + usize::from(first.starts_with("CheckedPlan")));
            }
            Ok(())
        })
        .unwrap();
    assert!(plans.get() > 700, "only {} plans", plans.get());
    let stats = cached.plan_cache();
    assert!(
        stats.hits > 100,
        "calls of one shape did not share a plan: {stats:?}"
    );
}
