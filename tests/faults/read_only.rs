//! Servers that only read.

use crate::world::{Host, ONE_CONNECTION, count, with_table};
use airlock::postgres::Cluster;
use airlock_tests::Database;
use serde_json::json;

/// Every form of a change is refused, queries are answered.
async fn only_reads(host: &Host, dsn: &str) {
    let create = json!({"database_connection_str": dsn, "table_name": "u",
                        "schema": {"column_definitions": [{"name": "a", "type": "int"}]}});
    for _ in 0..2 {
        for answer in [
            host.insert(dsn, [1]).await,
            host.insert(dsn, 1..3).await,
            host.insert(dsn, 1..41).await,
            host.execute(dsn, "INSERT INTO t VALUES (1)").await,
            host.sql(dsn, "DELETE FROM t RETURNING id").await,
            host.call("CreateTableV2", &create).await,
        ] {
            answer.refused("ReadOnlySqlTransaction");
            assert_eq!(answer.reply["error"]["sqlstate"], "25006");
        }
        let rows = host.sql(dsn, "SELECT id FROM t").await;
        assert_eq!(*rows.body(), json!([[7]]));
        let select = json!({"database_connection_str": dsn, "table_name": "t", "schema": {"columns": ["id"]}});
        let rows = host.call("SelectValuesV2", &select).await;
        assert_eq!(*rows.body(), json!([[7]]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_only_reads_says_so() {
    let database = with_table().await;
    let host = Host::start(ONE_CONNECTION);
    let name = count(&database, "SELECT substr(current_database(), 5)::bigint").await;
    let setup = format!(
        "INSERT INTO t VALUES (7); ALTER DATABASE test{name} SET default_transaction_read_only = on"
    );
    database.batch_execute(&setup).await.unwrap();
    only_reads(&host, &database.dsn).await;
    host.left_nothing(&database.dsn, &database).await;
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_says_so() {
    let mut cluster = Cluster::start().unwrap();
    let dsn = cluster.connection_string().expose().to_owned();
    let host = Host::start(ONE_CONNECTION);
    let setup = "CREATE TABLE t (id int); INSERT INTO t VALUES (7)";
    let client = Database::connect(&dsn).await;
    client.batch_execute(setup).await.unwrap();
    // A standby that follows nobody stays one.
    std::fs::write(cluster.data().join("standby.signal"), "").unwrap();
    cluster.restart().unwrap();
    let client = Database::connect(&dsn).await;
    only_reads(&host, &dsn).await;
    host.left_nothing(&dsn, &client).await;
}
