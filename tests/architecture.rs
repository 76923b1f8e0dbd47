//! The rules of the architecture, held against the source.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::fs;
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file below `directory`, with its text up to its tests.
fn files(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod").next().unwrap().to_owned();
            found.push((
                path.strip_prefix(source()).unwrap_or(&path).to_owned(),
                code,
            ));
        }
    }
    found
}

/// Code lines that contain any of `words`, outside of the paths that begin with `home`.
fn offences(home: &str, words: &[&str]) -> Vec<String> {
    let all = files(&source());
    let foreign = all.iter().filter(|(path, _)| !path.starts_with(home));
    foreign
        .flat_map(|(path, code)| {
            let lines = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let hits = lines.filter(|line| words.iter().any(|word| line.contains(word)));
            hits.map(|line| format!("{}: {}", path.display(), line.trim()))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn wasmtime_stays_in_connector() {
    assert_eq!(
        offences("connector", &["wasmtime::", "wasmtime_wasi"]),
        [] as [String; 0]
    );
}

#[test]
fn unsafe_code_stays_in_one_function() {
    let compile = "connector/compile.rs";
    assert_eq!(
        offences(compile, &["unsafe {", "unsafe fn"]),
        [] as [String; 0]
    );
    let text = fs::read_to_string(source().join(compile)).unwrap();
    assert_eq!(text.matches("unsafe {").count(), 1);
}

#[test]
fn tokio_postgres_stays_in_exec() {
    assert_eq!(offences("exec", &["tokio_postgres"]), [] as [String; 0]);
}

#[test]
fn http_statuses_stay_in_http() {
    assert_eq!(offences("http", &["StatusCode", "axum"]), [] as [String; 0]);
}

/// A timer that is always set makes every wait for a socket dearer, see `clock.rs`. These are not: they
/// are set while something is slow to begin or to end.
#[test]
fn no_timer_stays_on_the_runtime_of_calls() {
    let short_lived = [
        "cli/serve.rs",
        "cli/surface.rs",
        "exec/connect.rs",
        "exec/connection.rs",
        "exec/examine/pooling.rs",
        "exec/examine/reach.rs",
        "exec/lease.rs",
        "exec/pool.rs",
        "exec/wire.rs",
        "http/readiness.rs",
        "http/receive.rs",
        "http/refuse.rs",
        "http/serve.rs",
        "http/socket.rs",
    ];
    for (path, code) in files(&source()) {
        let path = path.to_string_lossy();
        let timed = code.contains("tokio::time") || code.contains("enable_time");
        assert!(
            !timed || path == "clock.rs" || short_lived.contains(&&*path),
            "{path} sets timers; let the clock do it"
        );
    }
}

/// `http, cli → swap → runtime → connector, exec → plan`: nobody looks back.
#[test]
fn dependencies_point_one_way() {
    let all = files(&source());
    let forbidden = [
        ("plan.rs", vec!["crate::"]),
        ("secret.rs", vec!["crate::"]),
        ("sqlstate.rs", vec!["crate::"]),
        (
            "seal",
            vec![
                "crate::runtime",
                "crate::exec",
                "crate::connector",
                "crate::http",
            ],
        ),
        (
            "check",
            vec![
                "crate::runtime",
                "crate::exec",
                "crate::connector",
                "crate::http",
            ],
        ),
        (
            "call",
            vec![
                "crate::runtime",
                "crate::exec",
                "crate::connector",
                "crate::http",
            ],
        ),
        (
            "connector",
            vec![
                "crate::runtime",
                "crate::exec",
                "crate::http",
                "crate::reply",
            ],
        ),
        (
            "databases.rs",
            vec!["crate::runtime", "crate::connector", "crate::http"],
        ),
        (
            "exec",
            vec![
                "crate::runtime",
                "crate::connector",
                "crate::databases",
                "crate::http",
                "crate::reply",
            ],
        ),
        (
            "runtime",
            vec![
                "crate::http",
                "crate::config",
                "crate::postgres",
                "crate::swap",
            ],
        ),
        (
            "versions.rs",
            vec!["crate::runtime", "crate::swap", "crate::http"],
        ),
        (
            "replay.rs",
            vec!["crate::runtime", "crate::swap", "crate::http"],
        ),
        (
            "network",
            vec![
                "crate::exec",
                "crate::runtime",
                "tokio",
                "std::fs",
                "ToSocketAddrs",
            ],
        ),
        ("swap", vec!["crate::http", "crate::postgres"]),
        (
            "reply.rs",
            vec!["crate::runtime", "crate::exec", "crate::http"],
        ),
        (
            "postgres",
            vec![
                "crate::runtime",
                "crate::exec",
                "crate::connector",
                "crate::http",
            ],
        ),
    ];
    for (place, words) in forbidden {
        let here: Vec<_> = all
            .iter()
            .filter(|(path, _)| path.starts_with(place))
            .collect();
        assert!(!here.is_empty(), "{place} is gone; change this rule");
        for (path, code) in here {
            for word in &words {
                assert!(!code.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

/// Values never become SQL: text is put together in the SDK's builder, and in the places of the host
/// that are named here. Three more are not found by their words: `insert.rs` writes those of a plain INSERT
/// in another order, `opening.rs` adds to BEGIN, and `shown.rs` names a session.
#[test]
fn sql_is_not_formatted() {
    let verbs = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "DROP ", "WITH ", "SET ",
    ];
    let formatted: Vec<String> = verbs
        .iter()
        .map(|verb| format!("format!(\"{verb}"))
        .collect();
    let words: Vec<&str> = formatted.iter().map(String::as_str).collect();
    let known = [
        "exec/lookup.rs",
        "exec/once.rs",
        "exec/prepare.rs",
        "exec/quoted.rs",
    ];
    let found: Vec<String> = files(&source())
        .iter()
        .filter(|(_, code)| {
            // The text may stand on a line of its own.
            let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
            let code = code.replace("format!( ", "format!(");
            words.iter().any(|word| code.contains(word))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    for place in known {
        assert!(found.iter().any(|path| path == place), "{place} is gone");
    }
    let unknown: Vec<_> = found
        .iter()
        .filter(|line| !known.iter().any(|file| line.starts_with(file)))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
