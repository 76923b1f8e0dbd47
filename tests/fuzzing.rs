//! The fuzz targets without a fuzzer: their corpora and thousands of changes to them, the same each time.
//! What needs PostgreSQL to judge it is judged here, too.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_connector::lex;
use airlock_connector::statements::{Class, split};
use airlock_tests::Database;
use airlock_tests::fuzz::{TARGETS, definitions, identifiers, target};
use std::fs;
use std::path::Path;

#[test]
fn bodies() {
    target("bodies").replay(5_000);
}

#[test]
fn connection_strings() {
    target("connection_strings").replay(3_000);
}

#[test]
fn definitions() {
    target("definitions").replay(5_000);
}

#[test]
fn frames() {
    target("frames").replay(300);
}

#[test]
fn identifiers() {
    target("identifiers").replay(5_000);
}

#[test]
fn lexer() {
    target("lexer").replay(3_000);
}

#[test]
fn plans() {
    target("plans").replay(20_000);
}

#[test]
fn sealing() {
    target("sealing").replay(5_000);
}

#[test]
fn sessions() {
    target("sessions").replay(100);
}

/// A target that is not handed to the fuzzer, or is not replayed here, would hold nothing.
#[test]
fn every_target_is_fuzzed_and_replayed() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let own = fs::read_to_string(tests.join("fuzzing.rs")).unwrap();
    let manifest = fs::read_to_string(tests.join("fuzz/Cargo.toml")).unwrap();
    for target in TARGETS {
        let name = target.name;
        assert!(
            own.contains(&format!("target(\"{name}\").replay(")),
            "{name}"
        );
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name}");
        let file = tests.join(format!("fuzz/fuzz_targets/{name}.rs"));
        assert!(
            fs::read_to_string(file)
                .unwrap()
                .contains(&format!("{name}::check("))
        );
    }
}

/// What the server says where a text holds several statements.
const SEVERAL: &str = "cannot insert multiple commands into a prepared statement";

#[tokio::test]
async fn names_are_what_the_server_takes_them_for() {
    let database = Database::fresh().await;
    let inputs = target("identifiers").inputs(5_000);
    let texts = inputs.filter_map(|input| String::from_utf8(input).ok());
    // A vertical tab is white space from version 16 on.
    let texts = texts.filter(|text| !text.contains('\x0b'));
    let read = |text: String| Some((identifiers::accepted(&text)?, text));
    let (names, texts): (Vec<_>, Vec<_>) = texts.filter_map(read).unzip();
    assert!(names.len() > 500, "{}", names.len());
    let parsed = "SELECT parse_ident(text) FROM unnest($1::text[]) WITH ORDINALITY AS t (text, n) ORDER BY n";
    let rows = database.query(parsed, &[&texts]).await.unwrap();
    let by_server: Vec<Vec<String>> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(by_server, names);
}

#[tokio::test]
async fn accepted_definitions_are_one_statement_to_the_server() {
    let database = Database::fresh().await;
    let inputs = target("definitions").inputs(3_000);
    let mut accepted = 0;
    for (sql, _) in inputs.flat_map(|input| definitions::accepted(&input)) {
        accepted += 1;
        if let Err(refused) = database.prepare(&sql).await {
            assert_ne!(refusal(&refused), SEVERAL, "{sql}");
        }
    }
    assert!(accepted > 500, "{accepted}");
}

#[tokio::test]
async fn statements_are_cut_where_the_server_cuts_them() {
    let database = Database::fresh().await;
    let (mut one, mut several) = (0, 0);
    let inputs = target("lexer").inputs(5_000);
    let texts = inputs.filter_map(|input| String::from_utf8(input).ok());
    for sql in texts.filter(|sql| !sql.contains(['\0', '\x0b'])) {
        let statements = split(&sql).len();
        let prepared = database.prepare(&sql).await;
        match &prepared {
            Ok(prepared) => {
                one += 1;
                assert!(statements <= 1, "{sql}");
                let class = Class::of(&lex::words(&sql));
                let no_rows = [
                    Class::Definition,
                    Class::TransactionControl,
                    Class::CopyFromClient,
                    Class::CopyToClient,
                    Class::Empty,
                ];
                assert!(
                    prepared.columns().is_empty() || !no_rows.contains(&class),
                    "{sql}"
                );
            }
            Err(refused) if refusal(refused) == SEVERAL => {
                several += 1;
                assert!(statements > 1, "{sql}");
            }
            Err(_) => {}
        }
    }
    assert!(one > 50 && several > 50, "{one} {several}");
}

/// What the server says; empty where it says nothing.
fn refusal(refused: &tokio_postgres::Error) -> &str {
    refused.as_db_error().map_or("", |report| report.message())
}
