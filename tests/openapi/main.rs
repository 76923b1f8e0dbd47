//! The OpenAPI document: valid by a public validator, in step with what is live, and what a public tester
//! finds the server to do.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod document;
mod exercise;
mod live;
mod untrusted;

use airlock_tests::{Database, Python, Server};
use reqwest::StatusCode;
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The key that servers here ask for.
const API_KEY: &str = "canary-openapi-key";

/// The header that carries it.
const API_KEY_HEADER: &str = "Spiff-Connector-Proxy-Api-Key";

/// What validates and tests.
fn python() -> Python {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/openapi");
    Python::with(env!("CARGO_TARGET_TMPDIR"), &here.join("requirements.txt"))
}

/// A server whose calls name their database `shop`, and ask for a key.
struct Shop {
    server: Server,
    database: Database,
    _directory: TempDir,
}

impl Shop {
    async fn start() -> Shop {
        let database = Database::fresh().await;
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("airlock.toml");
        let text = "raw_connection_strings = false\n[databases.shop]\nconnection_string_env = \"SHOP_DSN\"\n";
        fs::write(&config, text).unwrap();
        let variables = [
            ("CONNECTOR_PROXY_API_KEY", API_KEY),
            ("SHOP_DSN", database.dsn.as_str()),
        ];
        let arguments = ["--config", config.to_str().unwrap()];
        let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &arguments, &variables);
        Shop {
            server,
            database,
            _directory: directory,
        }
    }
}

/// The document of a server.
async fn document(server: &Server) -> Value {
    let url = format!("{}/openapi.json", server.base);
    let request = server.http.get(url).header(API_KEY_HEADER, API_KEY);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    response.json().await.unwrap()
}

/// The paths of commands, without what is in front of them, and their operations.
fn commands(document: &Value) -> Map<String, Value> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .filter_map(|(path, item)| {
            Some((
                path.strip_prefix("/v1/do/")?.to_owned(),
                item["post"].clone(),
            ))
        })
        .collect()
}

/// What checks bodies of a command by its schema in the document.
fn validator(document: &Value, operation: &Value) -> jsonschema::Validator {
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let mut schema = body.clone();
    schema["components"] = document["components"].clone();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// What the public validator has to say against a document; empty where it is valid.
fn complaint(document: &Value) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("openapi.json");
    fs::write(&file, document.to_string()).unwrap();
    let mut tool = python().tool("openapi-spec-validator");
    let output = tool.args(["--schema", "3.1"]).arg(file).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    match output.status.success() {
        true => String::new(),
        false => said + &String::from_utf8_lossy(&output.stderr),
    }
}
