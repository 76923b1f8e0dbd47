//! The document of the embedded connector: valid, whole, and true of its examples.

use super::{API_KEY_HEADER, Shop, commands, complaint, document, validator};
use airlock_tests::Server;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn a_public_validator_finds_it_valid() {
    let shop = Shop::start().await;
    let mut document = document(&shop.server).await;
    assert_eq!(complaint(&document), "");
    document["paths"]["/liveness"]["get"]["responses"]["200"] = json!({"content": {}});
    assert!(complaint(&document).contains("Validation Error"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_and_command_is_in_it() {
    let shop = Shop::start().await;
    let document = document(&shop.server).await;
    let routes = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/routes.rs");
    let routes = fs::read_to_string(routes).unwrap();
    let routed = routes.split(".route(").skip(1).map(|rest| {
        let first = rest.split(',').next().unwrap().trim();
        match first {
            "openapi::PATH" => "/openapi.json",
            path => path.trim_matches('"'),
        }
    });
    let mut routed: BTreeSet<&str> = routed.collect();
    assert!(routed.remove("/v1/do/{connector}/{command}"), "{routed:?}");
    let url = format!("{}/v1/commands", shop.server.base);
    let request = shop.server.http.get(url);
    let request = request.header(API_KEY_HEADER, super::API_KEY);
    let listed: Value = request.send().await.unwrap().json().await.unwrap();
    let listed = listed.as_array().unwrap().iter();
    let listed: Vec<String> = listed
        .map(|command| format!("/v1/do/{}", command["id"].as_str().unwrap()))
        .collect();
    assert_eq!(listed.len(), 7);
    routed.extend(listed.iter().map(String::as_str));
    let paths = document["paths"].as_object().unwrap();
    let paths: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    assert_eq!(paths, routed);
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_fit_their_schemas_and_succeed() {
    let shop = Shop::start().await;
    let document = document(&shop.server).await;
    // The order in which a workflow would call them.
    for command in [
        "CreateTableV2",
        "InsertValuesV2",
        "SelectValuesV2",
        "UpdateValuesV2",
        "DeleteValuesV2",
        "DoSQL",
        "DropTableV2",
    ] {
        let operation = &commands(&document)[&format!("postgres_v2/{command}")];
        let content = &operation["requestBody"]["content"]["application/json"];
        let example = &content["examples"]["example"]["value"];
        let validator = validator(&document, operation);
        assert!(validator.is_valid(example), "{command}: {example}");
        let with = |key: &str, value: Value| {
            let mut changed = example.clone();
            changed[key] = value;
            changed
        };
        assert!(validator.is_valid(&with("spiff__task_data", json!({"a": [1]}))));
        for wrong in [
            with("tabel_name", json!("users")),
            with("database_connection_str", json!("elsewhere")),
            with("schema", json!("{}")),
            json!({}),
            json!([]),
        ] {
            assert!(!validator.is_valid(&wrong), "{command}: {wrong}");
        }
        let url = format!("{}/v1/do/postgres_v2/{command}", shop.server.base);
        let request = shop.server.http.post(url).json(example);
        let request = request.header(API_KEY_HEADER, super::API_KEY);
        let reply: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(reply["error"], Value::Null, "{command}: {reply}");
        // The columns that later examples expect of the table that the first one makes.
        if command == "CreateTableV2" {
            let more = "ALTER TABLE users ADD email text";
            shop.database.batch_execute(more).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_what_the_manifest_tells() {
    let shop = Shop::start().await;
    let document = document(&shop.server).await;
    let commands = commands(&document);
    let operation = &commands["postgres_v2/DoSQL"];
    assert_eq!(operation["summary"], "Runs SQL text as one transaction.");
    assert_eq!(operation["x-airlock-raw-sql"], true);
    assert_eq!(
        commands["postgres_v2/SelectValuesV2"]["x-airlock-access"],
        "read"
    );
    let errors = operation["x-airlock-errors"].as_array().unwrap();
    let summary = "There are fewer values than placeholders.";
    let error = json!({"error_code": "IndexError", "summary": summary});
    assert!(errors.contains(&error), "{errors:?}");
    let description = operation["description"].as_str().unwrap();
    assert!(description.contains(&format!("- `IndexError`: {summary}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_protected_as_the_listing_is_and_says_so() {
    let shop = Shop::start().await;
    let url = format!("{}/openapi.json", shop.server.base);
    let response = shop.server.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let document = document(&shop.server).await;
    let scheme = json!({"type": "apiKey", "in": "header", "name": "spiff-connector-proxy-api-key"});
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(*schemes, json!({"api_key": scheme}));
    let open = [
        "/",
        "/liveness",
        "/readiness",
        "/v1/liveness",
        "/v1/readiness",
    ];
    for (path, item) in document["paths"].as_object().unwrap() {
        let operation = item.get("post").unwrap_or(&item["get"]);
        let is_open = open.contains(&path.as_str()) || path.starts_with("/v1/auth/");
        assert_eq!(operation["security"] == json!([]), is_open, "{path}");
        assert_eq!(
            operation["responses"].get("401").is_none(),
            is_open,
            "{path}"
        );
    }
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let document = super::document(&server).await;
    assert_eq!(document["components"].get("securitySchemes"), None);
    let text = document.to_string();
    assert!(!text.contains("\"401\"") && !text.contains("api_key"));
    assert_eq!(complaint(&document), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_may_read_it_where_they_may_call() {
    let origins = [("CONNECTOR_PROXY_CORS_ORIGINS", "https://docs.example.com")];
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &origins);
    for (origin, allowed) in [
        ("https://docs.example.com", true),
        ("https://evil.example", false),
    ] {
        let request = server.http.get(format!("{}/openapi.json", server.base));
        let response = request.header("Origin", origin).send().await.unwrap();
        let header = response.headers().get("access-control-allow-origin");
        assert_eq!(header.is_some_and(|header| header == origin), allowed);
    }
}
