//! Calls of an administrator while the server stops.

use crate::world::{Console, answered};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::json;

const RUN: &str = "/v1/connectors/postgres_v2/commands/DoSQL/run";

/// Calls that wait for the lock.
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";

/// A server with a call that waits for a lock of `orders`.
async fn with_a_call_under_way(limits: &str) -> (Console, impl Future<Output = Waited>) {
    let console = Console::start(&format!("[limits]\n{limits}\n"), &[]).await;
    console
        .orders
        .batch_execute("SELECT pg_advisory_lock(1)")
        .await
        .unwrap();
    let sql = "SELECT 5 FROM pg_advisory_lock_shared(1)";
    let call = json!({
        "database_connection_str": "orders",
        "schema": {"sql": sql, "fetch_results": true},
    });
    let run = tokio::spawn(console.request(Method::POST, RUN).json(&call).send());
    until(&console, 1).await;
    (console, async { run.await.unwrap() })
}

type Waited = reqwest::Result<reqwest::Response>;

/// Waits until so many calls wait.
async fn until(console: &Console, waiting: i64) {
    let count = async || {
        console
            .orders
            .query_one(WAITING, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
    };
    while count().await != waiting {
        tokio::task::yield_now().await;
    }
}

fn terminate(console: &Console) {
    kill(
        Pid::from_raw(console.world.server.id() as i32),
        Signal::SIGTERM,
    )
    .unwrap();
}

async fn until_logged(console: &Console, line: &str) {
    while !console.world.server.log().contains(line) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_under_way_finishes() {
    let (console, run) = with_a_call_under_way("").await;
    terminate(&console);
    until_logged(&console, "stopping").await;
    console
        .orders
        .batch_execute("SELECT pg_advisory_unlock(1)")
        .await
        .unwrap();
    let (status, reply) = answered(run.await.unwrap()).await;
    assert_eq!(
        (status, &reply["command_response"]["body"]),
        (200, &json!([[5]]))
    );
    assert_eq!(console.world.server.exit_code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_longer_than_drain_ms_is_cancelled() {
    let (console, run) = with_a_call_under_way("drain_ms = 300\ndeadline_ms = 3600000").await;
    terminate(&console);
    assert!(run.await.is_err());
    until(&console, 0).await;
    assert_eq!(console.world.server.exit_code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_cancels_a_run() {
    let limits = "drain_ms = 3600000\ndeadline_ms = 3600000";
    let (console, run) = with_a_call_under_way(limits).await;
    terminate(&console);
    until_logged(&console, "stopping").await;
    terminate(&console);
    assert!(run.await.is_err());
    until(&console, 0).await;
    assert_eq!(console.world.server.exit_code(), Some(3));
}
