//! Whether calls should come: what a load balancer is told.

use crate::{AIRLOCK, path, terminate};
use airlock_tests::world::{World, answering};
use airlock_tests::{Database, Server};
use serde_json::{Value, json};

/// Asks for a path; gives the status and what is answered.
async fn ask(server: &Server, path: &str) -> (u16, Value) {
    let response = server.http.get(format!("{}{path}", server.base));
    let response = response.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

async fn until(server: &Server, status: u16) -> Value {
    loop {
        let (now, answer) = ask(server, "/readiness").await;
        if now == status {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_listens_is_ready_without_a_key() {
    let variables = [("CONNECTOR_PROXY_API_KEY", "canary-of-a-key")];
    let server = Server::start(AIRLOCK, &[], &variables);
    for path in ["/readiness", "/v1/readiness"] {
        assert_eq!(ask(&server, path).await, (200, json!({"ready": true})));
    }
    assert_eq!(ask(&server, "/v1/commands").await.0, 401);
    let url = format!("{}/readiness", server.base);
    let response = server.http.post(url).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_with_a_table_that_is_refused_keeps_calls_away_until_it_is_mended() {
    let good = answering("a", "good").component();
    let files = [("a.wasm", &b"no component"[..])];
    let world = World::start(AIRLOCK, "[connectors.a]\n", &files, &[]).await;
    let (status, answer) = ask(&world.server, "/readiness").await;
    assert_eq!((status, &answer["ready"]), (503, &json!(false)));
    assert!(
        answer["reason"].as_str().unwrap().contains("not live"),
        "{answer}"
    );
    // It is alive, and the others are served.
    assert_eq!(
        ask(&world.server, "/liveness").await,
        (200, json!({"ok": true}))
    );
    let call =
        json!({"database_connection_str": world.database.dsn, "schema": {"sql": "SELECT 1"}});
    assert_eq!(world.server.call("postgres_v2/DoSQL", &call).await.0, 200);
    world.put("a.wasm", &good);
    until(&world.server, 200).await;
    // From now on a bad version displaces nothing, so calls may still come.
    world.put("a.wasm", b"no component");
    world
        .until("a", |status| !status["rejected"].is_null())
        .await;
    assert_eq!(ask(&world.server, "/readiness").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_nobody_named_keeps_no_calls_away() {
    let files = [("a.wasm", &b"no component"[..])];
    let world = World::start(AIRLOCK, "", &files, &[]).await;
    world
        .until("a", |status| !status["rejected"].is_null())
        .await;
    assert_eq!(ask(&world.server, "/readiness").await.0, 200);
}

/// A server with `unready_ms`, and a call that it answers.
async fn leaving(unready_ms: u64) -> (Server, Database, Value, tempfile::TempDir) {
    let database = Database::fresh().await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(&config, format!("[limits]\nunready_ms = {unready_ms}\n")).unwrap();
    let server = Server::start(AIRLOCK, &["--config", path(&config)], &[]);
    let call = json!({"database_connection_str": database.dsn, "schema": {"sql": "SELECT 1"}});
    (server, database, call, directory)
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_still_answered_for_unready_ms_after_the_order_to_stop() {
    let (server, _database, call, _directory) = leaving(3_600_000).await;
    terminate(&server);
    let answer = until(&server, 503).await;
    assert_eq!(
        answer,
        json!({"ready": false, "reason": "the server is stopping"})
    );
    assert_eq!(ask(&server, "/liveness").await.0, 200);
    // Over a connection that is new.
    let another = reqwest::Client::new();
    let url = format!("{}/v1/do/postgres_v2/DoSQL", server.base);
    let response = another.post(url).json(&call).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    drop(another);
    // The second order does not wait.
    terminate(&server);
    assert!(matches!(server.exit_code(), Some(0 | 3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_well_when_unready_ms_is_over() {
    let (server, _database, _, _directory) = leaving(200).await;
    terminate(&server);
    assert_eq!(server.exit_code(), Some(0));
}
