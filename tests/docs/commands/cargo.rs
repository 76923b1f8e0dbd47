//! What calls of `cargo` on a page name has to be there: packages, targets, tests, options, fuzz targets.
//!
//! They are not run: they are this suite itself, or take long.

use crate::repository;
use serde_json::Value;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What may be installed.
const TOOLS: [&str; 2] = ["cargo-fuzz", "mdbook"];

/// The package that calls are about that name none.
const DEFAULT: &str = "airlock";

/// Options of the harness of tests.
const HARNESS: [&str; 4] = ["--ignored", "--include-ignored", "--nocapture", "--exact"];

/// What is in this workspace.
pub(super) struct Workspace {
    packages: Value,
    fuzz: Value,
}

struct Target<'a> {
    kind: &'a str,
    name: &'a str,
    source: PathBuf,
}

impl Workspace {
    pub(super) fn here() -> Workspace {
        Workspace {
            packages: packages("Cargo.toml"),
            fuzz: packages("tests/fuzz/Cargo.toml"),
        }
    }

    /// As [`Workspace::check`], for code in a text; other code is right.
    pub(super) fn check_words(&self, code: &str) -> Result<(), String> {
        let words = code
            .split_whitespace()
            .skip_while(|word| word.contains('='));
        match words.collect::<Vec<_>>().as_slice() {
            ["cargo", words @ ("test" | "bench"), rest @ ..] => {
                self.check(&[&[*words], rest].concat())
            }
            ["cargo", "install", tool] => self.check(&["install", tool]),
            _ => Ok(()),
        }
    }

    /// What is wrong with a call of cargo.
    pub(super) fn check(&self, words: &[&str]) -> Result<(), String> {
        match words {
            ["test" | "bench", rest @ ..] => self.check_tests(rest),
            ["install", tool] if TOOLS.contains(tool) => Ok(()),
            ["install", tool] => Err(format!("{tool} is not among the tools of this test")),
            ["fuzz", "run", rest @ ..] => self.check_fuzz(rest),
            _ => Err("this test does not know such calls of cargo".into()),
        }
    }

    fn check_tests(&self, words: &[&str]) -> Result<(), String> {
        let mut words = words.iter().copied();
        let (mut package, mut asked, mut filters) = (DEFAULT, Vec::new(), Vec::new());
        let mut features = Vec::new();
        while let Some(word) = words.next() {
            match word {
                "--" => break,
                "--release" => {}
                "--workspace" => package = "",
                "-p" | "--package" => package = words.next().unwrap_or_default(),
                "--features" => features.extend(words.next().unwrap_or_default().split(',')),
                "--test" | "--bench" | "--bin" => {
                    asked.push((&word[2..], words.next().unwrap_or_default()))
                }
                _ if word.starts_with('-') => {
                    return Err(format!("this test does not know {word}"));
                }
                _ => filters.push(word),
            }
        }
        let packages = self.packages.as_array().unwrap().iter();
        let packages: Vec<_> = packages
            .filter(|it| package.is_empty() || it["name"] == package)
            .collect();
        if packages.is_empty() {
            return Err(format!("there is no package {package}"));
        }
        for feature in features {
            if !packages
                .iter()
                .any(|package| package["features"][feature].is_array())
            {
                return Err(format!("there is no feature {feature} in {package}"));
            }
        }
        let mut targets: Vec<Target<'_>> = packages
            .iter()
            .flat_map(|package| targets(package))
            .collect();
        for (kind, name) in &asked {
            if !targets
                .iter()
                .any(|target| target.kind == *kind && target.name == *name)
            {
                return Err(format!("there is no {kind} {name} in {package}"));
            }
        }
        if !asked.is_empty() {
            targets.retain(|target| asked.contains(&(target.kind, target.name)));
        }
        let text: String = targets
            .iter()
            .map(|target| sources(&target.source))
            .collect();
        let is_bench = targets.iter().all(|target| target.kind == "bench");
        for word in words {
            match word {
                // Benchmarks read their arguments themselves.
                _ if is_bench => has(&text, word)?,
                _ if HARNESS.contains(&word) => {}
                _ if word.starts_with('-') => {
                    return Err(format!("this test does not know {word}"));
                }
                _ => filters.push(word),
            }
        }
        for filter in filters {
            let name = filter.rsplit("::").next().unwrap_or(filter);
            if !tests(&text)
                .chain(modules(&text))
                .any(|it| it.contains(name))
            {
                return Err(format!("no test is called {filter}"));
            }
        }
        Ok(())
    }

    fn check_fuzz(&self, words: &[&str]) -> Result<(), String> {
        let end = words
            .iter()
            .position(|word| *word == "--")
            .unwrap_or(words.len());
        let (ours, fuzzers) = words.split_at(end);
        let mut ours = ours.iter().copied();
        let mut target = None;
        while let Some(word) = ours.next() {
            match word {
                "-s" => _ = ours.next(),
                "--fuzz-dir" if ours.next() == Some("tests/fuzz") => {}
                _ if word.starts_with('-') => {
                    return Err(format!("{word} is not as this test knows it"));
                }
                _ => target = Some(word),
            }
        }
        let target = target.ok_or("no target is named")?;
        let packages = self.fuzz.as_array().unwrap().iter();
        if !packages.flat_map(targets).any(|it| it.name == target) {
            return Err(format!("there is no fuzz target {target}"));
        }
        for word in fuzzers {
            if let Some(file) = word.strip_prefix("-dict=")
                && !repository().join(file).is_file()
            {
                return Err(format!("there is no file {file}"));
            }
        }
        Ok(())
    }
}

fn packages(manifest: &str) -> Value {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(repository().join(manifest))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].take()
}

fn targets(package: &Value) -> impl Iterator<Item = Target<'_>> {
    package["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| Target {
            kind: target["kind"][0].as_str().unwrap(),
            name: target["name"].as_str().unwrap(),
            source: target["src_path"].as_str().unwrap().into(),
        })
}

/// The text of a target: its file, and what is in the directory that belongs to it.
fn sources(file: &Path) -> String {
    let is_whole = ["main.rs", "lib.rs"]
        .iter()
        .any(|name| file.ends_with(name));
    let directory = if is_whole {
        file.parent().unwrap().to_owned()
    } else {
        file.with_extension("")
    };
    let mut text = fs::read_to_string(file).unwrap();
    add(&directory, &mut text);
    text
}

fn add(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *text += &fs::read_to_string(path).unwrap();
        }
    }
}

/// The names of the functions that have an attribute `test`.
fn tests(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    text.lines().filter_map(move |line| {
        let line = line.trim_start();
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let (before, rest) = line.split_once("fn ")?;
        let is_function = ["", "async ", "pub ", "pub async "].contains(&before);
        let found = is_function && is_test;
        is_test &= !is_function;
        found.then(|| rest.split('(').next().unwrap_or_default())
    })
}

/// The names of the modules, which are part of the names of tests.
fn modules(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines();
    lines.filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
}

/// Whether a benchmark knows a word: its options and their values are names in its source.
fn has(text: &str, word: &str) -> Result<(), String> {
    let name = word.trim_start_matches("--").replace('-', "_");
    let mut names = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let is_there = names.any(|it| it.eq_ignore_ascii_case(&name));
    is_there
        .then_some(())
        .ok_or_else(|| format!("the benchmark does not know {word}"))
}

#[test]
fn what_calls_name_has_to_be_there() {
    let workspace = Workspace::here();
    let told = |call: &str| {
        let words: Vec<&str> = call.split_whitespace().collect();
        workspace.check(&words).err().unwrap_or_default()
    };
    for right in [
        "test --workspace",
        "test",
        "test -p airlock --test docs reference",
        "test --release -p airlock --test faults -- --ignored --nocapture a_long_ledger",
        "test -p airlock --test network -- --ignored traced --nocapture",
        "bench --bench load",
        "bench --bench load -- --only small",
        "bench --bench load -- --write",
        "install cargo-fuzz",
        "fuzz run -s none --fuzz-dir tests/fuzz frames -- -max_total_time=3600 -dict=tests/fuzz/dictionaries/frames",
    ] {
        assert_eq!(told(right), "", "{right}");
    }
    for (wrong, mistake) in [
        ("test -p airlok", "no package airlok"),
        ("test -p airlock --test faulty", "no test faulty in airlock"),
        ("test --features fast", "no feature fast"),
        (
            "test -p airlock --test docs no_such_test",
            "no test is called no_such_test",
        ),
        (
            "test -p airlock --test docs -- --ignored no_such_test",
            "no test is called no_such_test",
        ),
        ("test --quiet", "does not know --quiet"),
        ("test -- --quiet", "does not know --quiet"),
        ("bench --bench soaked", "no bench soaked"),
        ("bench --bench load -- --fastest", "does not know --fastest"),
        ("install cargo-fuzzy", "not among the tools"),
        (
            "fuzz run -s none --fuzz-dir fuzz frames",
            "--fuzz-dir is not",
        ),
        (
            "fuzz run --fuzz-dir tests/fuzz framed",
            "no fuzz target framed",
        ),
        (
            "fuzz run --fuzz-dir tests/fuzz frames -- -dict=gone",
            "no file gone",
        ),
        ("fly", "does not know such calls"),
    ] {
        let told = told(wrong);
        assert!(told.contains(mistake), "{wrong}: {told}");
    }
    assert_eq!(
        workspace.check_words("A=B cargo test -p airlock --test docs"),
        Ok(())
    );
    assert!(
        workspace
            .check_words("A=B cargo test -p airlock --test gone")
            .is_err()
    );
    assert_eq!(workspace.check_words("cargo gone"), Ok(()));
}
