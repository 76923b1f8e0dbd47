//! What SQL text leaves behind in its session, and that the next call sees nothing of it. There is one
//! connection.

use crate::answer::Outcome;
use crate::world::{Host, ONE_CONNECTION, until_idle};
use airlock_tests::Database;
use serde_json::{Value, json};
use tokio_postgres::Client;

/// What a call leaves behind, and how the next one looks for it.
const DIRT: [(&str, &str); 20] = [
    ("SET work_mem = '8MB'", "SELECT current_setting('work_mem')"),
    ("SET search_path = other", "SELECT count(*) FROM things"),
    ("SET ROLE limited", "SELECT current_user::text"),
    (
        "SET SESSION AUTHORIZATION limited",
        "SELECT session_user::text",
    ),
    (
        "CREATE TEMP TABLE things (id int)",
        "SELECT count(*) FROM things",
    ),
    (
        "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT pg_temp.mine()",
    ),
    (
        "PREPARE mine AS SELECT 1",
        "SELECT count(*) FROM pg_prepared_statements WHERE from_sql",
    ),
    (
        "LISTEN news",
        "SELECT count(*) FROM pg_listening_channels()",
    ),
    (
        "SELECT pg_advisory_lock(42)",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    ),
    (
        "DECLARE mine CURSOR WITH HOLD FOR SELECT 1",
        "SELECT count(*) FROM pg_cursors WHERE is_holdable",
    ),
    (
        "SET session_replication_role = replica",
        "SELECT current_setting('session_replication_role')",
    ),
    ("SELECT nextval('numbers')", "SELECT lastval()"),
    ("SELECT nextval('numbers')", "SELECT currval('numbers')"),
    // Its number is the first one, 0.
    ("SELECT lo_open(4242, 262144)", "SELECT lo_tell(0)"),
    (
        "SELECT set_config('my.own', 'x', false)",
        "SELECT nullif(current_setting('my.own', true), '')",
    ),
    (
        "SET TimeZone = 'Asia/Kolkata'",
        "SELECT timestamptz '2024-01-31 00:00Z'",
    ),
    ("SET DateStyle = 'German'", "SELECT date '2024-01-31'::text"),
    ("SET bytea_output = 'escape'", "SELECT bytea 'a'::text"),
    (
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SELECT current_setting('default_transaction_isolation')",
    ),
    (
        "SET default_transaction_read_only = on",
        "SELECT current_setting('default_transaction_read_only')",
    ),
];

/// What DISCARD ALL does not take away.
const STUBBORN: [(&str, &str); 2] = [
    (
        "SELECT pg_backup_start('mine', true)",
        "SELECT count(*) FROM pg_backup_stop()",
    ),
    (
        "SELECT pg_replication_origin_session_setup('mine')",
        "SELECT pg_replication_origin_session_is_setup()",
    ),
];

async fn with_things() -> Database {
    let database = Database::fresh().await;
    let setup = "DROP ROLE IF EXISTS limited; CREATE ROLE limited; CREATE SCHEMA other; \
                 CREATE TABLE other.things (id int); CREATE TABLE things (id int); \
                 INSERT INTO things VALUES (1), (2); CREATE SEQUENCE numbers; SELECT lo_create(4242)";
    database.batch_execute(setup).await.unwrap();
    database
}

/// Code and body.
async fn seen(host: &Host, dsn: &str, sql: &str) -> (String, Value) {
    let answer = host.sql(dsn, sql).await;
    let body = answer.reply["command_response"]["body"].clone();
    (answer.code().to_owned(), body)
}

/// What a session that is kept sees.
async fn kept(client: &Client, look: &str) -> Result<String, String> {
    match client.simple_query(look).await {
        Ok(rows) => Ok(format!("{rows:?}")),
        Err(error) => Err(error.code().unwrap().code().to_owned()),
    }
}

/// Whether there is anything to find: in a session that is kept, or within one call.
async fn shows(host: &Host, dsn: &str, leave: &str, look: &str) -> bool {
    let client = Database::connect(dsn).await;
    let before = kept(&client, look).await;
    client.simple_query(leave).await.unwrap();
    let clean = seen(host, dsn, look).await;
    let both = seen(host, dsn, &format!("{leave}; {look}")).await;
    kept(&client, look).await != before || both != clean
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_call_sees_nothing() {
    let database = with_things().await;
    let host = Host::start(ONE_CONNECTION);
    for (leave, look) in DIRT {
        assert!(shows(&host, &database.dsn, leave, look).await, "{leave}");
        let clean = seen(&host, &database.dsn, look).await;
        let left = host.sql(&database.dsn, &format!("{leave}; SELECT 1")).await;
        assert_eq!(*left.body(), json!([[1]]), "{leave}");
        let next = seen(&host, &database.dsn, look).await;
        assert_eq!(next, clean, "{leave} is seen by {look}");
        let failed = host
            .sql(&database.dsn, &format!("{leave}; SELECT 1/0"))
            .await;
        failed.refused("DivisionByZero");
        let next = seen(&host, &database.dsn, look).await;
        assert_eq!(next, clean, "{leave} is seen by {look} after a failure");
        host.left_nothing(&database.dsn, &database).await;
    }
}

/// Transactions that the text begins, or would end.
#[tokio::test(flavor = "multi_thread")]
async fn no_transaction_stays_open() {
    let database = with_things().await;
    let host = Host::start(ONE_CONNECTION);
    let lock = "BEGIN; LOCK other.things NOWAIT; COMMIT";
    for sql in [
        "BEGIN; LOCK other.things",
        "BEGIN; LOCK other.things; SAVEPOINT mine",
        "SAVEPOINT mine; LOCK other.things",
        "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK other.things",
    ] {
        host.execute(&database.dsn, sql).await.body();
        host.left_nothing(&database.dsn, &database).await;
        database.batch_execute(lock).await.expect(sql);
    }
    for sql in [
        "COMMIT; BEGIN; LOCK other.things",
        "ROLLBACK; BEGIN; LOCK other.things",
        "LOCK other.things; COMMIT AND CHAIN; LOCK other.things",
        "LOCK other.things; COMMIT AND CHAIN",
        "LOCK other.things; PREPARE TRANSACTION 'mine'",
    ] {
        let answer = host.execute(&database.dsn, sql).await;
        assert_eq!(
            answer.outcome(),
            Outcome::Aborted,
            "{sql}: {}",
            answer.reply
        );
        host.left_nothing(&database.dsn, &database).await;
        database.batch_execute(lock).await.expect(sql);
    }
}

/// The numbers that would come are not those of the caller's seed.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_call_does_not_know_what_numbers_come() {
    let database = with_things().await;
    let host = Host::start(ONE_CONNECTION);
    let look = "SELECT random()";
    let within = seen(
        &host,
        &database.dsn,
        &format!("SELECT setseed(0.5); {look}"),
    )
    .await;
    let left = host.sql(&database.dsn, "SELECT setseed(0.5)").await;
    left.body();
    assert_ne!(seen(&host, &database.dsn, look).await, within);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a connection is reset by DISCARD ALL, which leaves these"]
async fn the_next_call_sees_nothing_that_a_reset_leaves() {
    let database = with_things().await;
    let host = Host::start(ONE_CONNECTION);
    let origin = "SELECT pg_replication_origin_create('mine')";
    database.batch_execute(origin).await.unwrap();
    let mut found = Vec::new();
    for (leave, look) in STUBBORN {
        let both = seen(&host, &database.dsn, &format!("{leave}; {look}")).await;
        seen(&host, &database.dsn, &format!("{leave}; SELECT 1")).await;
        if seen(&host, &database.dsn, look).await == both {
            found.push(leave);
        }
    }
    until_idle(&database).await;
    assert!(found.is_empty(), "{found:?}");
}
