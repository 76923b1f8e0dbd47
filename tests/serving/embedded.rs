//! The throw-away database of `--embedded-postgres`: calls name it, and it goes away.

use crate::{AIRLOCK, CACHES};
use airlock_tests::Server;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// How calls name it.
const NAME: &str = "embedded";

fn one(database: &str) -> Value {
    let schema = json!({"sql": "SELECT 1", "fetch_results": true});
    json!({"database_connection_str": database, "schema": schema})
}

/// What stands behind `part` in the first line that has it.
fn behind(out: &mut impl BufRead, part: &str) -> String {
    let lines = out.lines().map(Result::unwrap);
    let mut found = lines.filter_map(|line| Some(line.split_once(part)?.1.to_owned()));
    found.next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_use_its_name_or_its_connection_string() {
    let mut process = Command::new(AIRLOCK)
        .args(["serve", "--listen", "127.0.0.1:0", "--embedded-postgres"])
        .env("XDG_CACHE_HOME", CACHES)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let dsn = behind(&mut out, "database_connection_str: ");
    assert_eq!(behind(&mut out, "by its name: "), NAME);
    let base = behind(&mut log, "listening on ");
    let url = format!("{}/v1/do/postgres_v2/DoSQL", base.trim());
    for given in [&*dsn, NAME] {
        let request = reqwest::Client::new().post(&url).json(&one(given));
        let reply: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(reply["command_response"]["body"], json!([[1]]), "{reply}");
    }
    kill(Pid::from_raw(process.id() as i32), Signal::SIGTERM).unwrap();
    assert!(process.wait().unwrap().success());
    let port: u16 = dsn.rsplit('=').next().unwrap().parse().unwrap();
    let there = TcpStream::connect(("127.0.0.1", port)).is_ok();
    assert!(!there, "the database is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_its_name_when_the_configuration_is_read_again() {
    let (_directory, config) = with_another();
    let other = fs::read(&config).unwrap();
    fs::write(&config, "").unwrap();
    let arguments = ["--embedded-postgres", "--config", config.to_str().unwrap()];
    let server = Server::start(AIRLOCK, &arguments, &[]);
    let until = |line: &'static str| {
        let server = &server;
        async move {
            while !server.log().contains(line) {
                tokio::task::yield_now().await;
            }
        }
    };
    kill(Pid::from_raw(server.id() as i32), Signal::SIGHUP).unwrap();
    until("configuration read").await;
    let (_, reply) = server.call("postgres_v2/DoSQL", &one(NAME)).await;
    assert_eq!(reply["command_response"]["body"], json!([[1]]), "{reply}");
    // Nor does another one take its name.
    fs::write(&config, other).unwrap();
    until("has [databases.embedded]").await;
    let (_, reply) = server.call("postgres_v2/DoSQL", &one(NAME)).await;
    assert_eq!(reply["command_response"]["body"], json!([[1]]), "{reply}");
}

/// A configuration with another database of its name, and the directory that it is in.
fn with_another() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    let table = "[databases.embedded]\nconnection_string_file = \"dsn\"\n";
    fs::write(&config, table).unwrap();
    fs::write(directory.path().join("dsn"), "host=127.0.0.1 user=u").unwrap();
    (directory, config)
}

#[test]
fn another_database_of_its_name_is_refused() {
    let (_directory, config) = with_another();
    let output = Command::new(AIRLOCK)
        .args(["serve", "--listen", "127.0.0.1:0", "--embedded-postgres"])
        .arg("--config")
        .arg(&config)
        .env("XDG_CACHE_HOME", CACHES)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("has [databases.embedded]") && said.contains("rename the table"),
        "{said}"
    );
}
