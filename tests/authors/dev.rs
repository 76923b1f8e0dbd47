//! `airlock dev`: versions go live as they are saved.

use crate::project::{AIRLOCK, KEPT, Project, RUST, command};
use airlock_tests::Database;
use airlock_tests::world::{TOKEN, World, admin_base};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long something may take that has to happen: a build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// A running `airlock dev`; it is ended when this is dropped.
struct Dev {
    process: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Dev {
    fn start(project: &Project, arguments: &[&str]) -> Dev {
        let mut process = command(&project.directory)
            .arg("dev")
            .args(arguments)
            .env("AIRLOCK_ADMIN_TOKEN", TOKEN)
            .env_remove("CONNECTOR_PROXY_API_KEY")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let (out, log) = (
            process.stdout.take().unwrap(),
            process.stderr.take().unwrap(),
        );
        let outputs: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(log)];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Dev {
            process,
            lines,
            seen: String::new(),
        }
    }

    /// Waits for a line with `part` in it; gives what stands behind that.
    fn until(&mut self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {part} in:\n{}", self.seen));
            self.seen += &(line.clone() + "\n");
            if let Some((_, rest)) = line.split_once(part) {
                return rest.to_owned();
            }
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = std::process::Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_go_live_as_they_are_saved() {
    let project = Project::new(RUST);
    let mut dev = Dev::start(&project, &["--listen", "127.0.0.1:0"]);
    let dsn = dev.until("database_connection_str: ");
    let name = dev.until("by its name: ");
    let base = dev.until("listening on ");
    let first = dev.until("live       ");
    assert_eq!(first, project.digest());
    assert!(
        dev.seen.contains("4 calls, 0 not as expected"),
        "{}",
        dev.seen
    );
    let table = "CREATE TABLE notes (id serial PRIMARY KEY, text text, pinned boolean)";
    let database = Database::connect(&dsn).await;
    database.batch_execute(table).await.unwrap();
    let planned_by = async || {
        let url = format!("{base}/v1/do/notes/FindNotes");
        let call = json!({"database_connection_str": name, "contains": "x"});
        let response = reqwest::Client::new()
            .post(url)
            .json(&call)
            .send()
            .await
            .unwrap();
        let planned_by = response.headers()["x-airlock-connector"]
            .to_str()
            .unwrap()
            .to_owned();
        let reply: Value = response.json().await.unwrap();
        assert_eq!(reply["command_response"]["body"], json!([]), "{reply}");
        planned_by
    };
    assert_eq!(planned_by().await, format!("notes@{first}"));

    project.replace("src/lib.rs", "LIMIT 100", "LIMIT 50");
    let second = dev.until("live       ");
    assert!(second != first && second == project.digest());
    let changed = |sign: &str, text: &str| {
        let mut lines = dev.seen.lines();
        lines.any(|line| line.starts_with(sign) && line.contains(text))
    };
    assert!(
        changed("-", "LIMIT 100") && changed("+", "LIMIT 50"),
        "{}",
        dev.seen
    );
    assert_eq!(planned_by().await, format!("notes@{second}"));

    project.replace("src/lib.rs", "LIMIT 50", "LIMIT 50\"; \"");
    dev.until("what is live stays live");
    assert_eq!(planned_by().await, format!("notes@{second}"));

    project.replace("src/lib.rs", "LIMIT 50\"; \"", "LIMIT 100");
    assert_eq!(dev.until("live       "), first);
    assert_eq!(planned_by().await, format!("notes@{first}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_go_live_in_a_server_that_runs_already() {
    let project = Project::new(RUST);
    let world = World::start(AIRLOCK, "", &[], &[("XDG_CACHE_HOME", KEPT)]).await;
    let directory = world.config().parent().unwrap().to_owned();
    let into = ["--into", directory.to_str().unwrap()];
    let admin = ["--admin", &admin_base(&world.server)];
    let mut dev = Dev::start(&project, &[into, admin].concat());
    let live = dev.until("live       ");
    assert_eq!(world.status("notes").await["live"]["digest"], live.as_str());
    // What the server refuses is told.
    world.configure("[connectors.notes]\nsha256 = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n");
    project.replace("src/lib.rs", "LIMIT 100", "LIMIT 50");
    let reason = dev.until("refused, so what is live stays live: ");
    assert!(!reason.is_empty());
    assert_eq!(world.status("notes").await["live"]["digest"], live.as_str());
}
