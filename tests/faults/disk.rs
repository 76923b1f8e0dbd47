//! A disk that is full: `/dev/full` in the place of a table's file.

use crate::world::{Host, ONE_CONNECTION, count, with_table};
use airlock_tests::Database;
use std::os::unix::fs::symlink;

/// Has every attempt to extend the empty table `t` fail, as there is no space.
async fn fill_up(database: &Database) {
    let row = database
        .query_one("SELECT pg_relation_filepath('t')", &[])
        .await
        .unwrap();
    let file = database.cluster().data().join(row.get::<_, &str>(0));
    std::fs::remove_file(&file).unwrap();
    symlink("/dev/full", &file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stores_nothing() {
    let database = with_table().await;
    let host = Host::start(ONE_CONNECTION);
    fill_up(&database).await;
    for answer in [
        host.insert(&database.dsn, [1]).await,
        host.insert(&database.dsn, 1..3).await,
        host.insert(&database.dsn, 1..41).await,
        host.execute(&database.dsn, "INSERT INTO t VALUES (1)")
            .await,
    ] {
        answer.refused("DiskFull");
        assert_eq!(answer.reply["error"]["sqlstate"], "53100");
        host.left_nothing(&database.dsn, &database).await;
    }
    // The table gets another file.
    database.batch_execute("TRUNCATE t").await.unwrap();
    host.insert(&database.dsn, [1]).await.body();
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, 1);
}
