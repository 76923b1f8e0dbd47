//! A workflow engine runs processes whose service tasks are done by Airlock: SpiffWorkflow, with a driver
//! that calls the proxy as the engines' backends do.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod diagrams;
mod failures;
mod migration;
mod patterns;

use airlock_tests::{Database, Python, Server, secrets};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

/// The key that the server asks for.
const API_KEY: &str = "canary-engine-key";

/// Where processes and driver are.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/engine")
}

/// The file of a process.
fn process(name: &str) -> PathBuf {
    here().join("processes").join(format!("{name}.bpmn"))
}

/// A server that asks for a key, and a database.
struct World {
    server: Server,
    database: Database,
    _directory: tempfile::TempDir,
}

impl World {
    async fn start(config: &str) -> World {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("airlock.toml");
        std::fs::write(&file, config).unwrap();
        let arguments = ["--config", file.to_str().unwrap()];
        let variables = [("CONNECTOR_PROXY_API_KEY", API_KEY)];
        World {
            server: Server::start(env!("CARGO_BIN_EXE_airlock"), &arguments, &variables),
            database: Database::fresh().await,
            _directory: directory,
        }
    }

    /// Has the engine begin a process.
    fn begin(&self, name: &str, input: &Value) -> Run {
        Run::begin(&self.server.base, API_KEY, &self.database.dsn, name, input)
    }

    /// Has the engine run a process to its end or its failure.
    fn run(&self, name: &str, input: &Value) -> Ran {
        self.begin(name, input).end()
    }

    /// The users in the table.
    async fn users(&self) -> Vec<[String; 3]> {
        let sql = "SELECT name, email, phone FROM users ORDER BY id";
        let rows = self.database.query(sql, &[]).await.unwrap();
        rows.iter()
            .map(|row| [row.get(0), row.get(1), row.get(2)])
            .collect()
    }
}

/// What a person fills in.
fn form(name: &str, email: &str, phone: &str) -> Value {
    let form = json!({"name": name, "email": email, "phone": phone});
    json!({"forms": {"registration_form": form}})
}

/// A process that the engine runs.
struct Run {
    driver: Child,
    lines: Lines<BufReader<ChildStdout>>,
    attempts: Vec<Attempt>,
}

/// A request for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attempt {
    operator: String,
    /// The engine's id of the task.
    task: String,
    status: u64,
}

/// What became of a process.
struct Ran {
    attempts: Vec<Attempt>,
    /// What the driver tells.
    result: Value,
}

impl Run {
    fn begin(url: &str, key: &str, dsn: &str, name: &str, input: &Value) -> Run {
        let python = Python::with(
            env!("CARGO_TARGET_TMPDIR"),
            &here().join("requirements.txt"),
        );
        let mut driver = python
            .program(&here().join("driver.py"))
            .arg(process(name))
            .env("CONNECTOR_PROXY_URL", url)
            .env("CONNECTOR_PROXY_API_KEY", key)
            .env("SECRET_DATABASE", dsn)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = driver.stdin.take().unwrap();
        stdin.write_all(input.to_string().as_bytes()).unwrap();
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        Run {
            driver,
            lines,
            attempts: Vec::new(),
        }
    }

    /// The next line of the driver; an attempt is kept.
    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("the driver ended early").unwrap();
        secrets::search("what the engine keeps", &line);
        let line: Value = serde_json::from_str(&line).unwrap();
        if let Some(attempt) = line.get("attempt") {
            self.attempts.push(Attempt {
                operator: attempt["operator"].as_str().unwrap().into(),
                task: attempt["task"].as_str().unwrap().into(),
                status: attempt["status"].as_u64().unwrap(),
            });
        }
        line
    }

    fn end(mut self) -> Ran {
        let result = loop {
            if let Some(result) = self.next().get_mut("result") {
                break result.take();
            }
        };
        assert!(self.driver.wait().unwrap().success());
        Ran {
            attempts: self.attempts,
            result,
        }
    }
}

impl Ran {
    /// The statuses of all attempts for an operator.
    fn statuses(&self, operator: &str) -> Vec<u64> {
        let attempts = self.attempts.iter();
        attempts
            .filter(|attempt| attempt.operator == operator)
            .map(|attempt| attempt.status)
            .collect()
    }

    /// Where the engine is with an element of the process.
    fn state(&self, element: &str) -> &str {
        self.result["states"][element].as_str().unwrap_or("absent")
    }

    /// It came to this end.
    fn assert_ended_at(&self, end: &str) {
        assert_eq!(self.result["error"], Value::Null);
        assert_eq!(self.result["completed"], true, "{:#}", self.result);
        assert_eq!(self.state(end), "COMPLETED", "{:#}", self.result);
    }
}
