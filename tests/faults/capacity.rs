//! Servers that take no more connections.

use crate::world::{Host, ONE_CONNECTION, count, until};
use airlock::postgres::Cluster;
use airlock_tests::Database;
use tokio_postgres::{Client, NoTls};

/// Connects until the server refuses.
async fn take_all(dsn: &str) -> Vec<Client> {
    let mut clients = Vec::new();
    loop {
        match tokio_postgres::connect(dsn, NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                clients.push(client);
            }
            Err(refused) => {
                assert_eq!(refused.code().unwrap().code(), "53300");
                return clients;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_connections_stores_nothing() {
    let cluster = Cluster::start_with(&["max_connections=6"]).unwrap();
    let dsn = cluster.connection_string().expose().to_owned();
    let host = Host::start(ONE_CONNECTION);
    let database = Database::connect(&dsn).await;
    database
        .batch_execute("CREATE TABLE t (id int)")
        .await
        .unwrap();
    let taken = take_all(&dsn).await;
    for _ in 0..3 {
        let answer = host.insert(&dsn, [1]).await;
        answer.refused("OperationalError");
        let message = answer.reply["error"]["message"].as_str().unwrap();
        assert!(message.contains("too many clients already"), "{message}");
    }
    drop(taken);
    let others = "SELECT count(*) FROM pg_stat_activity
                  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    until(&database, others, 0).await;
    host.answers(&dsn).await;
    host.insert(&dsn, [1]).await.body();
    host.left_nothing(&dsn, &database).await;
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, 1);
}
