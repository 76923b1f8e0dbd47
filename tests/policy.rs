//! What the operator allows each connector, and what becomes of everything else.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::plan::{Access, Manifest, Plan, Reply};
use airlock::policy::{Caps, Role, SessionRules, StatementRules};
use airlock::{Fault, Limits, Parameters, Policy, Runtime};
use airlock_tests::hostile::{Guest, command, manifest, statement};
use airlock_tests::{Database, RECORDER, Server};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// A database with the table `t`, of one row, and a server that holds postgres_v2 to `rules`.
struct World {
    database: Database,
    server: Server,
}

impl World {
    async fn with(rules: &str) -> World {
        let database = Database::fresh().await;
        let table = "CREATE TABLE t (n int, who text DEFAULT current_user); INSERT INTO t VALUES (1); \
                     CREATE FUNCTION bump() RETURNS int LANGUAGE sql AS 'UPDATE t SET n = n + 1 RETURNING n'";
        database.batch_execute(table).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let config = written(
            directory.path(),
            &format!("[connectors.postgres_v2]\n{rules}"),
        );
        let server = Server::start(AIRLOCK, &["--config", &config], &[]);
        World { database, server }
    }

    /// Runs a command on the table `t`.
    async fn call(&self, command: &str, schema: Value) -> (u16, Value) {
        let dsn = &self.database.dsn;
        let call = json!({"database_connection_str": dsn, "table_name": "t", "schema": schema});
        self.server
            .call(&format!("postgres_v2/{command}"), &call)
            .await
    }

    async fn sql_as(&self, dsn: &str, sql: &str) -> (u16, Value) {
        let schema = json!({"sql": sql, "fetch_results": true});
        let call = json!({"database_connection_str": dsn, "schema": schema});
        self.server.call("postgres_v2/DoSQL", &call).await
    }

    async fn sql(&self, sql: &str) -> (u16, Value) {
        self.sql_as(&self.database.dsn, sql).await
    }

    #[track_caller]
    fn denied(&self, (status, reply): (u16, Value), message: &str) {
        let error = &reply["error"];
        assert_eq!(
            (status, &error["error_code"]),
            (403, &json!("PolicyDenied")),
            "{reply}"
        );
        let expected = format!("the policy of postgres_v2 has {message}");
        assert_eq!(error["message"], json!(expected));
        assert_eq!(reply["command_response"]["body"], Value::Null);
    }

    #[track_caller]
    fn failed(&self, (status, reply): (u16, Value), code: &str, says: &str) {
        let error = &reply["error"];
        assert_eq!(
            (status, &error["error_code"]),
            (200, &json!(code)),
            "{reply}"
        );
        assert!(error["message"].as_str().unwrap().contains(says), "{reply}");
    }

    #[track_caller]
    fn answered(&self, (status, reply): (u16, Value), body: Value) {
        assert_eq!((status, &reply["error"]), (200, &Value::Null), "{reply}");
        assert_eq!(reply["command_response"]["body"], body);
    }

    /// The values of `n` in the table.
    async fn rows(&self) -> Vec<i32> {
        rows(&self.database).await
    }
}

async fn rows(database: &Database) -> Vec<i32> {
    let rows = database
        .query("SELECT n FROM t ORDER BY n", &[])
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Writes `airlock.toml` and gives its path.
fn written(directory: &Path, text: &str) -> String {
    let file = directory.join("airlock.toml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn insert(rows: &[i32]) -> Value {
    let values: Vec<_> = rows.iter().map(|n| json!([n])).collect();
    json!({"columns": ["n"], "values": values})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_may_only_read_does_nothing_else() {
    let world = World::with("access = \"read\"").await;
    let select = json!({"columns": ["n"]});
    world.answered(world.call("SelectValuesV2", select).await, json!([[1]]));
    world.answered(world.sql("SELECT n FROM t").await, json!([[1]]));
    world.answered(
        world.sql("SHOW transaction_read_only").await,
        json!([["on"]]),
    );
    let access = "access = \"read\"; ";
    for (command, schema, needs) in [
        ("InsertValuesV2", insert(&[2]), "InsertValuesV2 needs write"),
        ("DeleteValuesV2", json!({}), "DeleteValuesV2 needs write"),
        ("DropTableV2", json!({}), "DropTableV2 needs define"),
    ] {
        world.denied(
            world.call(command, schema).await,
            &format!("{access}{needs}"),
        );
    }
    for (sql, needs) in [
        (
            "DELETE FROM t",
            r#"write, as it holds a statement of ["delete"]"#,
        ),
        (
            "SELECT 1; UPDATE t SET n = 2",
            r#"write, as it holds a statement of ["update"]"#,
        ),
        (
            "WITH x AS (DELETE FROM t RETURNING n) SELECT n FROM x",
            r#"write, as it holds a statement of ["delete", "select"]"#,
        ),
        (
            "EXPLAIN (ANALYZE) DELETE FROM t",
            r#"write, as it holds a statement of ["delete", "explain"]"#,
        ),
        (
            "SELECT n INTO u FROM t",
            r#"define, as it holds a statement of ["create", "select"]"#,
        ),
        (
            "SET transaction_read_only = off",
            r#"define, as it holds a statement of ["set"]"#,
        ),
        (
            "BEGIN READ WRITE; SELECT bump()",
            r#"define, as it holds a statement of ["set"]"#,
        ),
        (
            "DO $$BEGIN DELETE FROM t; END$$",
            r#"define, as it holds a statement of ["do"]"#,
        ),
    ] {
        world.denied(
            world.sql(sql).await,
            &format!("{access}DoSQL needs {needs}"),
        );
    }
    assert_eq!(world.rows().await, [1]);
}

/// What no text tells is left to the server, which runs everything READ ONLY.
#[tokio::test(flavor = "multi_thread")]
async fn writing_behind_what_reads_is_refused_by_the_server() {
    let world = World::with("access = \"read\"").await;
    let database = &world.database;
    database
        .batch_execute(
            "CREATE FUNCTION open_up() RETURNS int LANGUAGE plpgsql AS $$BEGIN \
                        SET TRANSACTION READ WRITE; RETURN bump(); END$$",
        )
        .await
        .unwrap();
    for (sql, code) in [
        ("SELECT bump()", "ReadOnlySqlTransaction"),
        ("SELECT 1; SELECT bump()", "ReadOnlySqlTransaction"),
        ("SELECT * FROM t FOR UPDATE", "ReadOnlySqlTransaction"),
        ("SELECT open_up()", "ActiveSqlTransaction"),
        (
            "SELECT set_config('transaction_read_only', 'off', true), bump()",
            "ActiveSqlTransaction",
        ),
        (
            "SELECT set_config('transaction_read_only', 'off', false); SELECT bump()",
            "ActiveSqlTransaction",
        ),
        (
            "SELECT set_config('default_transaction_read_only', 'off', false); SELECT bump()",
            "ReadOnlySqlTransaction",
        ),
        (
            "SELECT set_config('standard_conforming_strings', 'off', false); \
             WITH x AS (SELECT '\\' AS a, ' FROM t), y AS (SELECT bump()) SELECT 1 FROM y --'",
            "ReadOnlySqlTransaction",
        ),
    ] {
        world.failed(world.sql(sql).await, code, "");
    }
    // Nothing of what was set is left for the next call.
    world.answered(
        world
            .sql("SELECT set_config('default_transaction_read_only', 'off', false)")
            .await,
        json!([["off"]]),
    );
    for _ in 0..20 {
        world.failed(
            world.sql("SELECT bump()").await,
            "ReadOnlySqlTransaction",
            "",
        );
    }
    assert_eq!(world.rows().await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_may_write_defines_nothing() {
    let world = World::with("access = \"write\"").await;
    let inserted = world.call("InsertValuesV2", insert(&[2])).await;
    assert_eq!(inserted.1["error"], Value::Null, "{inserted:?}");
    world.answered(
        world.sql("DELETE FROM t WHERE n = 1 RETURNING n").await,
        json!([[1]]),
    );
    let access = "access = \"write\"; ";
    let drop = world.call("DropTableV2", json!({})).await;
    world.denied(drop, &format!("{access}DropTableV2 needs define"));
    for (sql, kinds) in [
        ("TRUNCATE t", r#"["truncate"]"#),
        (
            "SELECT 1 AS insert INTO u",
            r#"["create", "insert", "select"]"#,
        ),
        (
            "SELECT 1 insert INTO u",
            r#"["create", "insert", "select"]"#,
        ),
        ("CALL p()", r#"["call"]"#),
        ("COPY t FROM '/etc/passwd'", r#"["copy"]"#),
    ] {
        let message = format!("{access}DoSQL needs define, as it holds a statement of {kinds}");
        world.denied(world.sql(sql).await, &message);
    }
    assert_eq!(world.rows().await, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_sql_holds_the_kinds_that_are_listed() {
    let world = World::with("raw_sql = [\"insert\", \"select\"]").await;
    world.answered(world.sql("SELECT n FROM t").await, json!([[1]]));
    world.answered(
        world.sql("INSERT INTO t VALUES (2) RETURNING n").await,
        json!([[2]]),
    );
    for (sql, kind) in [
        ("INSERT INTO t VALUES (3); UPDATE t SET n = 9", "update"),
        (
            "INSERT INTO t VALUES (3) ON CONFLICT DO NOTHING; RESET ROLE",
            "reset",
        ),
        (
            "WITH x AS (DELETE FROM t RETURNING n) SELECT n FROM x",
            "delete",
        ),
        ("EXPLAIN ANALYZE SELECT bump()", "explain"),
        ("SELECT 1 insert INTO u", "create"),
        ("/* SELECT */ TRUNCATE t", "truncate"),
        ("DO 'BEGIN END'", "do"),
        ("SAVEPOINT s", "savepoint"),
    ] {
        let message = format!(
            r#"raw_sql = ["insert", "select"]; DoSQL holds a statement of the kind "{kind}""#
        );
        world.denied(world.sql(sql).await, &message);
    }
    // The list is about text of callers; commands that plan their own statements need no entry.
    let deleted = world
        .call("DeleteValuesV2", json!({"where": [["n", "=", 2]]}))
        .await;
    world.answered(deleted, json!({"result": "1 rows affected"}));
    assert_eq!(world.rows().await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn caps_roll_back_what_goes_beyond_them() {
    let world = World::with("affected_rows = 3\nreply_rows = 2\nreply_bytes = 60").await;
    let affected = |rows: usize| {
        format!(
            "{rows} rows would be affected, more than the cap affected_rows = 3; the transaction was rolled back"
        )
    };
    let beyond = "ProgramLimitExceeded";
    for rows in [4_usize, 20, 40] {
        let values: Vec<i32> = (0..).take(rows).collect();
        let reply = world.call("InsertValuesV2", insert(&values)).await;
        world.failed(reply, beyond, &affected(rows));
    }
    let inserted = world.call("InsertValuesV2", insert(&[2, 3, 4])).await;
    world.answered(inserted, json!({"result": "3 rows affected"}));
    let all = world.call("UpdateValuesV2", json!({"set": {"n": 9}})).await;
    world.failed(all, beyond, &affected(4));
    let returning = json!({"set": {"n": 9}, "where": [["n", "<", 4]], "returning": ["n"]});
    let returning = world.call("UpdateValuesV2", returning).await;
    world.failed(returning, beyond, "more than 2 rows, the limit reply_rows");
    // The stricter of two bounds holds.
    let own = json!({"set": {"n": 9}, "where": [["n", "<", 3]], "max_affected": 1});
    world.failed(
        world.call("UpdateValuesV2", own).await,
        "CardinalityViolation",
        "max_affected",
    );
    for (sql, says) in [
        // All statements of a call count together; reading does not count.
        (
            "UPDATE t SET n = 9 WHERE n < 3; SELECT n FROM t LIMIT 1; DELETE FROM t WHERE n = 4; DELETE FROM t WHERE n = 3; SELECT 1",
            affected(4),
        ),
        ("DELETE FROM t; SELECT 1", affected(4)),
        (
            "INSERT INTO t SELECT 5 FROM generate_series(1, 2) RETURNING n; INSERT INTO t VALUES (6), (7); SELECT 1",
            affected(4),
        ),
        ("CREATE TABLE u AS SELECT * FROM t; SELECT 1", affected(4)),
        (
            "PREPARE p AS DELETE FROM t; EXECUTE p; SELECT 1",
            affected(4),
        ),
        (
            "SELECT n FROM t",
            "more than 2 rows, the limit reply_rows".into(),
        ),
        (
            "SELECT repeat('x', 100)",
            "more than 60 bytes, the limit reply_bytes".into(),
        ),
    ] {
        world.failed(world.sql(sql).await, beyond, &says);
    }
    // What the server does not count is not allowed.
    for sql in [
        "WITH x AS (DELETE FROM t RETURNING n) SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM t",
    ] {
        let message = "affected_rows = 3; DoSQL changes rows in WITH or EXPLAIN, where the server does not count them";
        world.denied(world.sql(sql).await, message);
    }
    assert_eq!(world.rows().await, [1, 2, 3, 4]);
    world.answered(
        world.sql("DELETE FROM t WHERE n > 2 RETURNING n").await,
        json!([[3], [4]]),
    );
}

/// Unique in the cluster, which the tests share.
fn role_name(what: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!(
        "{what}_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

impl World {
    /// A world in which a login without rights of its own runs everything as a role that may read and
    /// insert into `t`. Gives the role and the login's connection string.
    async fn with_role(rules: &str) -> (World, String, String) {
        let (role, login) = (role_name("Role \"x\""), role_name("login"));
        let world = World::with(&format!("role = '{role}'\n{rules}")).await;
        let quoted = role.replace('"', "\"\"");
        let grants = format!(
            "CREATE ROLE \"{quoted}\"; GRANT SELECT, INSERT ON t TO \"{quoted}\"; \
             CREATE ROLE {login} LOGIN NOINHERIT PASSWORD 'p'; GRANT \"{quoted}\" TO {login}"
        );
        world.database.batch_execute(&grants).await.unwrap();
        let dsn = &world.database.dsn;
        let keep = |pair: &&str| !pair.starts_with("user=") && !pair.starts_with("password=");
        let rest: Vec<_> = dsn.split(' ').filter(keep).collect();
        let dsn = format!("{} user={login} password=p", rest.join(" "));
        (world, role, dsn)
    }
}

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

/// The README says so: against raw SQL, a role is a boundary where the login has no rights.
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

/// A runtime with the embedded connector under `policy`, and what a call of it gives.
async fn run(runtime: &Runtime, command: &str, call: &Value) -> Result<Value, Fault> {
    let (connector, command) = command.split_once('/').unwrap();
    let found = runtime.command(connector, command)?;
    let parameters = Parameters::from(call.as_object().unwrap().clone());
    let body = runtime
        .run(&found, parameters)
        .await?
        .body
        .collect()
        .await?;
    Ok(serde_json::from_slice(&body).unwrap())
}

fn as_role(role: &str) -> Policy {
    Policy {
        session: SessionRules {
            role: Some(Role::new(role).unwrap()),
            ..SessionRules::default()
        },
        ..Policy::default()
    }
}

/// The schema of the role comes first in the search path, so the same text means other tables.
#[tokio::test(flavor = "multi_thread")]
async fn statements_are_prepared_for_each_role() {
    let (database, role) = (Database::fresh().await, role_name("role"));
    let tables = format!(
        "CREATE ROLE {role}; CREATE SCHEMA {role} AUTHORIZATION {role}; CREATE TABLE t (n int); \
         CREATE TABLE {role}.t (n text); ALTER TABLE {role}.t OWNER TO {role}"
    );
    database.batch_execute(&tables).await.unwrap();
    let limits = Limits {
        pool_connections: 1,
        ..Limits::default()
    };
    let runtime = Runtime::empty(limits).unwrap();
    let call = |schema: Value| json!({"database_connection_str": database.dsn, "table_name": "t", "schema": schema});
    let mut expected = Vec::new();
    for round in 0..3 {
        runtime.load_embedded(Policy::default()).unwrap();
        run(
            &runtime,
            "postgres_v2/InsertValuesV2",
            &call(json!({"columns": ["n"], "values": [["7"]]})),
        )
        .await
        .unwrap();
        let found = run(
            &runtime,
            "postgres_v2/SelectValuesV2",
            &call(json!({"columns": ["n"]})),
        )
        .await;
        assert_eq!(found.unwrap(), json!(vec![json!([7]); round + 1]));
        runtime.load_embedded(as_role(&role)).unwrap();
        run(
            &runtime,
            "postgres_v2/InsertValuesV2",
            &call(json!({"columns": ["n"], "values": [["7x"]]})),
        )
        .await
        .unwrap();
        expected.push(json!(["7x"]));
        let found = run(
            &runtime,
            "postgres_v2/SelectValuesV2",
            &call(json!({"columns": ["n"]})),
        )
        .await;
        assert_eq!(found.unwrap(), json!(expected));
    }
    // Rights are those of the role that runs it, whoever had it prepared.
    database
        .batch_execute("REVOKE ALL ON t FROM PUBLIC; CREATE SCHEMA s; CREATE TABLE s.p (n int)")
        .await
        .unwrap();
    let read = json!({"database_connection_str": database.dsn, "table_name": "s.p", "schema": {"columns": ["n"]}});
    for _ in 0..2 {
        runtime.load_embedded(Policy::default()).unwrap();
        assert_eq!(
            run(&runtime, "postgres_v2/SelectValuesV2", &read)
                .await
                .unwrap(),
            json!([])
        );
        runtime.load_embedded(as_role(&role)).unwrap();
        let fault = run(&runtime, "postgres_v2/SelectValuesV2", &read)
            .await
            .unwrap_err();
        assert_eq!(fault.code, "InsufficientPrivilege", "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_run_again_is_run_as_the_role() {
    let (database, role) = (Database::fresh().await, role_name("role"));
    let tables = format!(
        "CREATE ROLE {role}; CREATE TABLE t (n int, who text DEFAULT current_user); GRANT ALL ON t TO {role}"
    );
    database.batch_execute(&tables).await.unwrap();
    let runtime = Runtime::new(Limits::default()).unwrap();
    runtime.load_embedded(as_role(&role)).unwrap();
    let insert = json!({"database_connection_str": database.dsn, "table_name": "t",
        "schema": {"columns": ["n"], "values": [[1]], "returning": ["who"]}});
    assert_eq!(
        run(&runtime, "postgres_v2/InsertValuesV2", &insert)
            .await
            .unwrap(),
        json!([[role]])
    );
    // The statement is stale now.
    database
        .batch_execute("ALTER TABLE t ALTER who TYPE varchar(100)")
        .await
        .unwrap();
    assert_eq!(
        run(&runtime, "postgres_v2/InsertValuesV2", &insert)
            .await
            .unwrap(),
        json!([[role]])
    );
    // A batch is begun as a COPY, refused, and run row by row.
    database
        .batch_execute("ALTER TABLE t ADD CHECK (n < 90)")
        .await
        .unwrap();
    let values: Vec<_> = (0..95).map(|n| json!([n])).collect();
    let insert = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["n"], "values": values}});
    let fault = run(&runtime, "postgres_v2/InsertValuesV2", &insert)
        .await
        .unwrap_err();
    assert_eq!(
        (fault.code.as_ref(), fault.pointer.as_deref()),
        ("CheckViolation", Some("/schema/values/90"))
    );
    let strangers = database
        .query_one("SELECT count(*) FROM t WHERE who <> $1", &[&role])
        .await
        .unwrap();
    assert_eq!(
        (strangers.get::<_, i64>(0), rows(&database).await.len()),
        (0, 2)
    );
}

/// A connector that asks to be resumed over and over, and inserts a row each time.
#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_a_call_share_its_caps_and_its_role() {
    let (database, role) = (Database::fresh().await, role_name("role"));
    let tables = format!(
        "CREATE ROLE {role}; CREATE TABLE t (n int, who text DEFAULT current_user); GRANT ALL ON t TO {role}"
    );
    database.batch_execute(&tables).await.unwrap();
    let guest = Guest {
        manifest: Manifest {
            commands: vec![command("C", Access::Write)],
            ..manifest()
        },
        ..Guest::answering(Plan {
            statements: vec![statement("INSERT INTO t VALUES (1)", Access::Write)],
            reply: Reply::Resume(vec![]),
        })
    };
    let runtime = Runtime::empty(Limits::default()).unwrap();
    let policy = Policy {
        caps: Caps {
            affected_rows: Some(3),
            ..Caps::default()
        },
        ..as_role(&role)
    };
    runtime.load(&guest.component(), policy).unwrap();
    let call = json!({"database_connection_str": database.dsn});
    let fault = run(&runtime, "hostile/C", &call).await.unwrap_err();
    assert!(
        fault.message.contains("4 rows would be affected"),
        "{fault}"
    );
    let found = database.query("SELECT who FROM t", &[]).await.unwrap();
    let who: Vec<String> = found.iter().map(|row| row.get(0)).collect();
    assert_eq!(who, vec![role; 3]);
}

#[tokio::test]
async fn a_plan_is_cached_for_its_policy_alone() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let call = json!({"database_connection_str": "", "schema": {"sql": "DELETE FROM t"}});
    let planned = || async {
        let found = runtime.command("postgres_v2", "DoSQL").unwrap();
        let call = found
            .call(Parameters::from(call.as_object().unwrap().clone()))
            .unwrap();
        runtime.cached_plan(&found, &call).await
    };
    assert_eq!(planned().await.unwrap().access(), Access::Define);
    let statements = StatementRules {
        access: Access::Write,
        raw_sql: None,
    };
    let policy = Policy {
        statements,
        ..Policy::default()
    };
    runtime.load_embedded(policy.clone()).unwrap();
    assert_eq!(planned().await.unwrap().access(), Access::Write);
    let statements = StatementRules {
        access: Access::Read,
        raw_sql: None,
    };
    runtime
        .load_embedded(Policy {
            statements,
            ..policy
        })
        .unwrap();
    assert_eq!(planned().await.unwrap_err().code, "PolicyDenied");
}

fn airlock(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(AIRLOCK).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn plan_shows_the_verdict() {
    let directory = tempfile::tempdir().unwrap();
    let config = written(
        directory.path(),
        "[connectors.postgres_v2]\naccess = \"write\"\nrole = \"clerk\"\nlock_timeout_ms = 5\naffected_rows = 7\nreply_rows = 8\n",
    );
    let plan = |command: &str, input: &str| {
        let (code, printed, _) = airlock(&["plan", command, "--config", &config, "--input", input]);
        let printed: Value = serde_json::from_str(&printed).unwrap();
        assert!(
            printed["plan"]["statements"][0]["sql"].is_string(),
            "{printed}"
        );
        (code, printed["verdict"].clone())
    };
    let allowed = plan(
        "postgres_v2/DeleteValuesV2",
        r#"{"table_name": "t", "schema": {}}"#,
    );
    let bounds = json!({"allowed": {
        "access": "write", "transaction": "block", "role": "clerk",
        "statement_timeout_ms": null, "lock_timeout_ms": 5,
        "reply_rows": 8, "reply_bytes": 268435456, "affected_rows": 7,
    }});
    assert_eq!(allowed, (Some(0), bounds));
    let refused = plan("postgres_v2/DropTableV2", r#"{"table_name": "t"}"#);
    let refusal = json!({"refused": {
        "error_code": "PolicyDenied",
        "message": "the policy of postgres_v2 has access = \"write\"; DropTableV2 needs define",
    }});
    assert_eq!(refused, (Some(1), refusal));
}

#[test]
fn components_are_loaded_from_where_the_table_says() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("more")).unwrap();
    std::fs::create_dir(at("dir")).unwrap();
    std::fs::write(at("more/any name.wasm"), RECORDER).unwrap();
    std::fs::write(at("dir/recorder.wasm"), RECORDER).unwrap();
    let commands = |text: &str| {
        let config = written(directory.path(), text);
        let (code, out, error) = airlock(&["commands", "--config", &config]);
        let mut connectors: Vec<_> = out
            .lines()
            .filter_map(|line| line.split('/').next())
            .collect();
        connectors.dedup();
        (code, connectors.join(" "), error)
    };
    let path = "[connectors.recorder]\npath = \"more/any name.wasm\"\n";
    let disabled = "[connectors.postgres_v2]\nenabled = false\n";
    for (text, expected) in [
        ("", "postgres_v2"),
        (path, "postgres_v2 recorder"),
        (disabled, ""),
        ("connector_dir = \"dir\"", "postgres_v2 recorder"),
        (
            "connector_dir = \"dir\"\nunlisted_connectors = false",
            "postgres_v2",
        ),
        (
            "connector_dir = \"dir\"\nunlisted_connectors = false\n[connectors.recorder]",
            "postgres_v2 recorder",
        ),
        (
            "connector_dir = \"dir\"\n[connectors.recorder]\nenabled = false",
            "postgres_v2",
        ),
        (&format!("{path}{disabled}"), "recorder"),
    ] {
        let (code, connectors, error) = commands(text);
        assert_eq!(
            (code, connectors.as_str()),
            (Some(0), expected),
            "{text}: {error}"
        );
    }
    let (code, _, error) = commands("[connectors.another]\npath = \"more/any name.wasm\"\n");
    assert!(
        code == Some(1) && error.contains("its table must be [connectors.recorder]"),
        "{error}"
    );
}

#[test]
fn another_component_than_the_pinned_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (_, shown, _) = airlock(&["inspect"]);
    let digest = shown
        .lines()
        .find_map(|line| line.strip_prefix("digest     "))
        .unwrap();
    let commands = |sha256: &str| {
        let config = written(
            directory.path(),
            &format!("[connectors.postgres_v2]\nsha256 = \"{sha256}\"\n"),
        );
        airlock(&["commands", "--config", &config])
    };
    assert_eq!(commands(digest).0, Some(0));
    assert_eq!(commands(&digest["sha256:".len()..]).0, Some(0));
    let other = "0".repeat(64);
    let (code, _, error) = commands(&other);
    assert_eq!(code, Some(1));
    assert!(
        error.contains(digest) && error.contains(&format!("sha256:{other}")),
        "{error}"
    );
}
