//! The dashboard asks for what there is.

use crate::world::{scrape, select, serving, table};
use serde_json::Value;
use std::collections::BTreeSet;

const DASHBOARD: &str = include_str!("../../host/deploy/grafana-dashboard.json");

/// Words that stand in expressions beside metrics and labels.
const LANGUAGE: [&str; 8] = [
    "by",
    "histogram_quantile",
    "increase",
    "label_values",
    "le",
    "query",
    "rate",
    "sum",
];

/// Labels that Prometheus adds.
const ADDED: [&str; 1] = ["instance"];

/// Every text below the key `expr` or `query`.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(text) if key == "expr" || key == "query" => {
                        found.push(text.clone());
                    }
                    member => expressions(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

/// The names in an expression, without what stands in quotes or brackets.
fn names(expression: &str) -> BTreeSet<String> {
    let mut bare = String::new();
    let mut quoted = false;
    for c in expression.chars() {
        match c {
            '"' => quoted = !quoted,
            '$' if !quoted => bare.push('$'),
            c if !quoted => bare.push(c),
            _ => {}
        }
    }
    let words = bare.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'));
    words
        .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_dashboard_is_told() {
    let world = serving("", &[], &[]).await;
    table(&world).await;
    assert_eq!(select(&world).await.0, 200);
    let told = scrape(&world).await;
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    let mut metrics = BTreeSet::new();
    for expression in found.iter().filter(|text| *text != "prometheus") {
        for name in names(expression) {
            let is_metric = name.starts_with("airlock_") || name.starts_with("process_");
            if is_metric {
                assert!(told.has(&name), "{name} in {expression}");
                metrics.insert(name);
            } else if !LANGUAGE.contains(&name.as_str()) && !ADDED.contains(&name.as_str()) {
                assert!(!told.values(&name).is_empty(), "{name} in {expression}");
            }
        }
    }
    // What an operator looks for first is on it.
    for wanted in [
        "airlock_calls_total",
        "airlock_call_duration_seconds_bucket",
        "airlock_plan_cache_hits_total",
        "airlock_pool_connections",
        "airlock_turned_away_total",
        "airlock_swaps_total",
        "process_resident_memory_bytes",
    ] {
        assert!(metrics.contains(wanted), "{wanted}");
    }
    let panels = dashboard["panels"].as_array().unwrap();
    let titles: BTreeSet<_> = panels.iter().map(|panel| panel["title"].as_str()).collect();
    assert_eq!(titles.len(), panels.len());
}
