//! The document follows what is live: components, their policies, the names of databases.

use super::{commands, document};
use airlock::plan::Access;
use airlock_tests::hostile::Guest;
use airlock_tests::hostile::{command, manifest, plan};
use airlock_tests::world::{World, digest};
use serde_json::{Value, json};

/// The connector `notes` with these commands.
fn notes(names: &[&str]) -> Vec<u8> {
    let mut manifest = manifest();
    manifest.name = "notes".into();
    manifest.commands = names
        .iter()
        .map(|name| command(name, Access::Read))
        .collect();
    let guest = Guest {
        manifest,
        ..Guest::answering(plan("SELECT 'note'"))
    };
    guest.component()
}

/// The names of a connector's commands in the document.
fn names(document: &Value, connector: &str) -> Vec<String> {
    let commands = commands(document);
    let names = commands.keys();
    names
        .filter_map(|name| name.strip_prefix(&format!("{connector}/")))
        .map(str::to_owned)
        .collect()
}

/// The tag of a connector.
fn tag<'d>(document: &'d Value, connector: &str) -> &'d Value {
    let tags = document["tags"].as_array().unwrap();
    let tag = tags.iter().find(|tag| tag["name"] == connector);
    tag.unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_follows_swaps() {
    let (first, second) = (notes(&["C"]), notes(&["C", "D"]));
    let binary = env!("CARGO_BIN_EXE_airlock");
    let world = World::start(binary, "", &[("notes.wasm", &first)], &[]).await;
    let before = document(&world.server).await;
    assert_eq!(names(&before, "notes"), ["C"]);
    assert_eq!(names(&before, "postgres_v2").len(), 7);
    // What it says of the component is what replies say.
    let (text, planned_by) = world.call("notes").await;
    assert_eq!((text.as_str(), &planned_by), ("note", &digest(&first)));
    assert_eq!(
        tag(&before, "notes")["x-airlock-connector"],
        format!("notes@{}", digest(&first))
    );
    world.put("notes.wasm", &second);
    world
        .until("notes", |status| {
            status["live"]["digest"] == digest(&second)
        })
        .await;
    let after = document(&world.server).await;
    assert_eq!(names(&after, "notes"), ["C", "D"]);
    assert_eq!(
        tag(&after, "notes")["x-airlock-connector"],
        format!("notes@{}", digest(&second))
    );
    world.configure("[connectors.notes]\nenabled = false\n");
    world
        .until("notes", |status| status["live"].is_null())
        .await;
    let without = document(&world.server).await;
    assert_eq!(names(&without, "notes"), [] as [&str; 0]);
    assert_eq!(*tag(&without, "notes"), Value::Null);
    assert_eq!(super::complaint(&without), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_follows_policies_and_names_of_databases() {
    let component = notes(&["C"]);
    let both = "[databases.orders]\nconnection_string_env = \"ORDERS\"\n\
                [databases.archive]\nconnection_string_env = \"ORDERS\"\n";
    let binary = env!("CARGO_BIN_EXE_airlock");
    let variables = [("ORDERS", "host=127.0.0.1 dbname=orders user=orders")];
    let world = World::start(binary, both, &[("notes.wasm", &component)], &variables).await;
    let connection = |document: &Value, name: &str| {
        let schema = &document["components"]["schemas"][name];
        schema["properties"]["database_connection_str"].clone()
    };
    let open = document(&world.server).await;
    let examples = &connection(&open, "notes.C")["examples"];
    assert_eq!(examples[0], "archive");
    assert_eq!(connection(&open, "notes.C").get("enum"), None);
    world.configure(&format!(
        "{both}[connectors.notes]\ndatabases = [\"archive\"]\n"
    ));
    let held = loop {
        let held = document(&world.server).await;
        if held != open {
            break held;
        }
    };
    assert_eq!(connection(&held, "notes.C")["enum"], json!(["archive"]));
    assert_eq!(connection(&held, "postgres_v2.DoSQL").get("enum"), None);
}
