//! Lists of schemas, tables, columns, indexes and constraints.

use super::world::{SHOP, World, keys, only};
use serde_json::{Value, json};

const HOSTILE_SCHEMA: &str = "a\"b; drop table";
const HOSTILE_TABLE: &str = "x'); DROP TABLE victim; --";

#[tokio::test(flavor = "multi_thread")]
async fn schemas_are_listed() {
    let world = World::with(SHOP).await;
    let rows = world.rows("ListSchemas", json!({})).await;
    assert_eq!(
        rows,
        [
            json!({"schema": HOSTILE_SCHEMA, "owner": "postgres", "system": false, "usable": true, "tables": 1, "comment": null}),
            json!({"schema": "public", "owner": "pg_database_owner", "system": false, "usable": true, "tables": 2, "comment": "standard public schema"}),
            json!({"schema": "sales", "owner": "postgres", "system": false, "usable": true, "tables": 10, "comment": "What is sold"}),
        ]
    );
    let names = async |call| world.column("ListSchemas", call, "schema").await;
    assert_eq!(names(json!({"pattern": "s%"})).await, ["sales"]);
    assert_eq!(names(json!({"pattern": "%\"b; %"})).await, [HOSTILE_SCHEMA]);
    assert_eq!(names(json!({"limit": 2})).await, [HOSTILE_SCHEMA, "public"]);
    assert_eq!(
        names(json!({"pattern": null, "limit": null})).await.len(),
        3
    );
    let all = names(json!({"include_system": true})).await;
    for system in ["information_schema", "pg_catalog", "pg_toast"] {
        assert!(all.contains(&system.into()), "{all:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_listed() {
    let world = World::with(SHOP).await;
    world
        .database
        .batch_execute(
            "INSERT INTO sales.customer (name) VALUES ('Ann'), ('Bob'); ANALYZE sales.customer",
        )
        .await
        .unwrap();
    let rows = world.rows("ListTables", json!({"schema": "sales"})).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
            [
                text("table"),
                text("kind"),
                text("persistence"),
                text("partition_of"),
            ]
            .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "big view permanent -",
            "customer table permanent -",
            "invoice partitioned_table permanent -",
            "invoice_2025 table permanent sales.invoice",
            "invoice_2026 partitioned_table permanent sales.invoice",
            "invoice_2026_first table permanent sales.invoice_2026",
            "line table permanent -",
            "per_day materialized_view permanent -",
            "remote foreign_table permanent -",
            "scratch table unlogged -",
        ]
    );
    assert_eq!(
        rows[1],
        json!({"schema": "sales", "table": "customer", "kind": "table", "owner": "postgres",
            "persistence": "permanent", "estimated_rows": 2, "partition_of": null, "selectable": true,
            "comment": "Who buys"})
    );
    // Nobody has counted these.
    assert_eq!(
        (&rows[0]["estimated_rows"], &rows[6]["estimated_rows"]),
        (&Value::Null, &Value::Null)
    );
    let names = async |call| world.column("ListTables", call, "table").await;
    assert_eq!(
        names(json!({})).await.len(),
        13,
        "two more in public, one in the third schema"
    );
    assert_eq!(
        names(json!({"kinds": ["view", "foreign_table"]})).await,
        ["big", "remote"]
    );
    assert_eq!(
        names(json!({"schema": "sales", "pattern": "invoice%", "include_partitions": false})).await,
        ["invoice"]
    );
    assert_eq!(
        names(json!({"schema": HOSTILE_SCHEMA})).await,
        [HOSTILE_TABLE]
    );
    assert_eq!(
        names(json!({"pattern": "customer", "limit": 1})).await,
        ["customer"]
    );
    assert_eq!(
        names(json!({"schema": "pg_catalog", "pattern": "pg_class"})).await,
        ["pg_class"]
    );
    assert_eq!(
        names(json!({"pattern": "pg_class"})).await,
        [Value::Null; 0]
    );
    let system = names(json!({"pattern": "pg_class", "include_system": true})).await;
    assert_eq!(system, ["pg_class"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_listed() {
    let world = World::with(SHOP).await;
    let of = async |table: &str| {
        let call = json!({"schema": "sales", "table": table});
        world.rows("ListColumns", call).await
    };
    let rows = of("customer").await;
    assert_eq!(
        rows[1],
        json!({"schema": "sales", "table": "customer", "column": "name", "position": 2, "type": "text",
            "nullable": false, "default": null, "identity": null, "generated_as": null, "collation": null,
            "primary_key": false, "references": [], "comment": "As on the invoice"})
    );
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            only(
                row,
                &["column", "position", "identity", "primary_key", "nullable"],
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            json!({"column": "id", "position": 1, "identity": "always", "primary_key": true, "nullable": false}),
            json!({"column": "name", "position": 2, "identity": null, "primary_key": false, "nullable": false}),
            json!({"column": "email", "position": 3, "identity": null, "primary_key": false, "nullable": true}),
            json!({"column": "lower_name", "position": 4, "identity": null, "primary_key": false, "nullable": true}),
            json!({"column": "note", "position": 6, "identity": null, "primary_key": false, "nullable": true}),
        ]
    );
    assert_eq!(
        only(&rows[2], &["type", "default", "collation"]),
        json!({"type": "character varying(80)", "default": "'none'::character varying", "collation": "C"})
    );
    assert_eq!(
        only(&rows[3], &["default", "generated_as"]),
        json!({"default": null, "generated_as": "lower(name)"})
    );
    let invoice = of("invoice").await;
    assert_eq!(invoice[0]["identity"], "by default");
    assert_eq!(
        invoice[2]["references"],
        json!([{"constraint": "invoice_customer_fkey", "schema": "sales", "table": "customer", "column": "id"}])
    );
    let line = of("line").await;
    assert_eq!(line[0]["references"].as_array().unwrap().len(), 1);
    let referenced: Vec<_> = line
        .iter()
        .map(|row| &row["references"][0]["column"])
        .collect();
    assert_eq!(
        referenced,
        [&json!("id"), &json!("day"), &Value::Null, &Value::Null]
    );
    let names = async |call| world.column("ListColumns", call, "column").await;
    assert_eq!(
        names(json!({"table": HOSTILE_TABLE})).await,
        ["c\"d", "100%_\\"]
    );
    assert_eq!(names(json!({"pattern": r"100\%\_\\"})).await, ["100%_\\"]);
    assert_eq!(
        names(json!({"table": "customer", "pattern": "%o%"})).await,
        ["other", "lower_name", "note"]
    );
    assert_eq!(names(json!({"limit": 3})).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_are_listed() {
    let world = World::with(SHOP).await;
    let call = json!({"schema": "sales", "table": "customer"});
    let rows = world.rows("ListIndexes", call).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            only(
                row,
                &[
                    "index",
                    "method",
                    "columns",
                    "predicate",
                    "unique",
                    "primary_key",
                    "comment",
                ],
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            json!({"index": "customer_lower", "method": "btree", "columns": ["lower(name)", "id"],
                "predicate": "(email IS NOT NULL)", "unique": false, "primary_key": false, "comment": null}),
            json!({"index": "customer_name_key", "method": "btree", "columns": ["name"], "predicate": null,
                "unique": true, "primary_key": false, "comment": null}),
            json!({"index": "customer_note", "method": "gin", "columns": ["note"], "predicate": null,
                "unique": false, "primary_key": false, "comment": "For searches"}),
            json!({"index": "customer_pkey", "method": "btree", "columns": ["id"], "predicate": null,
                "unique": true, "primary_key": true, "comment": null}),
        ]
    );
    assert_eq!(
        rows[3],
        json!({"schema": "sales", "table": "customer", "index": "customer_pkey", "method": "btree",
            "columns": ["id"], "included": [], "predicate": null, "unique": true, "primary_key": true,
            "valid": true, "scans": 0, "bytes": 8192,
            "definition": "CREATE UNIQUE INDEX customer_pkey ON sales.customer USING btree (id)", "comment": null})
    );
    let call = json!({"schema": "sales", "pattern": "invoice_customer"});
    let partitioned = world.row("ListIndexes", call).await;
    assert_eq!(
        only(&partitioned, &["columns", "included", "bytes"]),
        json!({"columns": ["customer"], "included": ["total"], "bytes": 0})
    );
    let all = world.column("ListIndexes", json!({}), "index").await;
    assert!(all.contains(&json!("per_day_day")), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn constraints_are_listed() {
    let world = World::with(SHOP).await;
    let of = async |table: &str| {
        let call = json!({"schema": "sales", "table": table});
        world.rows("ListConstraints", call).await
    };
    let rows = of("invoice").await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            only(
                row,
                &["constraint", "kind", "columns", "deferred", "comment"],
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            json!({"constraint": "invoice_customer_fkey", "kind": "foreign_key", "columns": ["customer"],
                "deferred": true, "comment": null}),
            json!({"constraint": "invoice_pkey", "kind": "primary_key", "columns": ["id", "day"],
                "deferred": false, "comment": null}),
            json!({"constraint": "total_is_positive", "kind": "check", "columns": ["total"],
                "deferred": false, "comment": "Nothing is given away"}),
        ]
    );
    let line = of("line").await;
    assert_eq!(
        line[0],
        json!({"schema": "sales", "table": "line", "constraint": "line_invoice_day_fkey", "kind": "foreign_key",
            "columns": ["invoice", "day"],
            "references": {"schema": "sales", "table": "invoice", "columns": ["id", "day"]},
            "deferrable": false, "deferred": false, "validated": true,
            "definition": "FOREIGN KEY (invoice, day) REFERENCES sales.invoice(id, day)", "comment": null})
    );
    let kinds = line.iter().map(|row| row["kind"].as_str().unwrap());
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["foreign_key", "unique", "exclusion"]
    );
    let call = json!({"schema": "sales", "table": "line", "kinds": ["unique", "exclusion"]});
    assert_eq!(world.rows("ListConstraints", call).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_schemas_are_many_rows() {
    let setup = "DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE format('CREATE SCHEMA %I', 's ' || i); \
                 EXECUTE format('CREATE TABLE %I.t (a int)', 's ' || i); END LOOP; END $$";
    let world = World::with(setup).await;
    let names = world
        .column("ListSchemas", json!({"pattern": "s %"}), "schema")
        .await;
    assert_eq!(names.len(), 400);
    let mut sorted: Vec<_> = names.iter().map(|name| name.as_str().unwrap()).collect();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    assert_eq!(world.rows("ListTables", json!({})).await.len(), 400);
    assert_eq!(
        world.rows("TableSizes", json!({"limit": 399})).await.len(),
        399
    );
    let row = world.row("ListColumns", json!({"schema": "s 77"})).await;
    assert_eq!(
        only(&row, &["table", "column"]),
        json!({"table": "t", "column": "a"})
    );
}

/// Workflows rely on the keys, so they are written down here once more.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_stable() {
    let world = World::with(SHOP).await;
    for (command, expected) in [
        ("ListSchemas", "schema owner system usable tables comment"),
        (
            "ListTables",
            "schema table kind owner persistence estimated_rows partition_of selectable comment",
        ),
        (
            "ListColumns",
            "schema table column position type nullable default identity generated_as collation primary_key references comment",
        ),
        (
            "ListIndexes",
            "schema table index method columns included predicate unique primary_key valid scans bytes definition comment",
        ),
        (
            "ListConstraints",
            "schema table constraint kind columns references deferrable deferred validated definition comment",
        ),
        (
            "TableSizes",
            "schema table kind estimated_rows partitions total_bytes heap_bytes indexes_bytes toast_bytes total heap indexes toast",
        ),
        (
            "DescribeDatabase",
            "database user server_version server_version_number encoding collation started_at uptime_seconds standby bytes size connections max_connections schemas tables extensions",
        ),
    ] {
        let rows = world.rows(command, json!({})).await;
        assert_eq!(keys(&rows[0]).join(" "), expected, "{command}");
    }
}
