//! Connectors that mean harm, and what shall come of each.
//!
//! Each module makes some of the attacks; [`attacks`] is all of them, so none can be there that no
//! test runs. Every attack is held to the same: it ends as its row says, the culprit is named, what is
//! shown of it is short, and the next one finds everything as it was.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod attack;
mod bounds;
mod company;
mod files;
mod manifests;
mod plans;
mod policy;
mod results;
mod sql;
mod state;
mod wasi;

use airlock::{Compiler, ConnectorLimits, Limits, Runtime};
use airlock_tests::Database;
use attack::Attack;
use tokio::sync::Mutex;

/// The tests of this file run one after another: one of them watches the memory of the process.
static TURN: Mutex<()> = Mutex::const_new(());

/// Every attack.
fn attacks() -> Vec<Attack> {
    [
        files::attacks(),
        manifests::attacks(),
        bounds::attacks(),
        results::attacks(),
        plans::attacks(),
        sql::attacks(),
        state::attacks(),
        policy::attacks(),
        wasi::attacks(),
    ]
    .concat()
}

/// A runtime in which every call is planned afresh, and a child process compiles.
fn runtime() -> Runtime {
    let compiler = Compiler::Child {
        program: env!("CARGO_BIN_EXE_airlock").into(),
        arguments: vec!["compile".into()],
    };
    let limits = Limits {
        plan_cache_bytes: 0,
        ..Limits::default()
    };
    Runtime::compiling_by(compiler, limits).unwrap()
}

/// A database with the table `t`, which has one row.
async fn database() -> Database {
    let database = Database::fresh().await;
    let table = "CREATE TABLE t (n int); INSERT INTO t VALUES (1)";
    database.batch_execute(table).await.unwrap();
    database
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
    for attack in attacks() {
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
    let attacks = attacks();
    for name in ConnectorLimits::NAMES {
        let broken = attacks.iter().any(|attack| attack.limit() == Some(*name));
        assert!(broken, "no attack breaks {name}");
    }
}

#[test]
fn attacks_have_names_of_their_own() {
    let mut names: Vec<_> = attacks().iter().map(|attack| attack.name.clone()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count > 100, "only {count} attacks");
}
