//! TableSizes: what is told adds up, and is what the server says.

use super::world::{SHOP, World, only};
use serde_json::{Value, json};

const ROWS: &str = "
    INSERT INTO sales.customer (name) SELECT 'c' || i FROM generate_series(1, 500) AS i;
    INSERT INTO sales.invoice (day, customer, total) SELECT '2025-06-01', i, i FROM generate_series(1, 500) AS i;
    INSERT INTO sales.invoice (day, customer, total) SELECT '2026-06-01', i, i FROM generate_series(1, 500) AS i;
    -- Random, so that it is not compressed, and stored out of line.
    CREATE TABLE sales.files AS SELECT i, (SELECT string_agg(md5(random()::text || j), '') FROM generate_series(1, 400) AS j) AS body
        FROM generate_series(1, 50) AS i;
    REFRESH MATERIALIZED VIEW sales.per_day;";

fn bytes(row: &Value, key: &str) -> i64 {
    row[key]
        .as_i64()
        .unwrap_or_else(|| panic!("{key} of {row}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_are_those_of_the_server() {
    let world = World::with(&format!("{SHOP}{ROWS}")).await;
    let call = json!({"schema": "sales", "include_partitions": true});
    let rows = world.rows("TableSizes", call).await;
    let of = |table: &str| rows.iter().find(|row| row["table"] == table).unwrap();
    for row in &rows {
        let parts = ["heap_bytes", "indexes_bytes", "toast_bytes"].map(|key| bytes(row, key));
        assert_eq!(
            bytes(row, "total_bytes"),
            parts.iter().sum::<i64>(),
            "{row}"
        );
    }
    for table in ["customer", "files", "per_day", "scratch", "invoice_2025"] {
        let whole = |function: &str| format!("SELECT {function}('sales.{table}')");
        let row = of(table);
        assert_eq!(
            bytes(row, "total_bytes"),
            world.oracle(&whole("pg_total_relation_size")).await
        );
        assert_eq!(
            bytes(row, "indexes_bytes"),
            world.oracle(&whole("pg_indexes_size")).await
        );
        assert_eq!(row["partitions"], 0);
    }
    let files = of("files");
    assert!(bytes(files, "toast_bytes") > 50 * 400 * 32, "{files}");
    let pretty = bytes(files, "total_bytes");
    let pretty: String = world
        .database
        .query_one("SELECT pg_size_pretty($1::int8)", &[&pretty])
        .await
        .unwrap()
        .get(0);
    assert_eq!(files["total"], pretty);

    // All below it, and nothing twice.
    let invoice = of("invoice");
    let leaves =
        bytes(of("invoice_2025"), "total_bytes") + bytes(of("invoice_2026_first"), "total_bytes");
    assert_eq!(
        only(invoice, &["kind", "partitions", "total_bytes"]),
        json!({"kind": "partitioned_table", "partitions": 3, "total_bytes": leaves})
    );
    assert_eq!(
        only(of("invoice_2026"), &["partitions"]),
        json!({"partitions": 1})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_come_first() {
    let world = World::with(&format!("{SHOP}{ROWS}")).await;
    for key in ["total", "heap", "indexes", "toast"] {
        let column = format!("{key}_bytes");
        let sizes = world
            .column("TableSizes", json!({"order": key}), &column)
            .await;
        let sizes: Vec<_> = sizes.iter().map(|size| size.as_i64().unwrap()).collect();
        assert!(
            sizes.is_sorted_by(|a, b| a >= b) && sizes[0] > sizes[sizes.len() - 1],
            "{key}: {sizes:?}"
        );
    }
    let names = world
        .column(
            "TableSizes",
            json!({"schema": "sales", "order": "name"}),
            "table",
        )
        .await;
    assert_eq!(
        names,
        ["customer", "files", "invoice", "line", "per_day", "scratch"]
    );
    let call = json!({"order": "toast", "limit": 1});
    assert_eq!(world.row("TableSizes", call).await["table"], "files");
    let call = json!({"pattern": "%file%"});
    assert_eq!(world.column("TableSizes", call, "table").await, ["files"]);
}
