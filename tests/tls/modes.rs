//! The modes of libpq, by a server whose certificate nobody vouches for.

use crate::world;
use airlock::postgres::Cluster;
use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use std::fs;

/// A cluster that speaks TLS with a certificate of its own for `localhost`.
async fn cluster() -> Cluster {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let cluster = Cluster::start().unwrap();
    world::certify(
        &cluster,
        &certified.cert.pem(),
        &certified.signing_key.serialize_pem(),
    )
    .await;
    cluster
}

async fn dosql(server: &Server, dsn: &str, sql: &str) -> Value {
    let call =
        json!({"database_connection_str": dsn, "schema": {"sql": sql, "fetch_results": true}});
    server.call("postgres_v2/DoSQL", &call).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_do_what_they_say() {
    let cluster = cluster().await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    fs::write(&config, "[limits]\ndeadline_ms = 2000\n").unwrap();
    let server = Server::start(
        env!("CARGO_BIN_EXE_airlock"),
        &["--config", config.to_str().unwrap()],
        &[],
    );
    let dsn = |more: &str| format!("{} {more}", cluster.connection_string().expose());
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    // The server reads its new settings in its own time; a new string makes a new connection.
    let mut attempt = 0;
    while dosql(
        &server,
        &dsn(&format!("sslmode=require application_name=a{attempt}")),
        "SELECT 1",
    )
    .await["error"]
        != Value::Null
    {
        attempt += 1;
        assert!(attempt < 1000, "the server never spoke TLS");
    }
    for (more, expected) in [
        ("sslmode=disable", json!([[false]])),
        ("sslmode=prefer", json!([[true]])),
        ("", json!([[true]])),
        ("sslmode=require", json!([[true]])),
        ("sslmode=require channel_binding=require", json!([[true]])),
    ] {
        let reply = dosql(&server, &dsn(more), encrypted).await;
        assert_eq!(
            reply["command_response"]["body"], expected,
            "{more}: {reply}"
        );
    }
    for more in [
        "sslmode=verify-ca",
        "sslmode=verify-full",
        "host=localhost hostaddr=127.0.0.1 sslmode=verify-full",
    ] {
        let reply = dosql(&server, &dsn(more), encrypted).await;
        assert_eq!(
            reply["error"]["error_code"], "OperationalError",
            "{more}: {reply}"
        );
        assert!(
            reply["error"]["message"]
                .as_str()
                .unwrap()
                .contains("certificate"),
            "{more}: {reply}"
        );
    }
    let reply = dosql(
        &server,
        &dsn("sslmode=disable channel_binding=require"),
        encrypted,
    )
    .await;
    assert_eq!(reply["error"]["error_code"], "OperationalError", "{reply}");
    // A request to cancel goes over TLS too.
    let reply = dosql(&server, &dsn("sslmode=require"), "SELECT pg_sleep(60)").await;
    assert_eq!(reply["error"]["error_code"], "QueryCanceled", "{reply}");
    let postgres = Database::connect(cluster.connection_string().expose()).await;
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    while postgres
        .query_one(sleeping, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        > 0
    {
        tokio::task::yield_now().await;
    }
}
