//! Blocks of JSON, TOML and SQL are what they say they are.
//!
//! A `toml` block is a configuration where its first line says so (`# airlock.toml`), or where it has no key
//! that a configuration does not have; `airlock check` accepts it beside the files, variables and databases
//! that it names. `sql` blocks of a page run in order on a real PostgreSQL, behind what they presuppose.

use crate::AIRLOCK;
use crate::document::{Block, Document};
use airlock::config::Config;
use airlock_tests::Database;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use toml::{Table, Value};

/// What configurations call a file that they come from.
const CONFIGURATION: &str = "# airlock.toml\n";

/// A connection string, as far as `check` is concerned.
const CONNECTION_STRING: &str = "host=db.example user=airlock password=secret";

/// What the statements of a page presuppose.
const PRESUPPOSED: [(&str, &str); 1] = [("host/docs/src/policy.md", "CREATE TABLE orders ()")];

/// The blocks of a language, with where they are.
fn blocks(documents: &[Document], language: &str) -> Vec<(String, Block)> {
    let blocks = documents.iter().flat_map(|document| {
        let blocks = document.blocks().into_iter();
        blocks.map(move |block| (format!("{}:{}", document.name, block.line), block))
    });
    blocks
        .filter(|(_, block)| block.language == language)
        .collect()
}

fn json_mistakes(documents: &[Document]) -> Vec<String> {
    let blocks = blocks(documents, "json");
    let mistakes = blocks.iter().filter_map(|(place, block)| {
        let error = serde_json::from_str::<serde_json::Value>(&block.text).err()?;
        Some(format!("{place}: {error}"))
    });
    mistakes.collect()
}

fn is_configuration(text: &str) -> bool {
    let keys = Config::keys();
    let known: BTreeSet<&str> = keys
        .iter()
        .filter_map(|key| key.split('.').next())
        .collect();
    let is_known = |table: Table| table.keys().all(|key| known.contains(key.as_str()));
    text.starts_with(CONFIGURATION) || text.parse().is_ok_and(is_known)
}

/// Everything that a configuration names and that is not in it.
#[derive(Debug, Default)]
struct Named {
    files: BTreeMap<String, &'static str>,
    directories: BTreeSet<String>,
    variables: BTreeSet<String>,
    databases: BTreeSet<String>,
}

impl Named {
    fn by(table: &Table) -> Named {
        let mut named = Named::default();
        named.add(table);
        if let Some(Value::Table(own)) = table.get("databases") {
            named
                .databases
                .retain(|database| !own.contains_key(database));
        }
        named
    }

    fn add(&mut self, table: &Table) {
        for (key, value) in table {
            match (key.as_str(), value) {
                (_, Value::Table(table)) => self.add(table),
                ("databases", Value::Array(names)) => {
                    let names = names.iter().filter_map(Value::as_str);
                    self.databases.extend(names.map(str::to_owned));
                }
                ("connection_string_env", Value::String(variable)) => {
                    self.variables.insert(variable.clone());
                }
                ("connection_string_file", Value::String(file)) => {
                    self.files.insert(file.clone(), CONNECTION_STRING);
                }
                ("connector_dir", Value::String(directory)) => {
                    self.directories.insert(directory.clone());
                }
                ("path" | "replay" | "replay_differences", Value::String(file)) => {
                    self.files.insert(file.clone(), "");
                }
                _ => {}
            }
        }
    }
}

/// What `airlock check` says to a configuration, beside what it names; nothing where it accepts it.
fn complaint(text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let named = Named::by(&text.parse().unwrap_or_default());
    for (file, contents) in &named.files {
        fs::create_dir_all(at(file).parent().unwrap()).unwrap();
        fs::write(at(file), contents).unwrap();
    }
    for directory in &named.directories {
        fs::create_dir_all(at(directory)).unwrap();
    }
    let mut whole = text.to_owned();
    for database in &named.databases {
        whole +=
            &format!("\n[databases.{database}]\nconnection_string_env = \"PRESUPPOSED_DSN\"\n");
    }
    fs::write(at("airlock.toml"), whole).unwrap();
    check(directory.path(), &named.variables)
}

fn check(directory: &Path, variables: &BTreeSet<String>) -> String {
    let mut command = Command::new(AIRLOCK);
    command
        .args(["check", "airlock.toml"])
        .current_dir(directory);
    for variable in variables
        .iter()
        .map(String::as_str)
        .chain(["PRESUPPOSED_DSN"])
    {
        command.env(variable, CONNECTION_STRING);
    }
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    if output.status.success() {
        String::new()
    } else {
        said
    }
}

fn toml_mistakes(documents: &[Document]) -> Vec<String> {
    let mut blocks = blocks(documents, "toml");
    blocks.retain(|(_, block)| is_configuration(&block.text));
    let mistakes = blocks
        .iter()
        .map(|(place, block)| (place, complaint(&block.text)));
    let mistakes = mistakes.filter(|(_, complaint)| !complaint.is_empty());
    mistakes
        .map(|(place, complaint)| format!("{place}: {complaint}"))
        .collect()
}

async fn sql_mistakes(documents: &[Document]) -> Vec<String> {
    let database = Database::fresh().await;
    let mut mistakes = Vec::new();
    for document in documents {
        // Roles belong to all databases: nothing of a page is left.
        database.batch_execute("BEGIN").await.unwrap();
        for (page, sql) in PRESUPPOSED {
            if page == document.name {
                database.batch_execute(sql).await.unwrap();
            }
        }
        for (place, block) in blocks(std::slice::from_ref(document), "sql") {
            if let Err(error) = database.batch_execute(&block.text).await {
                let message = error.as_db_error().map(|error| error.message().to_owned());
                mistakes.push(format!(
                    "{place}: {}",
                    message.unwrap_or_else(|| error.to_string())
                ));
                break;
            }
        }
        database.batch_execute("ROLLBACK").await.unwrap();
    }
    mistakes
}

#[test]
fn json_is_json() {
    let documents = Document::all();
    assert!(blocks(&documents, "json").len() >= 3);
    let mistakes = json_mistakes(&documents);
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn configurations_are_accepted() {
    let documents = Document::all();
    let configurations = blocks(&documents, "toml");
    assert!(
        configurations
            .iter()
            .any(|(_, block)| is_configuration(&block.text))
    );
    let mistakes = toml_mistakes(&documents);
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_run() {
    let documents = Document::all();
    assert!(blocks(&documents, "sql").len() >= 3);
    let mistakes = sql_mistakes(&documents).await;
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_are_wrong_are_told() {
    let document = |language: &str, text: &str| {
        [Document::of(
            "a.md",
            &format!("\n```{language}\n{text}\n```\n"),
        )]
    };
    let json = |text: &str| json_mistakes(&document("json", text)).join("\n");
    assert_eq!(json("{\"a\": [1]}"), "");
    assert!(json("{\"a\": …}").starts_with("a.md:2: "));
    let toml = |text: &str| toml_mistakes(&document("toml", text)).join("\n");
    for right in [
        "[dependencies]\nserde = 1",
        "[connectors.postgres_v2]\ndatabases = [\"orders\"]",
        "connector_dir = \"c\"\n[databases.a]\nconnection_string_file = \"s/a.dsn\"\n[databases.b]\nconnection_string_env = \"B\"",
        "[connectors.reports]\npath = \"reports.wasm\"\nreplay = \"calls.jsonl\"",
    ] {
        assert_eq!(toml(right), "", "{right}");
    }
    for (wrong, mistake) in [
        (
            "# airlock.toml\n[dependencies]\nserde = 1",
            "unknown key \"dependencies\"",
        ),
        ("# airlock.toml\nlisten =", "a.md:2: airlock.toml:2:"),
        (
            "[connectors.postgres_v2]\naccess = \"all\"",
            "access must be one of",
        ),
        ("[limits]\nno_such_ms = 1", "no_such_ms"),
    ] {
        let told = toml(wrong);
        assert!(told.contains(mistake), "{wrong}: {told}");
    }
    let sql = sql_mistakes(&document("sql", "CREATE ROLE a; SELECT 1 FROM nowhere;")).await;
    assert_eq!(sql, ["a.md:2: relation \"nowhere\" does not exist"]);
    assert!(
        sql_mistakes(&document("sql", "CREATE ROLE a;"))
            .await
            .is_empty()
    );
}
