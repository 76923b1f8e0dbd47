//! `airlock doctor`: good and broken configurations, and what is found of each.

mod connectors;
mod databases;
mod doors;
mod host;
mod privileges;
mod tls;

use crate::{airlock, path, run};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A directory with a configuration.
pub(crate) struct Place {
    directory: TempDir,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Report {
    findings: Vec<Value>,
}

impl Place {
    pub(crate) fn new(config: &str) -> Place {
        let place = Place {
            directory: tempfile::tempdir().unwrap(),
        };
        // Nobody else listens there.
        let listen = "listen = \"127.0.0.1:0\"\n";
        let config = match config.contains("listen = ") {
            true => config.to_owned(),
            false => format!("{listen}{config}"),
        };
        fs::write(place.at("airlock.toml"), config).unwrap();
        place
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn with(self, name: &str, contents: impl AsRef<[u8]>) -> Place {
        fs::write(self.at(name), contents).unwrap();
        self
    }

    /// Has the doctor look at it.
    pub(crate) fn look(&self, variables: &[(&str, &str)]) -> Report {
        let config = self.at("airlock.toml");
        let mut command = airlock(&["doctor", "--json", "--config", path(&config)]);
        report(run(command.envs(variables.iter().copied())))
    }
}

/// Reads what was printed.
pub(crate) fn report((code, out, err): (Option<i32>, String, String)) -> Report {
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let findings = report["findings"].as_array().unwrap().clone();
    let count = |status: &str| {
        findings
            .iter()
            .filter(|found| found["status"] == status)
            .count()
    };
    assert_eq!(report["ok"], count("ok"));
    assert_eq!(report["warnings"], count("warning"));
    assert_eq!(report["failed"], count("failed"));
    for finding in &findings {
        // Whatever is not fine comes with what to do.
        assert_eq!(
            finding["status"] == "ok",
            finding["next"].is_null(),
            "{finding}"
        );
    }
    assert_eq!(code, Some(i32::from(count("failed") > 0)));
    Report { findings }
}

impl Report {
    /// Checks that there is a finding of this name and status which says this.
    pub(crate) fn expect(&self, check: &str, status: &str, says: &str) -> &Report {
        let is_it = |found: &&Value| {
            found["check"] == check
                && found["status"] == status
                && found["found"].as_str().unwrap().contains(says)
        };
        assert!(
            self.findings.iter().any(|found| is_it(&found)),
            "no {status} {check} with {says:?} in {self:#?}"
        );
        self
    }

    /// Checks that nothing is wrong.
    pub(crate) fn expect_all_ok(&self) {
        for found in &self.findings {
            assert_eq!(found["status"], "ok", "{self:#?}");
        }
    }

    /// Checks that nothing else is wrong.
    pub(crate) fn expect_only(&self, check: &str) {
        for found in &self.findings {
            assert!(
                found["status"] == "ok" || found["check"] == check,
                "{self:#?}"
            );
        }
    }

    pub(crate) fn lacks(&self, check: &str) -> bool {
        !self.findings.iter().any(|found| found["check"] == check)
    }
}

#[test]
fn mistakes_of_a_configuration_are_findings() {
    let place = Place::new("listen = 5\nnonsense = true\n");
    let report = place.look(&[]);
    report
        .expect("config", "failed", "1:10: listen must be a text")
        .expect("config", "failed", "unknown key \"nonsense\"");
}

#[test]
fn people_get_lines_with_what_to_do_next() {
    let place = Place::new("listen = 5\n");
    let config = place.at("airlock.toml");
    let (code, out, _) = run(&mut airlock(&["doctor", "--config", path(&config)]));
    assert_eq!(code, Some(1));
    assert!(out.starts_with("failed   config "), "{out}");
    assert!(out.contains("→ mend it"), "{out}");
    assert!(out.ends_with("0 ok, 0 to look at, 1 failed\n"), "{out}");
}
