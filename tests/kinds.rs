//! What the text of a statement tells of it, held against what the server makes of it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_connector::statements::Kinds;
use airlock_tests::Database;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

/// Statements that are tried.
const STATEMENTS: usize = 4_000;

/// White space, as comments that look like something else at times.
fn blank() -> impl Strategy<Value = &'static str> {
    select(vec![
        " ",
        " ",
        " ",
        "\n",
        "/**/",
        "/* ' */",
        "--'\n",
        " /* /* */ ; */ ",
    ])
}

/// A name that is a word of SQL at times.
fn name() -> impl Strategy<Value = &'static str> {
    select(vec![
        "a",
        "insert",
        "update",
        "delete",
        "merge",
        "key",
        "\"into\"",
        "\"delete from t\"",
        "U&\"x\"",
        "temp",
    ])
}

/// A value, at times a literal whose end depends on the settings of the session.
fn value() -> impl Strategy<Value = &'static str> {
    select(vec![
        "1",
        "1",
        "1",
        "1",
        "'x'",
        "'delete from t'",
        "$$update t$$",
        "E'\\''",
        "E'a\\\\'",
        "'\\'",
        "'\\' || '",
        "'\\'' || '",
        "U&'x'",
        "$a$'$a$",
        "'a'\n'\\'",
        "N'\\'",
    ])
}

/// Words with some blank between them.
fn words(parts: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    let blanks = proptest::collection::vec(blank(), parts.len());
    (parts, blanks)
        .prop_map(|(parts, blanks)| {
            let pairs = parts.into_iter().zip(blanks);
            pairs.map(|(part, blank)| part + blank).collect()
        })
        .boxed()
}

fn word(text: &'static str) -> BoxedStrategy<String> {
    Just(text.to_owned()).boxed()
}

fn any_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

fn named() -> BoxedStrategy<String> {
    name().prop_map(str::to_owned).boxed()
}

fn query(depth: u32) -> BoxedStrategy<String> {
    let value = || value().prop_map(str::to_owned).boxed();
    let into = any_of(&[
        "",
        "",
        "",
        "",
        "into u",
        "INTO temp u",
        "into table u",
        "INTO unlogged public.u",
    ]);
    let from = any_of(&[
        "",
        "",
        "from t",
        "FROM t where true",
        "from t limit 1",
        "from t FOR UPDATE",
        "from t for no key update",
    ]);
    let plain = words(vec![
        word("SELECT"),
        value(),
        any_of(&["", "as"]),
        named(),
        into,
        from,
    ]);
    let simple = prop_oneof![
        4 => plain,
        1 => words(vec![word("values ("), value(), word(")")]),
        1 => word("TABLE t"),
    ];
    if depth == 0 {
        return simple.boxed();
    }
    let common = prop_oneof![
        query(depth - 1),
        change(depth - 1).prop_map(|sql| sql + " returning 1")
    ];
    let with = words(vec![
        any_of(&["WITH", "with recursive"]),
        word("c as"),
        any_of(&["", "materialized"]),
        word("("),
        common.boxed(),
        word(")"),
        query(depth - 1),
    ]);
    let inner = query(depth - 1);
    prop_oneof![
        3 => simple,
        2 => with,
        1 => inner.clone().prop_map(|sql| format!("({sql}\n)")),
        1 => inner.prop_map(|sql| format!("select * from ({sql}\n) x")),
    ]
    .boxed()
}

fn change(depth: u32) -> BoxedStrategy<String> {
    let plain = any_of(&[
        "INSERT INTO t VALUES (7)",
        "insert into public.t as temp (n) values (8), (9)",
        "UPDATE t SET n = n + 1",
        "DELETE FROM t",
        "delete/**/from only t",
        "MERGE INTO t USING (SELECT 1 AS x) s ON true WHEN MATCHED THEN DELETE",
        "merge into t using (select 1 as x) s on false when not matched then insert values (5)",
        "INSERT INTO t VALUES (1) ON CONFLICT (n) DO UPDATE SET n = 11",
    ]);
    if depth == 0 {
        return plain;
    }
    let insert = words(vec![
        word("insert into t (n) select 3 from ("),
        query(depth - 1),
        word("\n) q"),
    ]);
    let with = words(vec![
        word("with c as ("),
        prop_oneof![
            query(depth - 1),
            change(depth - 1).prop_map(|sql| sql + " returning 1")
        ]
        .boxed(),
        word(")"),
        change(depth - 1),
    ]);
    let searched = words(vec![
        word("with recursive c as (select 1 as b union all select b + 1 from c where b < 3)"),
        any_of(&[
            "search depth first by b set key",
            "cycle b set update using delete",
        ]),
        change(depth - 1),
    ]);
    prop_oneof![3 => plain, 1 => insert, 2 => with, 1 => searched].boxed()
}

fn statement() -> BoxedStrategy<String> {
    let row = || prop_oneof![3 => query(2), 2 => change(2)].boxed();
    let explain = any_of(&[
        "EXPLAIN",
        "explain analyze",
        "EXPLAIN ANALYSE verbose",
        "explain (analyze, costs off)",
    ]);
    prop_oneof![
        6 => row(),
        2 => words(vec![explain.clone(), row()]),
        1 => words(vec![any_of(&["CREATE TABLE u AS", "create materialized view u as"]), query(1)]),
        1 => words(vec![explain, word("create table u as"), query(1)]),
    ]
    .boxed()
}

/// What is there: the rows of the table, and how many relations.
async fn state(database: &Database) -> (Vec<i32>, i64) {
    let sql = "SELECT (SELECT coalesce(array_agg(n ORDER BY n), '{}') FROM t), (SELECT count(*) FROM pg_class)";
    let row = database.query_one(sql, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_does_more_than_its_text_tells() {
    let database = Database::fresh().await;
    let table = "CREATE TABLE t (n int UNIQUE); INSERT INTO t VALUES (1), (2), (3)";
    database.batch_execute(table).await.unwrap();
    let mut runner = TestRunner::new(Config::default());
    let (statements, before) = (statement(), state(&database).await);
    let (mut ran, mut changed, mut created) = (0, 0, 0);
    for number in 0..STATEMENTS {
        let sql = statements.new_tree(&mut runner).unwrap().current();
        let strings = ["on", "off"][number % 2];
        let begin = format!("BEGIN; SET LOCAL standard_conforming_strings = {strings}");
        database.batch_execute(&begin).await.unwrap();
        if let Ok(counted) = database.execute(&sql, &[]).await {
            ran += 1;
            let (kinds, after) = (Kinds::of(&sql), state(&database).await);
            if after.1 != before.1 {
                created += 1;
                assert!(!kinds.only_read_or_change_rows(), "{strings}: {sql}");
                assert!(kinds.has("create"), "{strings}: {sql}");
            }
            if after.0 != before.0 {
                changed += 1;
                assert!(
                    !kinds.only_read() && kinds.changes_rows(),
                    "{strings}: {sql}"
                );
                let more = after.0.len().abs_diff(before.0.len()) as u64;
                assert!(
                    kinds.changes_uncounted_rows() || more <= counted,
                    "{strings}: {sql}"
                );
            }
        }
        database.batch_execute("ROLLBACK").await.unwrap();
    }
    // Most of what is made up is SQL, and much of it does something.
    let share = |count: usize| count * 100 / STATEMENTS;
    let shares = (share(ran), share(changed), share(created));
    assert!(
        shares.0 >= 30 && shares.1 >= 5 && shares.2 >= 3,
        "{shares:?}"
    );
}
