//! Access, kinds of statements and caps.

use crate::world::{World, insert};
use serde_json::{Value, json};

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
