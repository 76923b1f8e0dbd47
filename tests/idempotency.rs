//! A task that is tried again changes nothing twice, and gets the reply of the first time.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// As the documentation has it.
const TABLE: &str = "CREATE TABLE airlock_calls (
    process_id text, task_id text, call bytea NOT NULL, reply text,
    made_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (process_id, task_id))";

struct World {
    database: Database,
    server: Server,
    _directory: tempfile::TempDir,
}

impl World {
    async fn start(limits: &str) -> World {
        let database = Database::fresh().await;
        database.batch_execute(TABLE).await.unwrap();
        database
            .batch_execute("CREATE TABLE t (id serial PRIMARY KEY, a int UNIQUE)")
            .await
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("airlock.toml");
        let text = format!(
            "[limits]\n{limits}\n[connectors.postgres_v2]\nidempotency_table = \"airlock_calls\"\n"
        );
        std::fs::write(&config, text).unwrap();
        let config = config.to_str().unwrap();
        let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &["--config", config], &[]);
        World {
            database,
            server,
            _directory: directory,
        }
    }

    async fn call(&self, command: &str, task: &str, parameters: Value) -> Value {
        let mut call = json!({
            "database_connection_str": self.database.dsn,
            "spiff__process_instance_id": 42,
            "spiff__task_id": task,
            "spiff__task_data": {"any": ["thing"]},
        });
        let more = parameters.as_object().unwrap().clone();
        call.as_object_mut().unwrap().extend(more);
        let (_, reply) = self
            .server
            .call(&format!("postgres_v2/{command}"), &call)
            .await;
        reply
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.database.query_one(&sql, &[]).await.unwrap().get(0)
    }
}

fn insert(values: &[i32]) -> Value {
    let rows: Vec<_> = values.iter().map(|value| json!([value])).collect();
    json!({"table_name": "t", "schema": {"columns": ["a"], "values": rows}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_is_answered_as_the_first() {
    let world = World::start("").await;
    let sql = |sql: &str, fetch: bool| json!({"schema": {"sql": sql, "fetch_results": fetch}});
    let many: Vec<i32> = (1000..1100).collect();
    for (at, (command, parameters)) in [
        ("InsertValuesV2", insert(&[1])),
        ("InsertValuesV2", insert(&many)),
        (
            "UpdateValuesV2",
            json!({"table_name": "t", "schema": {"set": {"a": 2}, "where": [["a", "=", 1]], "returning": ["id", "a"]}}),
        ),
        ("DoSQL", sql("INSERT INTO t (a) VALUES (7) RETURNING id", true)),
        ("DoSQL", sql("DELETE FROM t WHERE a = 7", false)),
        (
            "CreateTableV2",
            json!({"table_name": "u", "schema": {"column_definitions": [{"name": "a", "type": "int"}]}}),
        ),
        ("DropTableV2", json!({"table_name": "u", "schema": {}})),
    ]
    .into_iter()
    .enumerate()
    {
        let task = format!("task-{at}");
        let first = world.call(command, &task, parameters.clone()).await;
        assert_eq!(first["error"], Value::Null, "{command}: {first}");
        let rows = world.count("t").await;
        let second = world.call(command, &task, parameters).await;
        assert_eq!(first, second, "{command}");
        assert_eq!(world.count("t").await, rows, "{command}");
    }
    assert_eq!(world.count("airlock_calls").await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_tried_again() {
    let world = World::start("").await;
    world.call("InsertValuesV2", "first", insert(&[1])).await;
    let clash = world.call("InsertValuesV2", "second", insert(&[1])).await;
    assert_eq!(clash["error"]["error_code"], "UniqueViolation");
    world.database.batch_execute("DELETE FROM t").await.unwrap();
    let again = world.call("InsertValuesV2", "second", insert(&[1])).await;
    assert_eq!(again["error"], Value::Null, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_task_makes_one_call() {
    let world = World::start("").await;
    world.call("InsertValuesV2", "task", insert(&[1])).await;
    let other = world.call("InsertValuesV2", "task", insert(&[2])).await;
    assert_eq!(other["error"]["error_code"], "IdempotencyConflict");
    assert_eq!(other["error"]["outcome"], "aborted");
    assert_eq!(world.count("t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_time_are_one() {
    let world = std::sync::Arc::new(World::start("").await);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let world = world.clone();
        calls.spawn(async move { world.call("InsertValuesV2", "task", insert(&[1])).await });
    }
    for reply in calls.join_all().await {
        assert_eq!(
            reply["command_response"]["body"],
            json!({"result": "1 rows affected"}),
            "{reply}"
        );
    }
    assert_eq!(world.count("t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_calls_without_ids_are_not_recorded() {
    let world = World::start("").await;
    let select = json!({"table_name": "t", "schema": {"columns": ["a"]}});
    world.call("SelectValuesV2", "task", select).await;
    let mut call = insert(&[1]);
    call["database_connection_str"] = world.database.dsn.clone().into();
    for ids in [
        json!({}),
        json!({"spiff__task_id": "x"}),
        json!({"spiff__task_id": {}, "spiff__process_instance_id": []}),
    ] {
        let mut call = call.clone();
        call.as_object_mut()
            .unwrap()
            .extend(ids.as_object().unwrap().clone());
        world.server.call("postgres_v2/InsertValuesV2", &call).await;
    }
    assert_eq!(world.count("airlock_calls").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_too_large_to_keep_fails() {
    let world = World::start("kept_reply_bytes = 1000").await;
    let sql = "INSERT INTO t (a) SELECT generate_series(1, 1000) RETURNING a";
    let call = json!({"schema": {"sql": sql, "fetch_results": true}});
    let reply = world.call("DoSQL", "task", call).await;
    assert_eq!(reply["error"]["error_code"], "ProgramLimitExceeded");
    assert!(reply.to_string().contains("kept_reply_bytes"), "{reply}");
    assert_eq!(world.count("t").await, 0);
    assert_eq!(world.count("airlock_calls").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_there_is_named() {
    let world = World::start("").await;
    world
        .database
        .batch_execute("DROP TABLE airlock_calls")
        .await
        .unwrap();
    let reply = world.call("InsertValuesV2", "task", insert(&[1])).await;
    assert_eq!(reply["error"]["error_code"], "UndefinedTable");
    assert!(reply.to_string().contains("airlock_calls"), "{reply}");
    assert_eq!(world.count("t").await, 0);
}
