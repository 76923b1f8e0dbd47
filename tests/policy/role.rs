//! Roles and timeouts.

use crate::world::{World, insert};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_batch_runs_as_the_role() {
    let (world, role, dsn) = World::with_role("").await;
    world.answered(
        world.sql_as(&dsn, "SELECT current_user").await,
        json!([[role]]),
    );
    world
        .database
        .batch_execute("CREATE TABLE texts (a text, who text DEFAULT current_user)")
        .await
        .unwrap();
    world
        .database
        .batch_execute("GRANT INSERT ON texts TO PUBLIC")
        .await
        .unwrap();
    let form = |table: &str, column: &str, rows: Vec<Value>| {
        json!({
            "database_connection_str": dsn, "table_name": table,
            "schema": {"columns": [column], "values": rows.iter().map(|row| json!([row])).collect::<Value>()},
        })
    };
    for call in [
        form("t", "n", vec![json!(5)]),
        form("t", "n", vec![json!(5); 20]),
        form("t", "n", vec![json!(5); 100]),
        // Numbers go into text columns in statements of many rows.
        form("texts", "a", vec![json!(5); 100]),
    ] {
        let (_, reply) = world.server.call("postgres_v2/InsertValuesV2", &call).await;
        assert_eq!(reply["error"], Value::Null, "{reply}");
    }
    let strangers = "SELECT (SELECT count(*) FROM t WHERE who <> $1 AND n <> 1) + (SELECT count(*) FROM texts WHERE who <> $1)";
    let strangers = world.database.query_one(strangers, &[&role]).await.unwrap();
    assert_eq!(strangers.get::<_, i64>(0), 0);
    assert_eq!(world.rows().await.len(), 122);
    let delete = json!({"database_connection_str": dsn, "table_name": "t", "schema": {}});
    let delete = world
        .server
        .call("postgres_v2/DeleteValuesV2", &delete)
        .await;
    world.failed(
        delete,
        "InsufficientPrivilege",
        "permission denied for table t",
    );
}

/// The documentation says so: against raw SQL, a role is a boundary where the login has no rights.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_gained_by_leaving_the_role_of_a_login_without_rights() {
    let (world, role, dsn) =
        World::with_role("raw_sql = [\"select\", \"reset\", \"set\", \"delete\"]").await;
    for leave in [
        "RESET ROLE",
        "SET ROLE NONE",
        "SET LOCAL SESSION AUTHORIZATION DEFAULT",
        "SELECT set_config('role', 'none', false)",
    ] {
        let left = world
            .sql_as(&dsn, &format!("{leave}; SELECT current_user"))
            .await;
        assert!(
            left.1["command_response"]["body"][0][0]
                .as_str()
                .unwrap()
                .starts_with("login"),
            "{left:?}"
        );
        for sql in ["SELECT n FROM t", "DELETE FROM t"] {
            let reply = world.sql_as(&dsn, &format!("{leave}; {sql}")).await;
            world.failed(
                reply,
                "InsufficientPrivilege",
                "permission denied for table t",
            );
        }
        // The next call runs as the role again.
        world.answered(
            world.sql_as(&dsn, "SELECT current_user").await,
            json!([[role]]),
        );
    }
    for sql in ["SET ROLE postgres", "SET SESSION AUTHORIZATION postgres"] {
        let reply = world.sql_as(&dsn, &format!("{sql}; SELECT 1")).await;
        world.failed(reply, "InsufficientPrivilege", "permission denied");
    }
    // A login with rights of its own gets them back.
    let superuser = world.sql("RESET ROLE; DELETE FROM t RETURNING n").await;
    world.answered(superuser, json!([[1]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn utility_statements_of_callers_need_to_be_listed_under_a_role() {
    let (world, role, dsn) = World::with_role("").await;
    for (sql, kind) in [
        ("RESET ROLE", "reset"),
        ("SET ROLE NONE", "set"),
        ("/**/ set local role none", "set"),
        ("DO $$BEGIN RESET ROLE; END$$", "do"),
        ("DISCARD ALL", "discard"),
        ("CREATE TABLE u ()", "create"),
    ] {
        let message = format!(
            "role = {role:?}; DoSQL holds a statement of the kind \"{kind}\", which raw_sql does not list"
        );
        world.denied(world.sql_as(&dsn, sql).await, &message);
    }
    // Those of the connector itself run, as the role.
    let drop = json!({"database_connection_str": dsn, "table_name": "t"});
    let drop = world.server.call("postgres_v2/DropTableV2", &drop).await;
    world.failed(drop, "InsufficientPrivilege", "must be owner of table t");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_cannot_be_taken_fails_the_call() {
    let world = World::with("role = \"no_such_role\"").await;
    for reply in [
        world.sql("SELECT 1").await,
        world.call("InsertValuesV2", insert(&[2])).await,
        world.call("InsertValuesV2", insert(&[2; 50])).await,
        world.call("DropTableV2", json!({})).await,
    ] {
        world.failed(
            reply,
            "InvalidParameterValue",
            "role \"no_such_role\" does not exist",
        );
    }
    assert_eq!(world.rows().await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_and_locks_time_out() {
    let world = World::with("statement_timeout_ms = 300\nlock_timeout_ms = 50").await;
    let asked = world
        .sql("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        .await;
    world.answered(asked, json!([["300ms", "50ms"]]));
    let slow = world.sql("SELECT pg_sleep(60)").await;
    world.failed(slow, "QueryCanceled", "due to statement timeout");
    world
        .database
        .batch_execute("BEGIN; LOCK TABLE t")
        .await
        .unwrap();
    let locked = world
        .call("SelectValuesV2", json!({"columns": ["n"]}))
        .await;
    world.failed(locked, "LockNotAvailable", "due to lock timeout");
    world.database.batch_execute("COMMIT").await.unwrap();
    world.answered(
        world
            .call("SelectValuesV2", json!({"columns": ["n"]}))
            .await,
        json!([[1]]),
    );
    let vacuum = world.sql("VACUUM t").await;
    world.failed(
        vacuum,
        "ActiveSqlTransaction",
        "cannot run inside a transaction block",
    );
}
