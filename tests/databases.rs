//! Databases that have a name: who may use them, and what a name gives away.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::certificates::Certificates;
use airlock::exec::Login;
use airlock::policy::DatabaseName;
use airlock::{Databases, Limits, Parameters, Runtime, Secret};
use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use std::process::Command;

const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// A server whose file has these lines, with the database `orders` by a variable and `archive` by a
/// file.
fn serve(orders: &str, archive: &str, lines: &str) -> (Server, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("secrets")).unwrap();
    std::fs::write(at("secrets/archive"), format!("{archive}\n")).unwrap();
    let text = format!(
        "{lines}\n[databases.orders]\nconnection_string_env = \"ORDERS_DSN\"\n\
         [databases.archive]\nconnection_string_file = \"secrets/archive\"\n"
    );
    std::fs::write(at("airlock.toml"), text).unwrap();
    let config = at("airlock.toml");
    let arguments = ["--config", config.to_str().unwrap()];
    (
        Server::start(AIRLOCK, &arguments, &[("ORDERS_DSN", orders)]),
        directory,
    )
}

async fn call(server: &Server, database: &str, sql: &str) -> (u16, Value) {
    let schema = json!({"sql": sql, "fetch_results": true});
    let call = json!({"database_connection_str": database, "schema": schema});
    server.call("postgres_v2/DoSQL", &call).await
}

const WHERE: &str = "SELECT current_database()::text";

fn name_in(dsn: &str) -> &str {
    let pairs = dsn.split(' ');
    pairs
        .filter_map(|pair| pair.strip_prefix("dbname="))
        .next()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_name_databases_or_bring_connection_strings() {
    let (one, two) = (Database::fresh().await, Database::fresh().await);
    let (server, _directory) = serve(&one.dsn, &two.dsn, "");
    for (given, expected) in [
        ("orders", &one.dsn),
        ("archive", &two.dsn),
        (two.dsn.as_str(), &two.dsn),
    ] {
        let (status, reply) = call(&server, given, WHERE).await;
        assert_eq!(status, 200);
        assert_eq!(
            reply["command_response"]["body"],
            json!([[name_in(expected)]]),
            "{reply}"
        );
    }
    // What libpq says to a string that it cannot read.
    let (status, reply) = call(&server, "oders", WHERE).await;
    assert_eq!(
        (status, &reply["error"]["error_code"]),
        (200, &json!("ProgrammingError"))
    );
    let message = reply["error"]["message"].as_str().unwrap();
    assert!(message.contains("missing \"=\" after \"oders\""), "{reply}");
    let hint = "\nthere is no database \"oders\" either, among [\"archive\", \"orders\"]";
    assert!(message.ends_with(hint), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_uses_the_databases_of_its_list() {
    let database = Database::fresh().await;
    let rule = "[connectors.postgres_v2]\ndatabases = [\"orders\"]\n";
    let (server, _directory) = serve(&database.dsn, &database.dsn, rule);
    let (status, reply) = call(&server, "orders", WHERE).await;
    assert_eq!((status, &reply["error"]), (200, &Value::Null), "{reply}");
    for (given, what) in [
        ("archive", "\"archive\" is not among them"),
        ("oders", "there is no database \"oders\""),
        (
            database.dsn.as_str(),
            "a connection string is not accepted, name a database",
        ),
        (
            "postgresql://canary:canary@canary/canary",
            "a connection string is not accepted, name a database",
        ),
        ("", "a connection string is not accepted, name a database"),
    ] {
        let (status, reply) = call(&server, given, WHERE).await;
        let message = format!("the policy of postgres_v2 has databases = [\"orders\"]; {what}");
        assert_eq!(
            (
                status,
                &reply["error"]["error_code"],
                &reply["error"]["message"]
            ),
            (403, &json!("PolicyDenied"), &json!(message))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_strings_can_be_turned_away_from_all() {
    let database = Database::fresh().await;
    let (server, _directory) = serve(
        &database.dsn,
        &database.dsn,
        "raw_connection_strings = false",
    );
    let (status, reply) = call(&server, "archive", WHERE).await;
    assert_eq!((status, &reply["error"]), (200, &Value::Null), "{reply}");
    for (given, what) in [
        (
            database.dsn.as_str(),
            "a connection string is not accepted, name a database",
        ),
        (
            "Orders",
            "a connection string is not accepted, name a database",
        ),
        ("oders", "there is no database \"oders\""),
    ] {
        let (status, reply) = call(&server, given, WHERE).await;
        let message = format!(
            "the host has raw_connection_strings = false and the databases [\"archive\", \"orders\"]; {what}"
        );
        assert_eq!(
            (
                status,
                &reply["error"]["error_code"],
                &reply["error"]["message"]
            ),
            (403, &json!("PolicyDenied"), &json!(message))
        );
    }
    let mut other = json!({"schema": {"sql": "SELECT 1"}});
    other["database_connection_str"] = json!(5);
    let (status, reply) = server.call("postgres_v2/DoSQL", &other).await;
    assert_eq!(
        (status, &reply["error"]["error_code"]),
        (200, &json!("TypeError"))
    );
}

/// Whoever knows the name learns nothing else of the database from a connection that fails, and
/// nobody learns the password.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_gives_nothing_away() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE ROLE canary_user LOGIN PASSWORD 'right'")
        .await
        .unwrap();
    let port = database.cluster().port();
    let wrong_password = format!(
        "host=127.0.0.1 port={port} user=canary_user password=canary_password dbname=canary_database application_name=canary"
    );
    let wrong_host = "host=canary-host.invalid user=canary_user password=canary_password";
    let (server, _directory) = serve(&wrong_password, wrong_host, "");
    for name in ["orders", "archive"] {
        let (status, reply) = call(&server, name, WHERE).await;
        assert_eq!(
            (status, &reply["error"]["error_code"]),
            (200, &json!("OperationalError"))
        );
        let message = format!(
            "Error executing sql statement: cannot connect to the database \"{name}\"; the log of the host has the reason"
        );
        assert_eq!(
            reply["error"],
            json!({"error_code": "OperationalError", "message": message, "outcome": "aborted"})
        );
    }
    // Everyone else is told what libpq tells.
    let (_, reply) = call(&server, &wrong_password, WHERE).await;
    assert!(
        reply["error"]["message"]
            .as_str()
            .unwrap()
            .contains("canary_user"),
        "{reply}"
    );
    let log = server.log();
    assert!(
        log.contains("cannot connect") && log.contains("orders") && log.contains("canary_user"),
        "{log}"
    );
    assert!(
        !log.contains("canary_password") && !log.contains("application_name"),
        "{log}"
    );
}

#[test]
fn call_takes_a_name() {
    let tasks = tokio::runtime::Runtime::new().unwrap();
    let database = tasks.block_on(Database::fresh());
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(
        &config,
        "[databases.orders]\nconnection_string_env = \"ORDERS_DSN\"\n",
    )
    .unwrap();
    let call = |variable: Option<&str>| {
        let mut command = Command::new(AIRLOCK);
        command.args([
            "call",
            "postgres_v2/DoSQL",
            "--database",
            "orders",
            "--config",
        ]);
        command.arg(&config).args([
            "--input",
            r#"{"schema": {"sql": "SELECT 5", "fetch_results": true}}"#,
        ]);
        command
            .env_remove("ORDERS_DSN")
            .envs(variable.map(|dsn| ("ORDERS_DSN", dsn)));
        let output = command.output().unwrap();
        (
            output.status.code(),
            output.stdout,
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, reply, _) = call(Some(&database.dsn));
    assert_eq!(code, Some(0));
    let reply: Value = serde_json::from_slice(&reply).unwrap();
    assert_eq!(reply["command_response"]["body"], json!([[5]]));
    let (code, _, error) = call(None);
    assert!(
        code == Some(1) && error.contains("airlock.toml:2:25: the variable ORDERS_DSN is not set"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_can_be_replaced_while_calls_run() {
    let (one, two) = (Database::fresh().await, Database::fresh().await);
    let runtime = Runtime::new(Limits::default()).unwrap();
    let found = runtime.command("postgres_v2", "DoSQL").unwrap();
    let body = || async {
        let schema = json!({"sql": WHERE, "fetch_results": true});
        let call = json!({"database_connection_str": "orders", "schema": schema});
        let parameters = Parameters::from(call.as_object().unwrap().clone());
        let body = runtime
            .run(&found, parameters)
            .await?
            .body
            .collect()
            .await?;
        Ok::<_, airlock::Fault>(serde_json::from_slice::<Value>(&body).unwrap())
    };
    assert_eq!(body().await.unwrap_err().code, "ProgrammingError");
    for dsn in [&one.dsn, &two.dsn] {
        let orders = DatabaseName::new("orders").unwrap();
        let login = Login {
            connection_string: Secret::new(dsn.as_str()),
            operator: Some(Certificates::default()),
        };
        let named = [(orders, login)].into();
        runtime.set_databases(Databases::new(named, false));
        assert_eq!(body().await.unwrap(), json!([[name_in(dsn)]]));
    }
}
