//! DescribeTable and DescribeDatabase.

use super::world::{SHOP, World, keys, only};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_table_is_described() {
    let world = World::with(SHOP).await;
    let of = async |table: &str| {
        let call = json!({"schema": "sales", "table": table});
        world.row("DescribeTable", call).await
    };
    let count = |row: &Value, key: &str| row[key].as_array().unwrap().len();
    let told = |row: &Value| {
        let lists = ["columns", "indexes", "constraints", "partitions"];
        let counts: Vec<_> = lists.iter().map(|key| count(row, key)).collect();
        (row["kind"].as_str().unwrap().to_owned(), counts)
    };

    let customer = of("customer").await;
    assert_eq!(told(&customer), ("table".into(), vec![5, 4, 2, 0]));
    let columns = json!({"schema": "sales", "table": "customer"});
    assert_eq!(
        customer["columns"],
        Value::from(world.rows("ListColumns", columns.clone()).await)
    );
    assert_eq!(
        customer["indexes"],
        Value::from(world.rows("ListIndexes", columns.clone()).await)
    );
    assert_eq!(
        customer["constraints"],
        Value::from(world.rows("ListConstraints", columns).await)
    );

    let invoice = of("invoice").await;
    assert_eq!(
        told(&invoice),
        ("partitioned_table".into(), vec![4, 2, 3, 2])
    );
    assert_eq!(invoice["partition_key"], "RANGE (day)");
    assert_eq!(
        invoice["partitions"][1],
        json!({"schema": "sales", "table": "invoice_2026", "partitioned": true,
            "partition_bound": "FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"})
    );
    let partition = of("invoice_2026_first").await;
    assert_eq!(
        only(
            &partition,
            &["kind", "partition_of", "partition_bound", "partition_key"]
        ),
        json!({"kind": "table", "partition_of": "sales.invoice_2026", "partition_key": null,
            "partition_bound": "FOR VALUES FROM ('2026-01-01') TO ('2026-07-01')"})
    );

    let view = of("big").await;
    assert_eq!(told(&view), ("view".into(), vec![2, 0, 0, 0]));
    assert!(
        view["definition"]
            .as_str()
            .unwrap()
            .contains("(invoice.total > (100)::numeric)")
    );
    let stored = of("per_day").await;
    assert_eq!(
        told(&stored),
        ("materialized_view".into(), vec![2, 1, 0, 0])
    );
    assert!(stored["definition"].as_str().unwrap().contains("GROUP BY"));
    let remote = of("remote").await;
    assert_eq!(
        (told(&remote), &remote["server"]),
        (
            ("foreign_table".into(), vec![1, 0, 0, 0]),
            &json!("elsewhere")
        )
    );

    let expected = keys(&customer);
    assert_eq!(
        expected.join(" "),
        "schema table kind owner persistence estimated_rows partition_of selectable comment definition \
         partition_key partition_bound server columns indexes constraints partitions"
    );
    for row in [&invoice, &partition, &view, &stored, &remote] {
        assert_eq!(keys(row), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_finds_one_table_or_says_why_not() {
    let world = World::with(SHOP).await;
    let row = world.row("DescribeTable", json!({"table": "line"})).await;
    assert_eq!(row["schema"], "sales");
    let hostile = json!({"table": "x'); DROP TABLE victim; --"});
    let row = world.row("DescribeTable", hostile).await;
    assert_eq!(
        only(&row, &["schema", "kind"]),
        json!({"schema": "a\"b; drop table", "kind": "table"})
    );
    let system = json!({"schema": "pg_catalog", "table": "pg_class"});
    assert_eq!(world.row("DescribeTable", system).await["kind"], "table");

    for (call, code, message) in [
        (
            json!({"table": "customer"}),
            "TableAmbiguous",
            "give schema as well, one of public, sales",
        ),
        (
            json!({"table": "Customer"}),
            "TableNotFound",
            "no table or view has this name; names are compared as the catalog stores them",
        ),
        (
            json!({"table": "sales.customer"}),
            "TableNotFound",
            "no table or view has this name; names are compared as the catalog stores them",
        ),
        (
            json!({"table": "customer_pkey"}),
            "TableNotFound",
            "no table or view has this name; names are compared as the catalog stores them",
        ),
        (
            json!({"table": "pg_class"}),
            "TableNotFound",
            "no table or view has this name; names are compared as the catalog stores them",
        ),
    ] {
        let error = world.error("DescribeTable", call.clone()).await;
        // The protocol puts this in front of whatever is wrong behind the parameters.
        let message = format!("Error executing sql statement: {message}");
        let expected = (200, code.to_owned(), json!("/table"), message);
        assert_eq!(error, expected, "{call}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_described() {
    let world = World::with(SHOP).await;
    let row = world.row("DescribeDatabase", json!({})).await;
    let name: String = world
        .database
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(
        only(
            &row,
            &[
                "database", "user", "encoding", "standby", "schemas", "tables"
            ]
        ),
        json!({"database": name, "user": "postgres", "encoding": "UTF8", "standby": false, "schemas": 3, "tables": 13})
    );
    assert_eq!(row["extensions"][0]["name"], "plpgsql");
    assert!(row["connections"].as_i64().unwrap() >= 2, "{row}");
    assert!(row["bytes"].as_i64().unwrap() > 1_000_000, "{row}");
    let most = world
        .oracle("SELECT current_setting('max_connections')::int8")
        .await;
    assert_eq!(row["max_connections"], most);
}
