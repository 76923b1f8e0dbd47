//! What the login may do: too much, or too little for connectors.

use super::databases::plain_login;
use super::{Place, Report};
use airlock_tests::Database;

const TABLE: &str = "CREATE TABLE airlock_calls (process_id text, task_id text, call bytea NOT NULL, reply text, \
                     made_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (process_id, task_id))";

fn look(policy: &str, dsn: &str) -> Report {
    let config = format!(
        "[databases.orders]\nconnection_string_env = \"ORDERS\"\n[connectors.postgres_v2]\n{policy}\n"
    );
    Place::new(&config).look(&[("ORDERS", dsn)])
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_too_much() {
    let database = Database::fresh().await;
    let check = "databases.orders.privileges";
    let report = look("", &database.dsn);
    report.expect(check, "warning", "SUPERUSER");
    report.expect_only(check);
    let dsn = plain_login(&database, "strong", "CREATEROLE BYPASSRLS REPLICATION").await;
    look("", &dsn).expect(check, "warning", "BYPASSRLS, CREATEROLE, REPLICATION");
    let dsn = plain_login(&database, "reader", "IN ROLE pg_read_server_files").await;
    look("", &dsn).expect(check, "warning", "pg_read_server_files");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_have_to_be_there_and_granted() {
    let database = Database::fresh().await;
    let dsn = plain_login(&database, "taker", "").await;
    let check = "databases.orders.postgres_v2.role";
    let policy = "role = \"workflow_of_taker\"";
    look(policy, &dsn).expect(check, "failed", "no such role");
    database
        .batch_execute("CREATE ROLE workflow_of_taker")
        .await
        .unwrap();
    look(policy, &dsn).expect(check, "failed", "not a member");
    database
        .batch_execute("GRANT workflow_of_taker TO taker")
        .await
        .unwrap();
    let report = look(policy, &dsn);
    report.expect(check, "ok", "may take the role");
    report.expect_all_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_calls_has_to_be_as_it_is_used() {
    let database = Database::fresh().await;
    let dsn = plain_login(&database, "ledger", "").await;
    let check = "databases.orders.postgres_v2.idempotency_table";
    let broken = [
        ("", "there is no such table"),
        (
            "CREATE TABLE airlock_calls (process_id int, task_id text, call text NOT NULL)",
            "process_id is integer, not text; the column call is text, not bytea; the column reply is missing",
        ),
        (
            "CREATE TABLE airlock_calls (process_id text, task_id text, call bytea, reply text)",
            "no unique key of (process_id, task_id)",
        ),
        (
            "CREATE TABLE airlock_calls (process_id text, task_id text, call bytea, reply text, \
             who text NOT NULL, UNIQUE (process_id, task_id))",
            "the column who is NOT NULL and has no default",
        ),
        (TABLE, "INSERT is not granted"),
    ];
    for (create, says) in broken {
        let sql = format!("DROP TABLE IF EXISTS airlock_calls; {create}; ");
        database.batch_execute(&sql).await.unwrap();
        if create != TABLE {
            let grant = "DO $$ BEGIN GRANT ALL ON airlock_calls TO ledger; EXCEPTION WHEN undefined_table THEN NULL; END $$";
            database.batch_execute(grant).await.unwrap();
        }
        let report = look("idempotency_table = \"airlock_calls\"", &dsn);
        report.expect(check, "failed", says);
        report.expect_only(check);
    }
    let grant = "GRANT SELECT, INSERT, UPDATE ON airlock_calls TO ledger";
    database.batch_execute(grant).await.unwrap();
    look("idempotency_table = \"airlock_calls\"", &dsn).expect_all_ok();
    // Nothing was stored by looking.
    let count = database
        .query_one("SELECT count(*) FROM airlock_calls", &[])
        .await;
    assert_eq!(count.unwrap().get::<_, i64>(0), 0);
}

/// The table is asked for as the role that will use it.
#[tokio::test(flavor = "multi_thread")]
async fn privileges_are_those_of_the_role() {
    let database = Database::fresh().await;
    let dsn = plain_login(&database, "twofold", "").await;
    let sql = format!(
        "{TABLE}; CREATE ROLE workflow_of_both; GRANT workflow_of_both TO twofold; GRANT ALL ON airlock_calls TO twofold"
    );
    database.batch_execute(&sql).await.unwrap();
    let policy = "role = \"workflow_of_both\"\nidempotency_table = \"airlock_calls\"";
    let check = "databases.orders.postgres_v2.idempotency_table";
    look(policy, &dsn).expect(check, "failed", "SELECT is not granted");
    let grant = "GRANT ALL ON airlock_calls TO workflow_of_both";
    database.batch_execute(grant).await.unwrap();
    look(policy, &dsn).expect_all_ok();
}
