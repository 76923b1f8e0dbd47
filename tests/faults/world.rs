//! A server with one connection for each connection string, so that one that is not given back is
//! missed at once.

use crate::answer::{Answer, Outcome};
use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_postgres::Client;

pub(crate) const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// How long something may take that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Limits that fit most tests.
pub(crate) const ONE_CONNECTION: &str = "[limits]\npool_connections = 1\npools = 1000\n";

/// A running server and its configuration.
pub(crate) struct Host {
    pub(crate) server: Server,
    _directory: TempDir,
}

impl Host {
    /// Starts one with this configuration.
    pub(crate) fn start(config: &str) -> Host {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("airlock.toml");
        std::fs::write(&file, config).unwrap();
        let arguments = ["--config", file.to_str().unwrap()];
        Host {
            server: Server::start(AIRLOCK, &arguments, &[]),
            _directory: directory,
        }
    }

    /// Runs a command of `postgres_v2`.
    pub(crate) async fn call(&self, command: &str, call: &Value) -> Answer {
        let url = format!("{}/v1/do/postgres_v2/{command}", self.server.base);
        let response = self.server.http.post(url).json(call).send().await.unwrap();
        let header = response.headers().get("x-airlock-outcome");
        Answer {
            header: header.map(|value| value.to_str().unwrap().to_owned()),
            status: response.status().as_u16(),
            reply: response.json().await.unwrap(),
        }
    }

    /// Runs SQL text that may give rows.
    pub(crate) async fn sql(&self, dsn: &str, sql: &str) -> Answer {
        let call =
            json!({"database_connection_str": dsn, "schema": {"sql": sql, "fetch_results": true}});
        self.call("DoSQL", &call).await
    }

    /// Runs SQL text that gives no rows.
    pub(crate) async fn execute(&self, dsn: &str, sql: &str) -> Answer {
        let call = json!({"database_connection_str": dsn, "schema": {"sql": sql}});
        self.call("DoSQL", &call).await
    }

    /// Inserts into `t (id)`.
    pub(crate) async fn insert(&self, dsn: &str, ids: impl IntoIterator<Item = i64>) -> Answer {
        let rows: Vec<_> = ids.into_iter().map(|id| json!([id])).collect();
        let schema = json!({"columns": ["id"], "values": rows});
        let call = json!({"database_connection_str": dsn, "table_name": "t", "schema": schema});
        self.call("InsertValuesV2", &call).await
    }

    /// Waits until a call goes well. A host that has just seen connects fail may turn calls away for a
    /// moment; no answer may leave open whether it did anything.
    pub(crate) async fn answers(&self, dsn: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.sql(dsn, "SELECT 1").await;
            match answer.outcome() {
                Outcome::Committed => return,
                Outcome::Aborted => assert!(Instant::now() < end, "{}", answer.reply),
                Outcome::Unknown => panic!("{}", answer.reply),
            }
            tokio::task::yield_now().await;
        }
    }

    /// As [`Host::left_nothing`], once connects go well again.
    pub(crate) async fn recovers(&self, dsn: &str, database: &Client) {
        self.answers(dsn).await;
        self.left_nothing(dsn, database).await;
    }

    /// Shows that the connection for `dsn` is there for the next call, and that nobody works in its
    /// database any more.
    pub(crate) async fn left_nothing(&self, dsn: &str, database: &Client) {
        let next = tokio::time::timeout(PATIENCE, self.sql(dsn, "SELECT 1")).await;
        let next = next.expect("no connection is free");
        assert_eq!(*next.body(), json!([[1]]));
        until_idle(database).await;
    }
}

/// Waits until no session of the database but this one is doing anything or in a transaction.
pub(crate) async fn until_idle(database: &Client) {
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'";
    until(database, busy, 0).await;
}

/// Waits until a query counts so much.
pub(crate) async fn until(database: &Client, sql: &str, expected: i64) {
    let end = Instant::now() + PATIENCE;
    loop {
        let count: i64 = database.query_one(sql, &[]).await.unwrap().get(0);
        if count == expected {
            return;
        }
        assert!(Instant::now() < end, "{count}, not {expected}: {sql}");
        tokio::task::yield_now().await;
    }
}

/// What a query counts.
pub(crate) async fn count(database: &Client, sql: &str) -> i64 {
    database.query_one(sql, &[]).await.unwrap().get(0)
}

/// A database with the table `t (id)`.
pub(crate) async fn with_table() -> Database {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (id int)")
        .await
        .unwrap();
    database
}
