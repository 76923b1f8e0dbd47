//! What transactions do to each other.

use crate::answer::Answer;
use crate::world::{Host, ONE_CONNECTION, count, until, with_table};
use airlock_tests::Database;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinHandle;

const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
                       WHERE wait_event_type = 'Lock' AND datname = current_database()";

fn spawn(host: &Arc<Host>, dsn: &str, sql: &str) -> JoinHandle<Answer> {
    let (host, dsn, sql) = (host.clone(), dsn.to_owned(), sql.to_owned());
    tokio::spawn(async move { host.execute(&dsn, &sql).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_lock_gets_it() {
    let database = with_table().await;
    let host = Arc::new(Host::start(ONE_CONNECTION));
    let locker = Database::connect(&database.dsn).await;
    locker.batch_execute("BEGIN; LOCK t").await.unwrap();
    let call = spawn(&host, &database.dsn, "INSERT INTO t VALUES (1)");
    until(&database, WAITING, 1).await;
    locker.batch_execute("COMMIT").await.unwrap();
    call.await.unwrap().body();
    host.left_nothing(&database.dsn, &database).await;
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_is_told_so() {
    let database = with_table().await;
    let locker = Database::connect(&database.dsn).await;
    for (timeout, code) in [
        ("lock_timeout_ms = 100", "LockNotAvailable"),
        ("statement_timeout_ms = 100", "QueryCanceled"),
    ] {
        let policy = format!("{ONE_CONNECTION}[connectors.postgres_v2]\n{timeout}\n");
        let host = Host::start(&policy);
        locker.batch_execute("BEGIN; LOCK t").await.unwrap();
        host.insert(&database.dsn, [1]).await.refused(code);
        host.insert(&database.dsn, 1..3).await.refused(code);
        host.insert(&database.dsn, 1..41).await.refused(code);
        locker.batch_execute("COMMIT").await.unwrap();
        host.left_nothing(&database.dsn, &database).await;
    }
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, 0);
}

/// Two calls wait for each other. One is refused; the other one does not notice.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_in_a_deadlock_one_succeeds() {
    let database = Database::fresh().await;
    let setup = "CREATE TABLE t (id int, n int); INSERT INTO t VALUES (1, 0), (2, 0);
                 SELECT pg_advisory_lock(1)";
    database.batch_execute(setup).await.unwrap();
    let host = Arc::new(Host::start("[limits]\npool_connections = 2\n"));
    let call = |first: i64, second: i64| {
        let sql = format!(
            "UPDATE t SET n = n + 1 WHERE id = {first}; SELECT pg_advisory_xact_lock_shared(1); \
             UPDATE t SET n = n + 1 WHERE id = {second}"
        );
        spawn(&host, &database.dsn, &sql)
    };
    let calls = [call(1, 2), call(2, 1)];
    until(&database, WAITING, 2).await;
    database
        .batch_execute("SELECT pg_advisory_unlock(1)")
        .await
        .unwrap();
    let mut refused = 0;
    for call in calls {
        let answer = call.await.unwrap();
        if answer.reply["error"] != Value::Null {
            answer.refused("DeadlockDetected");
            assert_eq!(answer.reply["error"]["sqlstate"], "40P01");
            refused += 1;
        }
    }
    assert_eq!(refused, 1);
    host.left_nothing(&database.dsn, &database).await;
    let all_once = "SELECT count(*) FROM t WHERE n = 1";
    assert_eq!(count(&database, all_once).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serialization_failure_stores_nothing() {
    let database = Database::fresh().await;
    let setup = "CREATE TABLE t (n int); INSERT INTO t VALUES (0); SELECT pg_advisory_lock(1)";
    database.batch_execute(setup).await.unwrap();
    let host = Arc::new(Host::start(ONE_CONNECTION));
    let sql = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT n FROM t; \
               SELECT pg_advisory_xact_lock_shared(1); UPDATE t SET n = n + 10";
    let call = spawn(&host, &database.dsn, sql);
    until(&database, WAITING, 1).await;
    database
        .batch_execute("UPDATE t SET n = n + 1; SELECT pg_advisory_unlock(1)")
        .await
        .unwrap();
    let answer = call.await.unwrap();
    answer.refused("SerializationFailure");
    assert_eq!(answer.reply["error"]["sqlstate"], "40001");
    host.left_nothing(&database.dsn, &database).await;
    assert_eq!(count(&database, "SELECT n::bigint FROM t").await, 1);
}

/// The statements are fine; COMMIT is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_constraint_that_fails_at_commit_stores_nothing() {
    let database = Database::fresh().await;
    let setup = "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE t (id int \
                 CONSTRAINT has_parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED)";
    database.batch_execute(setup).await.unwrap();
    let host = Host::start(ONE_CONNECTION);
    let sql = "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)";
    for answer in [
        host.insert(&database.dsn, [1]).await,
        host.insert(&database.dsn, 1..3).await,
        host.insert(&database.dsn, 1..41).await,
        host.execute(&database.dsn, sql).await,
        host.sql(&database.dsn, "INSERT INTO t VALUES (1) RETURNING id")
            .await,
    ] {
        answer.refused("ForeignKeyViolation");
        let error = &answer.reply["error"];
        assert_eq!(
            (&error["sqlstate"], &error["constraint"]),
            (&json!("23503"), &json!("has_parent")),
            "{error}"
        );
        host.left_nothing(&database.dsn, &database).await;
    }
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, 0);
}
