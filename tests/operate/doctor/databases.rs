//! The way to a database, step by step.

use super::{Place, Report};
use airlock_tests::pgbouncer::PgBouncer;
use airlock_tests::{Database, secrets};
use std::net::TcpListener;

const CONFIG: &str = "[databases.orders]\nconnection_string_env = \"ORDERS\"\n";

/// A login with no privileges, to a fresh database.
pub(crate) async fn plain_login(database: &Database, name: &str, more: &str) -> String {
    let create = format!("CREATE ROLE {name} LOGIN PASSWORD 'canary-of-{name}' {more}");
    database.batch_execute(&create).await.unwrap();
    secrets::plant(&format!("canary-of-{name}"));
    let (rest, _) = database.dsn.split_once("user=").unwrap();
    let port = database.cluster().port();
    format!("{rest}user={name} password=canary-of-{name} host=127.0.0.1 port={port}")
}

fn look(config: &str, dsn: &str) -> Report {
    Place::new(config).look(&[("ORDERS", dsn)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_as_it_should_be_is_fine() {
    let database = Database::fresh().await;
    let dsn = plain_login(&database, "fine", "").await;
    let report = look(CONFIG, &dsn);
    report.expect_all_ok();
    report
        .expect("databases.orders.reach", "ok", "127.0.0.1")
        .expect("databases.orders.login", "ok", "logged in as fine")
        .expect("databases.orders.version", "ok", "PostgreSQL ")
        .expect("databases.orders.privileges", "ok", "no privileges")
        .expect(
            "databases.orders.connections",
            "ok",
            "16 by pool_connections",
        )
        .expect("databases.orders.clock", "ok", "")
        .expect("databases.orders.pooler", "ok", "its own");
    // By name, it is looked up first.
    let by_name = dsn.replace("host=127.0.0.1", "host=localhost");
    look(CONFIG, &by_name).expect("databases.orders.name", "ok", "\"localhost\" has");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_can_fail() {
    let database = Database::fresh().await;
    let dsn = plain_login(&database, "steps", "").await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = free.local_addr().unwrap().port();
    drop(free);
    let port = format!("port={}", database.cluster().port());
    let denied = format!("{CONFIG}[network]\ndeny = [\"127.0.0.0/8\"]\n");
    let patient = format!("{CONFIG}[limits]\nconnect_ms = 3000\n");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = format!("port={}", silent.local_addr().unwrap().port());
    let cases = [
        (&denied, dsn.clone(), "network", "deny lists"),
        (
            &patient,
            dsn.replace("host=127.0.0.1", "host=nowhere.invalid"),
            "name",
            "nowhere.invalid",
        ),
        (
            &patient,
            dsn.replace(&port, &format!("port={closed}")),
            "reach",
            "Connection refused",
        ),
        (
            &patient,
            dsn.replace(&port, &silent_port),
            "login",
            "timeout expired",
        ),
        (
            &patient,
            format!("{dsn} sslmode=require"),
            "tls",
            "does not support SSL",
        ),
        (
            &patient,
            dsn.replace("canary-of-steps", "wrong"),
            "login",
            "password authentication failed",
        ),
        (
            &patient,
            dsn.replace("dbname=", "dbname=no"),
            "login",
            "does not exist",
        ),
    ];
    for (config, dsn, part, says) in cases {
        let report = look(config, &dsn);
        let check = format!("databases.orders.{part}");
        report.expect(&check, "failed", says);
        report.expect_only(&check);
        assert!(report.lacks("databases.orders.version"), "{report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_hosts_is_enough() {
    let database = Database::fresh().await;
    let dsn = plain_login(&database, "several", "").await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = free.local_addr().unwrap().port();
    drop(free);
    let port = database.cluster().port();
    let dsn = dsn.replace("host=127.0.0.1", "host=127.0.0.1,127.0.0.1");
    let dsn = dsn.replace(&format!("port={port}"), &format!("port={closed},{port}"));
    let report = look(CONFIG, &dsn);
    report.expect("databases.orders.reach", "warning", "Connection refused");
    report.expect_only("databases.orders.reach");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_connections_are_seen() {
    let database = Database::fresh().await;
    let dsn = plain_login(&database, "bounded", "CONNECTION LIMIT 3").await;
    let report = look(CONFIG, &dsn);
    report.expect(
        "databases.orders.connections",
        "warning",
        "3 for this login, 16",
    );
    report.expect_only("databases.orders.connections");
    let few = format!("{CONFIG}[limits]\npool_connections = 3\n");
    look(&few, &dsn).expect_all_ok();
    let dsn = plain_login(&database, "unbounded", "").await;
    let many = format!("{CONFIG}[limits]\npool_connections = 5000\n");
    look(&many, &dsn).expect("databases.orders.connections", "warning", "5000");
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_poolers_are_found_and_have_to_be_listed() {
    let database = Database::fresh().await;
    for pool_size in [1, 4] {
        let pooler = PgBouncer::start(&database.dsn, pool_size);
        let dsn = pooler.dsn(&database.dsn);
        let check = "databases.orders.pooler";
        look(CONFIG, &dsn).expect(check, "failed", "a transaction pooler lends sessions");
        let listed = format!("transaction_poolers = [\"127.0.0.1:{}\"]\n", pooler.port());
        look(&format!("{listed}{CONFIG}"), &dsn).expect(check, "ok", "as listed");
    }
    let port = database.cluster().port();
    let listed = format!("transaction_poolers = [\"127.0.0.1:{port}\"]\n{CONFIG}");
    let report = look(&listed, &database.dsn);
    report.expect("databases.orders.pooler", "warning", "sessions are kept");
}

#[test]
fn without_databases_nothing_is_asked() {
    Place::new("")
        .look(&[])
        .expect("databases", "ok", "none has a name");
}
