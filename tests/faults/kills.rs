//! Servers and sessions that die.

use crate::answer::Answer;
use crate::phases::HASTY;
use crate::world::{Host, ONE_CONNECTION, count, until};
use airlock::postgres::Cluster;
use airlock_tests::Database;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::sync::Arc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_postgres::Client;

const SLEEPING: &str = "SELECT count(*) FROM pg_stat_activity
                        WHERE wait_event = 'PgSleep' AND state = 'active'";

/// A server of its own whose commits last, and a connection to it.
async fn own() -> (Cluster, String, Client) {
    let cluster = Cluster::start_with(&["synchronous_commit=on"]).unwrap();
    let dsn = cluster.connection_string().expose().to_owned();
    let client = Database::connect(&dsn).await;
    client
        .batch_execute("CREATE TABLE t (id int)")
        .await
        .unwrap();
    (cluster, dsn, client)
}

/// A call that inserts a row and then sleeps.
async fn begin(host: &Arc<Host>, dsn: &str, client: &Client) -> JoinHandle<Answer> {
    let (host, dsn) = (host.clone(), dsn.to_owned());
    let sql = "INSERT INTO t VALUES (1); SELECT pg_sleep(600)";
    let call = tokio::spawn(async move { host.execute(&dsn, sql).await });
    until(client, SLEEPING, 1).await;
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_terminated_stores_nothing() {
    let (_cluster, dsn, client) = own().await;
    let host = Arc::new(Host::start(ONE_CONNECTION));
    let call = begin(&host, &dsn, &client).await;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE wait_event = 'PgSleep'";
    client.query_one(terminate, &[]).await.unwrap();
    call.await.unwrap().refused("OperationalError");
    host.left_nothing(&dsn, &client).await;
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 0);
}

/// A session that does nothing at all, not even cancel, is left behind. It finds nobody to answer when
/// it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_stands_still_is_left() {
    let (_cluster, dsn, client) = own().await;
    let host = Arc::new(Host::start(HASTY));
    let call = begin(&host, &dsn, &client).await;
    let pid = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let pid: i32 = client.query_one(pid, &[]).await.unwrap().get(0);
    kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    call.await.unwrap().refused("QueryCanceled");
    host.insert(&dsn, [7]).await.body();
    kill(Pid::from_raw(pid), Signal::SIGCONT).unwrap();
    host.left_nothing(&dsn, &client).await;
    assert_eq!(count(&client, "SELECT sum(id) FROM t").await, 7);
}

/// Sessions that are terminated while they idle are not given to calls.
#[tokio::test(flavor = "multi_thread")]
async fn idle_sessions_that_are_terminated_are_replaced() {
    let (_cluster, dsn, client) = own().await;
    let host = Arc::new(Host::start("[limits]\npool_connections = 4\n"));
    for _ in 0..3 {
        fill(&host, &dsn, 4).await;
        let terminate = "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity
                         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        assert!(count(&client, terminate).await > 0);
        fill(&host, &dsn, 4).await;
    }
}

/// Runs so many calls at the same time, which all go well.
async fn fill(host: &Arc<Host>, dsn: &str, calls: i64) {
    let mut running = JoinSet::new();
    for number in 0..calls {
        let (host, dsn) = (host.clone(), dsn.to_owned());
        running.spawn(async move {
            let sql = format!("SELECT {number} FROM pg_sleep(0.05)");
            assert_eq!(*host.sql(&dsn, &sql).await.body(), json!([[number]]));
        });
    }
    running.join_all().await;
}

/// The server ends all sessions and recovers when one of them crashes.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_crashes_stores_nothing() {
    let (_cluster, dsn, client) = own().await;
    let host = Arc::new(Host::start(ONE_CONNECTION));
    host.insert(&dsn, [7]).await.body();
    let call = begin(&host, &dsn, &client).await;
    let crash = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let pid: i32 = client.query_one(crash, &[]).await.unwrap().get(0);
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    call.await.unwrap().refused("OperationalError");
    host.answers(&dsn).await;
    let client = Database::connect(&dsn).await;
    host.left_nothing(&dsn, &client).await;
    assert_eq!(count(&client, "SELECT sum(id) FROM t").await, 7);
}

/// The server is killed, is away, and comes back: what was confirmed is there, nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_keeps_what_was_confirmed() {
    let (mut cluster, dsn, client) = own().await;
    let host = Arc::new(Host::start(ONE_CONNECTION));
    host.insert(&dsn, [7]).await.body();
    let call = begin(&host, &dsn, &client).await;
    cluster.kill().unwrap();
    call.await.unwrap().refused("OperationalError");
    host.insert(&dsn, [1]).await.refused("OperationalError");
    cluster.restart().unwrap();
    host.answers(&dsn).await;
    let client = Database::connect(&dsn).await;
    host.left_nothing(&dsn, &client).await;
    assert_eq!(count(&client, "SELECT sum(id) FROM t").await, 7);
}

/// A server that was restarted between two calls is not noticed.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_calls_after_a_restart_go_well() {
    let (mut cluster, dsn, _client) = own().await;
    let host = Arc::new(Host::start("[limits]\npool_connections = 8\n"));
    fill(&host, &dsn, 8).await;
    cluster.restart().unwrap();
    fill(&host, &dsn, 8).await;
}
