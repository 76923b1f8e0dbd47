//! From a row of `pg_stat_activity` to the request that it works on, and back.

use crate::world::serving;
use airlock::Secret;
use airlock::observation::Observation;
use airlock::policy::{Policy, ShowRequests};
use airlock::{Limits, Parameters, Runtime};
use airlock_tests::Database;
use airlock_tests::world::World;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Ids that would get out of a literal or a comment, were they taken as they are, and what is shown.
const HOSTILE: [(&str, &str); 6] = [
    ("';DROP/**/TABLE/**/notes;--", "__DROP/__/TABLE/__/notes_--"),
    ("\\';SELECT(1);--", "___SELECT_1__--"),
    ("*/;COMMIT;/*", "_/_COMMIT_/_"),
    ("$$;ROLLBACK;$$", "___ROLLBACK___"),
    ("\"quoted\"%s$1?", "_quoted__s_1_"),
    ("''", "__"),
];

/// Makes a call that has an id; gives its envelope.
async fn call_as(world: &World, id: &str, command: &str, call: &Value) -> Value {
    let url = format!("{}/v1/do/postgres_v2/{command}", world.server.base);
    let request = world.server.http.post(url).json(call);
    let response = request.header("x-request-id", id).send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"], id);
    response.json().await.unwrap()
}

fn dosql(dsn: &str, sql: &str) -> Value {
    json!({"database_connection_str": dsn, "schema": {"sql": sql, "fetch_results": true}})
}

/// Waits until a session runs `pg_sleep`; gives its process and its name, and ends its statement.
async fn sleeping(database: &Database) -> String {
    let sql = "SELECT pid, application_name::text FROM pg_stat_activity
               WHERE state = 'active' AND wait_event = 'PgSleep' AND datname = current_database()";
    loop {
        let rows = database.query(sql, &[]).await.unwrap();
        if let Some(row) = rows.first() {
            let (pid, name): (i32, String) = (row.get(0), row.get(1));
            let cancel = "SELECT pg_cancel_backend($1)";
            database.query_one(cancel, &[&pid]).await.unwrap();
            return name;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_pg_stat_activity_leads_to_the_request_and_back() {
    let config = "[connectors.postgres_v2]\nshow_requests = \"always\"\n";
    let world = serving(config, &[], &[]).await;
    let slow = "CREATE VIEW slow AS SELECT pg_sleep(600)::text AS nap";
    world.database.batch_execute(slow).await.unwrap();
    let dsn = &world.database.dsn;
    // In a transaction, and a lone statement that is prepared.
    let select = json!({
        "database_connection_str": dsn, "table_name": "slow", "schema": {"columns": ["nap"]},
    });
    for (id, command, call) in [
        ("task-17/try-2", "DoSQL", dosql(dsn, "SELECT pg_sleep(600)")),
        ("task-18/try-1", "SelectValuesV2", select),
    ] {
        let called = call_as(&world, id, command, &call);
        let (envelope, name) = tokio::join!(called, sleeping(&world.database));
        assert_eq!(
            envelope["error"]["error_code"], "QueryCanceled",
            "{envelope}"
        );
        assert_eq!(name, format!("airlock {id}"));
        let (_, found) = name.split_once(' ').unwrap();
        let log = world.server.log();
        let line = log.lines().find(|line| line.contains(found));
        let line = line.unwrap_or_else(|| panic!("{id} is in no line of {log}"));
        for told in [
            command,
            "sha256:",
            "QueryCanceled",
            "sql_us",
            "plan_us",
            "pool_wait_us",
        ] {
            assert!(line.contains(told), "{told}: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_ids_get_out_of_nothing() {
    let config = "[connectors.postgres_v2]\nshow_requests = \"always\"\n";
    let world = serving(config, &[], &[]).await;
    let database = &world.database;
    database
        .batch_execute("CREATE TABLE notes (note text)")
        .await
        .unwrap();
    let view = "CREATE VIEW shown AS SELECT current_setting('application_name') AS name";
    database.batch_execute(view).await.unwrap();
    // Backslashes escape in there, where literals are read as of old.
    for options in ["", " options='-c standard_conforming_strings=off'"] {
        let dsn = format!("{}{options}", database.dsn);
        let alone = json!({
            "database_connection_str": dsn, "table_name": "shown", "schema": {"columns": ["name"]},
        });
        let block = dosql(&dsn, "SELECT name FROM shown");
        for (id, shown) in HOSTILE {
            for (command, call) in [("SelectValuesV2", &alone), ("DoSQL", &block)] {
                let envelope = call_as(&world, id, command, call).await;
                let body = &envelope["command_response"]["body"];
                assert_eq!(
                    *body,
                    json!([[format!("airlock {shown}")]]),
                    "{command} {envelope}"
                );
            }
        }
        let longest = "x".repeat(128);
        let envelope = call_as(&world, &longest, "DoSQL", &block).await;
        let body = &envelope["command_response"]["body"];
        assert_eq!(*body, json!([[format!("airlock {}", "x".repeat(55))]]));
    }
    let left = database.query_one("SELECT count(*) FROM notes", &[]).await;
    assert_eq!(left.unwrap().get::<_, i64>(0), 0);
}

/// The names that a lone statement and one in a transaction see.
async fn names(runtime: &Runtime, dsn: &str, id: Option<&str>) -> [String; 2] {
    let alone = json!({
        "database_connection_str": dsn, "table_name": "shown", "schema": {"columns": ["name"]},
    });
    let calls = [
        ("SelectValuesV2", alone),
        ("DoSQL", dosql(dsn, "SELECT name FROM shown")),
    ];
    let mut names = [const { String::new() }; 2];
    for ((command, call), name) in calls.iter().zip(&mut names) {
        let mut command = runtime.command("postgres_v2", command).unwrap();
        if let Some(id) = id {
            command = command.observed(Arc::new(Observation::new().of_request(id)));
        }
        let text = call.to_string();
        let parameters = Parameters::parse(text.as_bytes()).unwrap();
        let reply = runtime.run(&command, parameters).await.unwrap();
        let body: Value = serde_json::from_slice(&reply.body.collect().await.unwrap()).unwrap();
        *name = body[0][0].as_str().unwrap().to_owned();
        runtime.settle().await;
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_show_what_the_policy_says_and_nothing_of_the_call_before() {
    let database = Database::fresh().await;
    let view = "CREATE VIEW shown AS SELECT current_setting('application_name') AS name";
    database.batch_execute(view).await.unwrap();
    let limits = Limits {
        pool_connections: 1,
        ..Limits::default()
    };
    let runtime = Runtime::empty(limits).unwrap();
    let named = Secret::new(format!("{} application_name=theirs", database.dsn));
    for (show_requests, expected) in [
        (ShowRequests::Always, ["airlock a", "airlock a"]),
        (ShowRequests::Transactions, ["airlock", "airlock a"]),
        (ShowRequests::Always, ["airlock a", "airlock a"]),
        (ShowRequests::Never, ["airlock", "airlock"]),
    ] {
        let policy = Policy {
            show_requests,
            ..Policy::default()
        };
        runtime.load_embedded(policy).unwrap();
        assert_eq!(names(&runtime, &database.dsn, Some("a")).await, expected);
        // Who has a name of their own keeps it.
        assert_eq!(
            names(&runtime, named.expose(), Some("a")).await,
            ["theirs", "theirs"]
        );
        assert_eq!(
            names(&runtime, &database.dsn, None).await,
            ["airlock", "airlock"]
        );
    }
}
