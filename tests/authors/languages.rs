//! Each language, from an empty directory to rows of a real database.

use crate::project::{JAVASCRIPT, KEPT, Language, PYTHON, Project, RUST};
use airlock_tests::{Database, Server};
use serde_json::{Value, json};

const TABLE: &str =
    "CREATE TABLE notes (id serial PRIMARY KEY, text text NOT NULL, pinned boolean NOT NULL)";

#[tokio::test(flavor = "multi_thread")]
async fn rust() {
    from_nothing_to_rows(RUST, "native").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python() {
    from_nothing_to_rows(PYTHON, "script").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript() {
    from_nothing_to_rows(JAVASCRIPT, "script").await;
}

async fn from_nothing_to_rows(language: Language, profile: &str) {
    let project = Project::new(language).with_tools(language);
    let built = project.done(&["build"]);
    for line in [
        "connector  notes 0.1.0".to_owned(),
        format!("digest     {}", project.digest()),
        "imports    none but the contract's types".to_owned(),
        format!("profile    {profile}"),
    ] {
        assert!(built.lines().any(|found| found == line), "{line}: {built}");
    }
    // The golden plans are the same for all languages. What is built is not built again.
    let digest = project.digest();
    let tested = project.done(&["test"]);
    assert!(tested.contains("4 calls, 0 not as expected"), "{tested}");
    assert_eq!(project.digest(), digest);

    let database = Database::fresh().await;
    database.batch_execute(TABLE).await.unwrap();
    let config = project.at("airlock.toml");
    let arguments = ["--config", config.to_str().unwrap()];
    let server = Server::start(
        env!("CARGO_BIN_EXE_airlock"),
        &arguments,
        &[("XDG_CACHE_HOME", KEPT)],
    );
    let call = async |command: &str, mut parameters: Value| {
        parameters["database_connection_str"] = database.dsn.as_str().into();
        server.call(&format!("notes/{command}"), &parameters).await
    };
    for (text, pinned, id) in [
        ("Buy milk", false, 1),
        ("Sell MILK", true, 2),
        ("It's \"x\"", false, 3),
    ] {
        let (status, reply) = call("AddNote", json!({"text": text, "pinned": pinned})).await;
        assert_eq!(status, 200, "{reply}");
        assert_eq!(reply["command_response"]["body"], json!([{"id": id}]));
    }
    for (parameters, ids) in [
        (json!({}), [2, 3, 1].as_slice()),
        (json!({"contains": "milk"}), &[2, 1]),
        (json!({"contains": "'S \"X", "order": "oldest"}), &[3]),
    ] {
        let (status, reply) = call("FindNotes", parameters).await;
        assert_eq!(status, 200, "{reply}");
        let rows = reply["command_response"]["body"].as_array().unwrap();
        let found: Vec<_> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
        assert_eq!(found, ids);
    }
    let (status, reply) = call("FindNotes", json!({"order": "largest"})).await;
    assert_eq!(status, 400);
    assert_eq!(reply["error"]["error_code"], "UnknownOrder");
    assert_eq!(reply["error"]["pointer"], "/order");
    let (status, _) = call("FindNotes", json!({"contains": {}, "order": "newest"})).await;
    assert_eq!(
        status, 200,
        "a value of another kind is the database's to judge"
    );
}
