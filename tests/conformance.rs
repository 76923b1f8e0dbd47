//! Replays what was recorded of the Python connector proxy against a running `airlock serve`.
//!
//! Each case has one expected outcome, or is listed in `data/deviations.json` with a class and a
//! reason. An unlisted difference fails, and so does a listed case that has become as expected.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod conformance {
    pub(super) mod case;
    pub(super) mod compare;
    pub(super) mod world;
}

use conformance::case::{Case, Deviations, Expected};
use conformance::compare;
use conformance::world::World;
use std::collections::BTreeMap;
use std::io::Write as _;

#[tokio::test(flavor = "multi_thread")]
async fn recorded_cases() {
    let world = World::start(&[]).await;
    replay(&world, Case::all(), &Deviations::load("deviations.json")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_cases_with_api_key_and_origins() {
    let variables = [
        ("CONNECTOR_PROXY_API_KEY", "sekrit"),
        (
            "CONNECTOR_PROXY_CORS_ORIGINS",
            "https://arena.example.com, http://localhost:7001",
        ),
    ];
    let world = World::start(&variables).await;
    replay(
        &world,
        Case::all_with_key(),
        &Deviations::load("deviations_api_key.json"),
    )
    .await;
}

async fn replay(world: &World, cases: Vec<Case>, deviations: &Deviations) {
    let mut as_expected = BTreeMap::<&str, usize>::new();
    let mut deviating = BTreeMap::<String, usize>::new();
    let mut unexplained = Vec::new();
    let mut total = 0;
    for case in cases.into_iter().filter(|case| !case.env_dependent) {
        total += 1;
        let expected = case.expected();
        let difference = compare::difference(world, &case).await;
        match (difference, deviations.class(&case.name)) {
            (None, None) => *as_expected.entry(expected.name()).or_default() += 1,
            (Some(_), Some(class)) => *deviating.entry(class.to_owned()).or_default() += 1,
            (Some(difference), None) => {
                unexplained.push(format!("{} ({}): {difference}", case.name, expected.name()))
            }
            (None, Some(_)) => unexplained.push(format!(
                "{}: is as expected now; strike it from the list",
                case.name
            )),
        }
    }
    let classes: Vec<_> = deviating
        .iter()
        .map(|(class, count)| format!("{count} {class}"))
        .collect();
    // Straight to the terminal: the counts are worth seeing when all is well.
    let mut out = std::io::stdout().lock();
    for outcome in Expected::ALL {
        let count = as_expected.get(outcome.name()).unwrap_or(&0);
        writeln!(out, "{count:>5} {}", outcome.name()).unwrap();
    }
    writeln!(
        out,
        "{total} cases: {} as expected, {} deviating ({}), {} unexplained",
        as_expected.values().sum::<usize>(),
        deviating.values().sum::<usize>(),
        classes.join(", "),
        unexplained.len()
    )
    .unwrap();
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
}
