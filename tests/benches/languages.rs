//! The languages benchmark: the same connector in Rust, Python and JavaScript.
//!
//! ```sh
//! cargo bench --bench languages
//! ```
//!
//! The connectors are the templates of `airlock new`. One call at a time asks a running server, over
//! loopback, for rows of a real PostgreSQL: once where each plan has to be made, as that of the first call
//! of a shape, and once where it is kept. The languages take turns call by call, so what else the machine
//! does meets all of them. Times are medians of rounds, ratios those of the same round as median
//! (least–most).
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing)]

#[allow(dead_code, reason = "the tests use the rest of it")]
#[path = "../authors/project.rs"]
mod project;

use airlock_tests::{Database, Server};
use project::{AIRLOCK, JAVASCRIPT, KEPT, Language, PYTHON, Project, RUST};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

/// Each language once; ratios are to the first.
const LANGUAGES: [(&str, Language); 3] = [
    ("rust_notes", RUST),
    ("python_notes", PYTHON),
    ("javascript_notes", JAVASCRIPT),
];

/// Rounds, each with a median for each language.
const ROUNDS: usize = 11;

/// Calls of each language in a round, one in turn with those of the others.
const CALLS: usize = 100;

/// What each server is started with beside the connectors.
const SERVERS: [(&str, &str); 2] = [
    (
        "plan made for each call",
        "[limits]\nplan_cache_bytes = 0\n",
    ),
    ("plan kept", ""),
];

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let mut tables = String::new();
    for (name, language) in LANGUAGES {
        let project = Project::named(name, language).with_tools(language);
        project.done(&["build"]);
        let file = format!("{name}.wasm");
        let bytes = fs::copy(project.at(&file), directory.path().join(&file)).unwrap();
        println!("{name}: {bytes} bytes");
        let profile = if language.template == "rust" {
            "native"
        } else {
            "script"
        };
        tables += &format!("[connectors.{name}]\nprofile = \"{profile}\"\n");
    }
    let database = Database::fresh().await;
    let table = "CREATE TABLE notes (id serial PRIMARY KEY, text text NOT NULL, pinned boolean NOT NULL);
        INSERT INTO notes (text, pinned) VALUES ('Buy milk', false), ('Sell milk', true), ('Rest', false)";
    database.batch_execute(table).await.unwrap();
    println!("\n| | connector | a call, µs | ÷ Rust |\n| --- | --- | --- | --- |");
    for (what, config) in SERVERS {
        let file = directory.path().join("airlock.toml");
        fs::write(&file, format!("{config}{tables}")).unwrap();
        let arguments = [
            "--config",
            file.to_str().unwrap(),
            "--connectors",
            directory.path().to_str().unwrap(),
        ];
        let server = Server::start(AIRLOCK, &arguments, &[("XDG_CACHE_HOME", KEPT)]);
        let call = json!({"database_connection_str": database.dsn, "contains": "milk"});
        measure(what, &server, &call).await;
    }
}

async fn measure(what: &str, server: &Server, call: &Value) {
    // The connection to the database and the statement are there before anything is timed.
    for (name, _) in LANGUAGES {
        time(server, name, call).await;
    }
    let mut medians = LANGUAGES.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        let mut times = LANGUAGES.map(|_| Vec::new());
        for turn in 0..CALLS {
            // Nobody is always first.
            for at in (0..LANGUAGES.len()).map(|at| (at + turn) % LANGUAGES.len()) {
                times[at].push(time(server, LANGUAGES[at].0, call).await);
            }
        }
        for (medians, times) in medians.iter_mut().zip(times) {
            medians.push(spread(times).1);
        }
    }
    let rust = medians[0].clone();
    for ((name, _), medians) in LANGUAGES.iter().zip(medians) {
        let ratios = medians.iter().zip(&rust).map(|(time, rust)| time / rust);
        let (least, ratio, most) = spread(ratios.collect());
        let (_, time, _) = spread(medians);
        println!("| {what} | {name} | {time:.0} | {ratio:.2} ({least:.2}–{most:.2}) |");
    }
}

/// The time of one call, in µs.
async fn time(server: &Server, name: &str, call: &Value) -> f64 {
    let start = Instant::now();
    let (status, reply) = server.call(&format!("{name}/FindNotes"), call).await;
    let taken = micros(start.elapsed());
    assert_eq!(status, 200, "{reply}");
    taken
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The least, the median and the most.
fn spread(mut numbers: Vec<f64>) -> (f64, f64, f64) {
    numbers.sort_by(f64::total_cmp);
    (
        numbers[0],
        numbers[numbers.len() / 2],
        numbers[numbers.len() - 1],
    )
}
