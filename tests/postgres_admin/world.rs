//! A server that found `postgres_admin` in its directory, and a database to look at.

use airlock_tests::{Database, POSTGRES_ADMIN, Server};
use serde_json::{Value, json};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long something may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// What most tests look at.
pub(crate) const SHOP: &str = include_str!("shop.sql");

pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) server: Server,
    _directory: TempDir,
}

impl World {
    pub(crate) async fn with(setup: &str) -> World {
        World::under("", setup).await
    }

    /// Under a policy of the connector.
    pub(crate) async fn under(rules: &str, setup: &str) -> World {
        let database = Database::fresh().await;
        database.batch_execute(setup).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let component = directory.path().join("postgres_admin.wasm");
        fs::write(component, POSTGRES_ADMIN).unwrap();
        let config = directory.path().join("airlock.toml");
        let rules = format!("connector_dir = \".\"\n[connectors.postgres_admin]\n{rules}");
        fs::write(&config, rules).unwrap();
        let arguments = ["--config", config.to_str().unwrap()];
        World {
            server: Server::start(env!("CARGO_BIN_EXE_airlock"), &arguments, &[]),
            database,
            _directory: directory,
        }
    }

    /// Runs a command over a connection.
    pub(crate) async fn call_as(&self, dsn: &str, command: &str, call: Value) -> (u16, Value) {
        let mut call = call;
        call["database_connection_str"] = dsn.into();
        let command = format!("postgres_admin/{command}");
        self.server.call(&command, &call).await
    }

    pub(crate) async fn call(&self, command: &str, call: Value) -> (u16, Value) {
        self.call_as(&self.database.dsn, command, call).await
    }

    /// The rows of a call that succeeds.
    pub(crate) async fn rows_as(&self, dsn: &str, command: &str, call: Value) -> Vec<Value> {
        let (status, mut reply) = self.call_as(dsn, command, call.clone()).await;
        let seen = (status, &reply["error"]);
        assert_eq!(seen, (200, &Value::Null), "{command} {call}: {reply}");
        match reply["command_response"]["body"].take() {
            Value::Array(rows) => rows,
            other => panic!("{command} {call}: {other}"),
        }
    }

    pub(crate) async fn rows(&self, command: &str, call: Value) -> Vec<Value> {
        self.rows_as(&self.database.dsn, command, call).await
    }

    /// The only row.
    pub(crate) async fn row(&self, command: &str, call: Value) -> Value {
        let mut rows = self.rows(command, call).await;
        assert_eq!(rows.len(), 1, "{command}: {rows:?}");
        rows.remove(0)
    }

    /// One key of each row.
    pub(crate) async fn column(&self, command: &str, call: Value, key: &str) -> Vec<Value> {
        let rows = self.rows(command, call).await;
        rows.into_iter().map(|mut row| row[key].take()).collect()
    }

    /// Status, code, pointer and message of a call that fails.
    pub(crate) async fn error(&self, command: &str, call: Value) -> (u16, String, Value, String) {
        let (status, reply) = self.call(command, call.clone()).await;
        let error = &reply["error"];
        let text = |key: &str| {
            let text = error[key].as_str();
            text.unwrap_or_else(|| panic!("{command} {call}: {reply}"))
                .to_owned()
        };
        let pointer = error["pointer"].clone();
        (status, text("error_code"), pointer, text("message"))
    }

    /// Asks until the rows are as they shall be.
    pub(crate) async fn until(
        &self,
        command: &str,
        call: Value,
        holds: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let end = Instant::now() + PATIENCE;
        loop {
            let rows = self.rows(command, call.clone()).await;
            if holds(&rows) {
                return rows;
            }
            assert!(Instant::now() < end, "{rows:#?}");
        }
    }

    /// What a superuser is told.
    pub(crate) async fn oracle(&self, sql: &str) -> i64 {
        self.database.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// A login that may do nothing but connect, and its connection string.
    pub(crate) async fn nobody(&self) -> (String, String) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let role = format!("nobody_{}_{number}", std::process::id());
        let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'p'");
        self.database.batch_execute(&create).await.unwrap();
        let dsn = &self.database.dsn;
        let keep = |pair: &&str| !pair.starts_with("user=") && !pair.starts_with("password=");
        let rest: Vec<_> = dsn.split(' ').filter(keep).collect();
        let dsn = format!("{} user={role} password=p", rest.join(" "));
        (role, dsn)
    }
}

/// Keeps these keys of an object.
#[track_caller]
pub(crate) fn only(row: &Value, keys: &[&str]) -> Value {
    let kept = keys.iter().map(|key| {
        let value = row.get(key).unwrap_or_else(|| panic!("no {key} in {row}"));
        (key.to_string(), value.clone())
    });
    Value::Object(kept.collect())
}

/// The keys of an object, in the order of its columns.
pub(crate) fn keys(row: &Value) -> Vec<&str> {
    row.as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_connector_like_any_other() {
    let world = World::with("").await;
    let url = format!("{}/v1/commands", world.server.base);
    let commands: Value = world
        .server
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let listed: Vec<_> = commands
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|command| command["id"].as_str()?.strip_prefix("postgres_admin/"))
        .collect();
    assert_eq!(listed.len(), 11, "{commands:#}");
    let row = world.row("DescribeDatabase", json!({})).await;
    assert_eq!(row["server_version_number"].as_i64().unwrap() / 10_000, 15);
}
