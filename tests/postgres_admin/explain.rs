//! ExplainStatement: plans of the server, and statements that do not run.

use super::world::{SHOP, World};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn plans_come_as_json_and_text() {
    let world = World::with(SHOP).await;
    let statement = "SELECT name FROM sales.customer WHERE id = 5";
    let row = world
        .row("ExplainStatement", json!({"statement": statement}))
        .await;
    assert_eq!(row["format"], "json");
    let plan = &row["plan"][0]["Plan"];
    assert_eq!(
        (
            &plan["Node Type"],
            &plan["Index Name"],
            plan["Total Cost"].is_number()
        ),
        (&json!("Index Scan"), &json!("customer_pkey"), true)
    );
    let call = json!({"statement": statement, "costs": false, "verbose": true});
    let row = world.row("ExplainStatement", call).await;
    let plan = &row["plan"][0]["Plan"];
    assert_eq!(
        (&plan["Schema"], &plan["Output"], &plan["Total Cost"]),
        (&json!("sales"), &json!(["name"]), &Value::Null)
    );
    let call = json!({"statement": statement, "format": "text", "costs": false});
    assert_eq!(
        world.row("ExplainStatement", call).await,
        json!({"format": "text", "plan": "Index Scan using customer_pkey on customer\n  Index Cond: (id = 5)"})
    );
    let settings = world
        .row(
            "ExplainStatement",
            json!({"statement": statement, "settings": true}),
        )
        .await;
    assert!(
        settings["plan"][0]
            .get("Settings")
            .is_some_and(Value::is_object),
        "{settings}"
    );
}

/// Values have the types that they have elsewhere, and stay out of the text.
#[tokio::test(flavor = "multi_thread")]
async fn values_are_bound() {
    let world = World::with(SHOP).await;
    let text = async |statement: &str, values: Value| {
        let call =
            json!({"statement": statement, "values": values, "format": "text", "costs": false});
        world.row("ExplainStatement", call).await["plan"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let found = text(
        "SELECT 1 FROM sales.customer WHERE id = $2 AND name = $1",
        json!(["x'); DROP TABLE victim; --", 7]),
    )
    .await;
    assert!(
        found.contains("(id = 7)") && found.contains("'x''); DROP TABLE victim; --'::text"),
        "{found}"
    );
    let none = text("SELECT 1 FROM sales.customer WHERE id = $1", json!([null])).await;
    assert!(none.contains("One-Time Filter: false"), "{none}");
    let listed = text(
        "SELECT 1 FROM sales.customer WHERE id = ANY ($1)",
        json!([[1, 2]]),
    )
    .await;
    assert!(listed.contains("{1,2}"), "{listed}");
    let pruned = text(
        "SELECT 1 FROM sales.invoice WHERE day = $1",
        json!(["2025-05-05"]),
    )
    .await;
    assert!(
        pruned.contains("invoice_2025") && !pruned.contains("invoice_2026"),
        "{pruned}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs() {
    let setup = "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2); CREATE SEQUENCE s;
        CREATE FUNCTION bump() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO t VALUES (9) RETURNING n'";
    let world = World::with(setup).await;
    for statement in [
        "DELETE FROM t",
        "INSERT INTO t VALUES (3)",
        "UPDATE t SET n = 0 RETURNING *",
        "WITH gone AS (DELETE FROM t RETURNING n) SELECT * FROM gone",
        "SELECT * INTO stolen FROM t",
        "SELECT nextval('s'), bump(), pg_sleep(3600)",
        "MERGE INTO t USING (VALUES (1)) AS v (n) ON t.n = v.n WHEN MATCHED THEN DELETE",
        "SELECT * FROM t FOR UPDATE",
        "(((TABLE t)))",
        "VALUES (1), (2)",
    ] {
        let row = world
            .row("ExplainStatement", json!({"statement": statement}))
            .await;
        assert!(row["plan"][0]["Plan"].is_object(), "{statement}: {row}");
    }
    assert_eq!(
        world
            .oracle("SELECT count(*) FROM t WHERE n IN (1, 2)")
            .await,
        2
    );
    assert_eq!(world.oracle("SELECT count(*) FROM t").await, 2);
    assert_eq!(world.oracle("SELECT nextval('s')").await, 1);
    assert_eq!(
        world
            .oracle("SELECT count(*) FROM pg_class WHERE relname = 'stolen'")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_one_statement_is_refused() {
    let setup = "CREATE TABLE t (n int); INSERT INTO t VALUES (1)";
    let world = World::with(setup).await;
    for statement in [
        "",
        "SELECT 1; DROP TABLE t",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM t",
        "(ANALYZE) DELETE FROM t; SELECT 1",
        "(ANALYZE) DELETE FROM t",
        "ANALYZE DELETE FROM t",
        "COMMIT",
        "COMMIT; DELETE FROM t",
        "DROP TABLE t",
        "CREATE TABLE u AS SELECT 1",
        "DO $$ BEGIN DELETE FROM t; END $$",
        "SELECT '",
        "SELECT /*",
    ] {
        let (status, code, pointer, _) = world
            .error("ExplainStatement", json!({"statement": statement}))
            .await;
        assert_eq!(
            (status, code.as_str(), pointer),
            (200, "StatementRefused", json!("/statement")),
            "{statement}"
        );
    }
    let call = json!({"statement": "DELETE FROM t", "analyze": true});
    let (status, code, pointer, _) = world.error("ExplainStatement", call).await;
    assert_eq!(
        (status, code.as_str(), pointer),
        (200, "AnalyzeRefused", json!("/analyze"))
    );
    let call = json!({"statement": "SELECT $1 + $2", "values": [1]});
    let (status, code, ..) = world.error("ExplainStatement", call).await;
    assert_eq!((status, code.as_str()), (200, "ValuesMismatch"));
    // What is one statement goes to the server, and its answer comes back.
    for (statement, code) in [
        ("SELECT * FROM missing", "UndefinedTable"),
        ("SELECT 1) SELECT 2", "SyntaxError"),
    ] {
        let (status, found, ..) = world
            .error("ExplainStatement", json!({"statement": statement}))
            .await;
        assert_eq!((status, found.as_str()), (200, code), "{statement}");
    }
    assert_eq!(world.oracle("SELECT count(*) FROM t").await, 1);
}

/// The host holds the caller's text to the policy, whatever the connector says of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_holds_for_what_is_explained() {
    let setup = "CREATE TABLE t (n int)";
    let world = World::under(
        "access = \"read\"\nraw_sql = [\"explain\", \"select\"]",
        setup,
    )
    .await;
    world
        .row("ExplainStatement", json!({"statement": "SELECT * FROM t"}))
        .await;
    for statement in [
        "DELETE FROM t",
        "WITH d AS (DELETE FROM t RETURNING n) TABLE d",
        "SELECT * INTO u FROM t",
    ] {
        let (status, code, ..) = world
            .error("ExplainStatement", json!({"statement": statement}))
            .await;
        assert_eq!(
            (status, code.as_str()),
            (403, "PolicyDenied"),
            "{statement}"
        );
    }
    for command in [
        "ListSchemas",
        "ListTables",
        "ListColumns",
        "ListIndexes",
        "ListConstraints",
        "TableSizes",
        "DescribeDatabase",
        "LongRunningQueries",
        "Locks",
    ] {
        world.rows(command, json!({})).await;
    }
    world.row("DescribeTable", json!({"table": "t"})).await;
}
