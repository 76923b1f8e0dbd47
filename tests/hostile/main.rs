//! Connectors that mean harm: every attack of [`airlock_tests::attacks`] ends as it shall.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod company;
mod state;

use airlock::{ConnectorLimits, Limits, Runtime};
use airlock_tests::Database;
use airlock_tests::attacks::{self, database};
use tokio::sync::Mutex;

/// The tests of this file run one after another: one of them watches the memory of the process.
static TURN: Mutex<()> = Mutex::const_new(());

/// A runtime in which every call is planned afresh.
fn runtime() -> Runtime {
    let limits = Limits {
        plan_cache_bytes: 0,
        ..Limits::default()
    };
    attacks::runtime(env!("CARGO_BIN_EXE_airlock"), limits)
}

/// The tables of the database, and how many rows `t` has.
async fn contents(database: &Database) -> (Vec<String>, i64) {
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    let tables = database.query(tables, &[]).await.unwrap();
    let rows = database.query_one("SELECT count(*) FROM t", &[]).await;
    let tables = tables.iter().map(|row| row.get(0)).collect();
    (tables, rows.unwrap().get(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_ends_as_it_shall() {
    let _turn = TURN.lock().await;
    let (runtime, database) = (runtime(), database().await);
    let mut complaints = Vec::new();
    for attack in attacks::all() {
        // Twice: nothing of the first time may change the second.
        for _ in 0..2 {
            complaints.extend(attack.complaint(&runtime, &database.dsn).await);
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(contents(&database).await, (vec!["t".to_owned()], 1));
}

#[test]
fn every_limit_is_broken_by_a_connector() {
    let attacks = attacks::all();
    for name in ConnectorLimits::NAMES {
        let broken = attacks.iter().any(|attack| attack.limit() == Some(*name));
        assert!(broken, "no attack breaks {name}");
    }
}

#[test]
fn attacks_have_names_of_their_own() {
    let mut names: Vec<_> = attacks::all()
        .iter()
        .map(|attack| attack.name.clone())
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count > 100, "only {count} attacks");
}
