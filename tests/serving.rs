//! The server as operators see it: start, log, limits, stop.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod serving {
    mod embedded;
    mod planned_by;
}

use airlock_tests::{Database, Server};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::process::Command;

const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// Where compiled components are kept, so that the user's own stay as they are.
const CACHES: &str = env!("CARGO_TARGET_TMPDIR");

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_calls_under_way_finish() {
    let database = Database::fresh().await;
    let server = Server::start(AIRLOCK, &[], &[]);
    let call = json!({"database_connection_str": database.dsn, "schema": {"sql": "SELECT pg_sleep(1)::text, 5", "fetch_results": true}});
    let request = server
        .http
        .post(format!("{}/v1/do/postgres_v2/DoSQL", server.base))
        .json(&call);
    let call = tokio::spawn(request.send());
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    while database
        .query_one(sleeping, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 0
    {
        tokio::task::yield_now().await;
    }
    kill(Pid::from_raw(server.id() as i32), Signal::SIGTERM).unwrap();
    let reply: Value = call.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(reply["command_response"]["body"], json!([["", 5]]));
    assert!(server.wait(), "it did not end well");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_json_where_asked_and_holds_no_value() {
    let database = Database::fresh().await;
    let server = Server::start(
        AIRLOCK,
        &["--log-format", "json"],
        &[(
            "RUST_LOG",
            "airlock=trace,tokio_postgres=trace,axum=trace,hyper=trace,deadpool=trace,info",
        )],
    );
    let schema = json!({"sql": "SELECT %s", "values": ["value-canary"], "fetch_results": true});
    let dsn = format!("{} application_name=name-canary", database.dsn);
    let (_, reply) = server
        .call(
            "postgres_v2/DoSQL",
            &json!({"database_connection_str": dsn, "schema": schema}),
        )
        .await;
    assert_eq!(reply["command_response"]["body"], json!([["value-canary"]]));
    let (_, reply) = server.call("postgres_v2/DoSQL", &json!({"database_connection_str": dsn, "schema": {"sql": "SELECT %s::int", "values": ["error-canary"]}})).await;
    assert_eq!(reply["error"]["error_code"], "InvalidTextRepresentation");
    let log = server.log();
    for line in log.lines() {
        assert!(
            serde_json::from_str::<Value>(line).is_ok(),
            "not JSON: {line}"
        );
    }
    assert!(
        log.contains("\"command\":\"DoSQL\"") && log.contains("postgres_v2@sha256:"),
        "{log}"
    );
    let password = database
        .dsn
        .split("password=")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    for secret in ["canary", password] {
        assert!(!log.contains(secret), "the log shows {secret}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_the_configuration_hold() {
    let database = Database::fresh().await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(&config, "[limits]\nbody_bytes = 2000\nreply_bytes = 1000\n").unwrap();
    let server = Server::start(AIRLOCK, &["--config", config.to_str().unwrap()], &[]);
    let large = json!({"database_connection_str": "x".repeat(3000), "schema": {"sql": "SELECT 1"}});
    let (status, reply) = server.call("postgres_v2/DoSQL", &large).await;
    assert_eq!(
        (status, &reply["error"]["error_code"]),
        (413, &json!("RequestEntityTooLarge"))
    );
    database
        .batch_execute("CREATE TABLE t (a text)")
        .await
        .unwrap();
    let sql = "INSERT INTO t SELECT repeat('x', 100) FROM generate_series(1, 20) RETURNING a";
    let call = json!({"database_connection_str": database.dsn, "schema": {"sql": sql, "fetch_results": true}});
    let (status, reply) = server.call("postgres_v2/DoSQL", &call).await;
    assert_eq!(
        (status, &reply["error"]["error_code"]),
        (200, &json!("ProgramLimitExceeded")),
        "{reply}"
    );
    let count: i64 = database
        .query_one("SELECT count(*) FROM t", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(count, 0, "rows of a failed call stayed");
}

#[test]
fn what_cannot_work_is_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(&config, "listen = \"127.0.0.1:0\"\nlisten_twice = 1\n").unwrap();
    let serve = |arguments: &[&str], key: &str| {
        let mut command = Command::new(AIRLOCK);
        command
            .arg("serve")
            .args(arguments)
            .env("XDG_CACHE_HOME", CACHES);
        if key != "unset" {
            command.env("CONNECTOR_PROXY_API_KEY", key);
        }
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, message) = serve(&[], "");
    assert!(
        code == Some(1) && message.contains("CONNECTOR_PROXY_API_KEY"),
        "{message}"
    );
    let (code, message) = serve(&["--config", config.to_str().unwrap()], "unset");
    assert!(
        code == Some(1)
            && message.contains("airlock.toml:2:1: ")
            && message.contains("listen_twice"),
        "{message}"
    );
    let nowhere = directory.path().join("nowhere");
    let (code, message) = serve(&["--connectors", nowhere.to_str().unwrap()], "unset");
    assert!(code == Some(1) && message.contains("nowhere"), "{message}");
    let (code, message) = serve(&["--listen", "nowhere"], "unset");
    assert!(code == Some(2), "{message}");
}
