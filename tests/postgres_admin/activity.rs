//! LongRunningQueries and Locks: sessions that really wait.

use super::world::{World, keys, only};
use airlock_tests::Database;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

/// A session under a name.
async fn session(world: &World, name: &str) -> (Client, i32) {
    let client =
        Database::connect(&format!("{} application_name={name}", world.database.dsn)).await;
    let pid = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    (client, pid)
}

/// Has it run a statement that does not come back before the client is dropped.
fn waiting(client: Client, sql: &'static str) -> JoinHandle<()> {
    tokio::spawn(async move {
        let _ = client.batch_execute(sql).await;
    })
}

const ACCOUNTS: &str =
    "CREATE SCHEMA bank; CREATE TABLE bank.account (id int PRIMARY KEY, money int);
    INSERT INTO bank.account VALUES (1, 100), (2, 100)";

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_row_is_seen_with_who_holds_it() {
    let world = World::with(ACCOUNTS).await;
    let (holder, holding) = session(&world, "holder").await;
    holder
        .batch_execute("BEGIN; UPDATE bank.account SET money = 0 WHERE id = 1")
        .await
        .unwrap();
    let (first, first_pid) = session(&world, "first").await;
    let first = waiting(first, "UPDATE bank.account SET money = 1 WHERE id = 1");
    let rows = world
        .until("Locks", json!({}), |rows| rows.len() == 1)
        .await;
    let row = &rows[0];
    assert_eq!(
        keys(row).join(" "),
        "blocked_pid blocked_user blocked_application_name blocked_query lock_type schema relation wanted_mode \
         waiting_seconds blocking_pid blocking_user blocking_application_name blocking_state held_modes \
         blocking_transaction_seconds blocking_query"
    );
    let mut told = row.clone();
    for age in ["waiting_seconds", "blocking_transaction_seconds"] {
        let seconds = told.as_object_mut().unwrap().remove(age).unwrap();
        assert!(
            (0.0..3600.0).contains(&seconds.as_f64().unwrap()),
            "{age}: {row}"
        );
    }
    assert_eq!(
        told,
        json!({"blocked_pid": first_pid, "blocked_user": "postgres", "blocked_application_name": "first",
            "blocked_query": "UPDATE bank.account SET money = 1 WHERE id = 1", "lock_type": "transactionid",
            "schema": "bank", "relation": "account", "wanted_mode": "ShareLock", "blocking_pid": holding,
            "blocking_user": "postgres", "blocking_application_name": "holder",
            "blocking_state": "idle in transaction", "held_modes": ["ExclusiveLock"],
            "blocking_query": "BEGIN; UPDATE bank.account SET money = 0 WHERE id = 1"})
    );

    // The second in line waits for the first.
    let (second, second_pid) = session(&world, "second").await;
    let second = waiting(second, "UPDATE bank.account SET money = 2 WHERE id = 1");
    let rows = world
        .until("Locks", json!({}), |rows| rows.len() == 2)
        .await;
    let pair = |row: &Value| (row["blocked_pid"].clone(), row["blocking_pid"].clone());
    let pairs: Vec<_> = rows.iter().map(pair).collect();
    assert_eq!(
        pairs,
        [
            (json!(first_pid), json!(holding)),
            (json!(second_pid), json!(first_pid))
        ]
    );
    assert_eq!(rows[1]["relation"], "account");
    assert_eq!(world.rows("Locks", json!({"limit": 1})).await.len(), 1);
    assert_eq!(
        world
            .rows("Locks", json!({"min_seconds": 31_536_000}))
            .await,
        [Value::Null; 0]
    );

    // All of it is over when the holder is.
    holder.batch_execute("ROLLBACK").await.unwrap();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(world.rows("Locks", json!({})).await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_on_tables_and_advisory_ones_are_told_apart() {
    let world = World::with(ACCOUNTS).await;
    let (reader, _) = session(&world, "reader").await;
    let (writer, _) = session(&world, "writer").await;
    reader
        .batch_execute("BEGIN; SELECT * FROM bank.account")
        .await
        .unwrap();
    writer
        .batch_execute(
            "BEGIN; LOCK bank.account IN ROW EXCLUSIVE MODE; SELECT pg_advisory_lock(77)",
        )
        .await
        .unwrap();
    let (definer, _) = session(&world, "definer").await;
    let (adviser, _) = session(&world, "adviser").await;
    let tasks = [
        waiting(definer, "ALTER TABLE bank.account ADD COLUMN note text"),
        waiting(adviser, "SELECT pg_advisory_lock(77)"),
    ];
    let rows = world
        .until("Locks", json!({}), |rows| rows.len() == 3)
        .await;
    let mut told: Vec<_> = rows
        .iter()
        .map(|row| {
            let names = [
                "blocked_application_name",
                "blocking_application_name",
                "lock_type",
                "relation",
                "wanted_mode",
                "held_modes",
            ];
            names
                .map(|key| row[key].to_string().replace('"', ""))
                .join(" ")
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "adviser writer advisory null ExclusiveLock [ExclusiveLock]",
            "definer reader relation account AccessExclusiveLock [AccessShareLock]",
            "definer writer relation account AccessExclusiveLock [RowExclusiveLock]",
        ]
    );
    // Another database of the same server: seen where it is asked for.
    let elsewhere = Database::fresh().await;
    let here = async |call| world.rows_as(&elsewhere.dsn, "Locks", call).await;
    assert_eq!(here(json!({})).await, [Value::Null; 0]);
    let all = here(json!({"all_databases": true})).await;
    let ours = all
        .iter()
        .filter(|row| row["blocked_application_name"] == "definer");
    let ours: Vec<_> = ours.map(|row| only(row, &["schema", "relation"])).collect();
    assert_eq!(ours, vec![json!({"schema": null, "relation": null}); 2]);
    drop((reader, writer));
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_by_what_they_do() {
    let world = World::with(ACCOUNTS).await;
    let (idle, idle_pid) = session(&world, "in_transaction").await;
    idle.batch_execute("BEGIN; UPDATE bank.account SET money = 0 WHERE id = 2")
        .await
        .unwrap();
    let (failed, failed_pid) = session(&world, "in_failure").await;
    failed
        .batch_execute("BEGIN; SELECT 1 / 0")
        .await
        .unwrap_err();
    let (busy, busy_pid) = session(&world, "busy").await;
    let busy = waiting(busy, "UPDATE bank.account SET money = 1 WHERE id = 2");
    let all = json!({"min_seconds": 0, "application_name": "%"});
    let rows = world
        .until("LongRunningQueries", all, |rows| {
            rows.len() == 3
                && rows.iter().any(|row| row["wait_event_type"] == "Lock")
                && rows
                    .iter()
                    .any(|row| row["state"] == "idle in transaction (aborted)")
        })
        .await;
    assert_eq!(
        keys(&rows[0]).join(" "),
        "pid database user application_name client_address backend state wait_event_type wait_event seconds \
         transaction_seconds query_started_at blocked_by hidden query"
    );
    let of = |pid: i32| rows.iter().find(|row| row["pid"] == pid).unwrap();
    assert_eq!(
        only(
            of(busy_pid),
            &[
                "user",
                "application_name",
                "backend",
                "state",
                "wait_event_type",
                "blocked_by",
                "hidden",
                "query"
            ]
        ),
        json!({"user": "postgres", "application_name": "busy", "backend": "client backend", "state": "active",
            "wait_event_type": "Lock", "blocked_by": [idle_pid], "hidden": false,
            "query": "UPDATE bank.account SET money = 1 WHERE id = 2"})
    );
    assert_eq!(of(idle_pid)["state"], "idle in transaction");
    assert_eq!(of(failed_pid)["state"], "idle in transaction (aborted)");
    let seconds: Vec<_> = rows
        .iter()
        .map(|row| row["seconds"].as_f64().unwrap())
        .collect();
    assert!(
        seconds.is_sorted_by(|a, b| a >= b) && seconds.iter().all(|s| *s >= 0.0),
        "{seconds:?}"
    );

    let names = async |call: Value| {
        let mut call = call;
        call["min_seconds"] = 0.into();
        world
            .column("LongRunningQueries", call, "application_name")
            .await
    };
    assert_eq!(
        names(json!({"states": ["active"]})).await,
        ["busy"],
        "the call itself is left out"
    );
    assert_eq!(
        names(json!({"application_name": "in\\_t%"})).await,
        ["in_transaction"]
    );
    assert_eq!(
        names(json!({"user": "somebody else"})).await,
        [Value::Null; 0]
    );
    assert_eq!(names(json!({"limit": 1})).await.len(), 1);
    let idle_too = names(json!({"states": ["idle"]})).await;
    assert!(
        !idle_too.contains(&json!("busy")) && !idle_too.is_empty(),
        "{idle_too:?}"
    );
    // Nothing has run for a year; by default, nothing here is long.
    assert_eq!(
        world
            .rows("LongRunningQueries", json!({"min_seconds": 31_536_000}))
            .await,
        [Value::Null; 0]
    );

    let elsewhere = Database::fresh().await;
    let call = json!({"min_seconds": 0, "application_name": "busy"});
    assert_eq!(
        world
            .rows_as(&elsewhere.dsn, "LongRunningQueries", call)
            .await,
        [Value::Null; 0]
    );
    let call = json!({"min_seconds": 0, "application_name": "busy", "all_databases": true});
    assert_eq!(
        world
            .rows_as(&elsewhere.dsn, "LongRunningQueries", call)
            .await
            .len(),
        1
    );
    drop(idle);
    busy.await.unwrap();
}

/// A login without rights sees that there are others, and nothing of what they do.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_login_may_not_see_stays_hidden() {
    let world = World::with(ACCOUNTS).await;
    let (_, dsn) = world.nobody().await;
    let (holder, holding) = session(&world, "holder").await;
    holder
        .batch_execute("BEGIN; LOCK bank.account /* secret word */")
        .await
        .unwrap();
    let (other, waiting_pid) = session(&world, "waiter").await;
    let task = waiting(other, "TABLE bank.account /* secret word */");
    world
        .until("Locks", json!({}), |rows| rows.len() == 1)
        .await;

    let call = json!({"min_seconds": 0});
    assert_eq!(
        world.rows_as(&dsn, "LongRunningQueries", call).await,
        [Value::Null; 0]
    );
    let call = json!({"min_seconds": 0, "include_hidden": true, "application_name": "waiter"});
    let rows = world.rows_as(&dsn, "LongRunningQueries", call).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(
        only(&rows[0], &["pid", "state", "seconds", "hidden", "query"]),
        json!({"pid": waiting_pid, "state": null, "seconds": null, "hidden": true, "query": "<insufficient privilege>"})
    );
    let rows = world
        .rows_as(&dsn, "Locks", json!({"min_seconds": 0}))
        .await;
    assert_eq!(
        only(
            &rows[0],
            &[
                "blocked_pid",
                "blocking_pid",
                "relation",
                "blocked_query",
                "blocking_query"
            ]
        ),
        json!({"blocked_pid": waiting_pid, "blocking_pid": holding, "relation": "account",
            "blocked_query": "<insufficient privilege>", "blocking_query": "<insufficient privilege>"})
    );
    drop(holder);
    task.await.unwrap();

    // All others answer as well: catalogs are open to everyone.
    for command in [
        "ListSchemas",
        "ListTables",
        "ListColumns",
        "ListIndexes",
        "ListConstraints",
        "TableSizes",
        "DescribeDatabase",
    ] {
        let rows = world.rows_as(&dsn, command, json!({})).await;
        assert!(!rows.is_empty(), "{command}");
    }
    let rows = world
        .rows_as(&dsn, "ListTables", json!({"schema": "bank"}))
        .await;
    assert_eq!(
        only(&rows[0], &["table", "selectable"]),
        json!({"table": "account", "selectable": false})
    );
    let rows = world
        .rows_as(&dsn, "ListSchemas", json!({"pattern": "bank"}))
        .await;
    assert_eq!(rows[0]["usable"], false);
    world
        .rows_as(&dsn, "DescribeTable", json!({"table": "account"}))
        .await;
    let call = json!({"statement": "TABLE bank.account"});
    let (status, reply) = world.call_as(&dsn, "ExplainStatement", call).await;
    assert_eq!(
        (status, &reply["error"]["error_code"]),
        (200, &json!("InsufficientPrivilege")),
        "{reply}"
    );
}
