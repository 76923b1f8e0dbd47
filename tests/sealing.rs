//! What a connector gets to see: never the connection string, never what engines add for themselves,
//! never a value that it only passes through.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_tests::{Database, RECORDER, Server};
use serde_json::{Value, json};

fn recorder() -> (Server, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("recorder.wasm"), RECORDER).unwrap();
    let arguments = ["--connectors", directory.path().to_str().unwrap()];
    (
        Server::start(env!("CARGO_BIN_EXE_airlock"), &arguments, &[]),
        directory,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_sees_no_secret_and_no_sealed_value() {
    let (server, _directory) = recorder();
    let call = json!({
        "database_connection_str": "host=127.0.0.1 user=canary password=canary",
        "spiff__process_instance_id": "canary",
        "spiff__task_data": {"canary": ["canary"]},
        "spiff__callback_url": "http://canary",
        "schema": {
            "values": ["canary", 5, 5_000_000_000_i64, 1.5, true, null, {"canary": 1}, ["canary"]],
            "secret": {"canary": "canary"},
            "open": {"seen": [1, "two"]},
        },
    });
    let (status, reply) = server.call("recorder/Echo", &call).await;
    assert_eq!(status, 200, "{reply}");
    let echoed = &reply["command_response"]["body"];
    let expected = json!({"schema": {
        "values": ["string", "int4", "int8", "numeric", "boolean", "null", "object", "array"],
        "secret": "object",
        "open": {"seen": [1, "two"]},
    }});
    assert_eq!(echoed, &expected);
    assert!(!reply.to_string().contains("canary"), "{reply}");
    assert!(!server.log().contains("canary"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_resumes_gets_bounded_outcomes() {
    let (server, _directory) = recorder();
    let database = Database::fresh().await;
    let call = json!({"database_connection_str": database.dsn});
    let (status, reply) = server.call("recorder/Resume", &call).await;
    assert_eq!(status, 200, "{reply}");
    let outcome = json!({"columns": ["one", "two"], "rows": [[1, "a"], [2, "b"]], "affected": 2});
    assert_eq!(
        reply["command_response"]["body"],
        json!({"state": "state", "outcomes": [outcome]})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listing_shows_every_connector() {
    let (server, _directory) = recorder();
    let listing = server
        .http
        .get(format!("{}/v1/commands", server.base))
        .send()
        .await
        .unwrap();
    let listing: Vec<Value> = listing.json().await.unwrap();
    let ids: Vec<_> = listing
        .iter()
        .map(|element| element["id"].as_str().unwrap())
        .collect();
    assert!(
        ids.contains(&"recorder/Echo") && ids.contains(&"postgres_v2/DoSQL"),
        "{ids:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_cannot_soil_the_session_of_others() {
    let (server, _directory) = recorder();
    let database = Database::fresh().await;
    let call = json!({"database_connection_str": database.dsn});
    let (status, reply) = server.call("recorder/Soil", &call).await;
    assert_eq!((status, &reply["error"]), (200, &Value::Null), "{reply}");
    for _ in 0..20 {
        let schema = json!({"columns": ["current_schema"]});
        let call = json!({"database_connection_str": database.dsn, "table_name": "generate_series(1, 1)", "schema": schema});
        let (_, reply) = server.call("postgres_v2/SelectValuesV2", &call).await;
        assert_eq!(
            reply["command_response"]["body"],
            json!([["public"]]),
            "{reply}"
        );
    }
}
