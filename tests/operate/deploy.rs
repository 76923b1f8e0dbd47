//! The Dockerfile and the unit of systemd: what they name is there, and what they say fits the program.

use crate::{airlock, deployed, path, run};
use airlock::Limits;
use airlock::config::Config;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn text(name: &str) -> String {
    fs::read_to_string(deployed().join(name)).unwrap()
}

/// The instructions of the Dockerfile, one a line.
fn instructions() -> Vec<(String, String)> {
    let text = text("Dockerfile").replace("\\\n", " ");
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = lines.map(|line| line.split_once(' ').unwrap());
    split
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .collect()
}

fn values(name: &str) -> Vec<String> {
    let all = instructions().into_iter();
    all.filter(|(given, _)| given == name)
        .map(|(_, value)| value)
        .collect()
}

/// The words of an instruction in the form of a list.
fn list(value: &str) -> Vec<String> {
    serde_json::from_str(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

#[test]
fn the_image_is_built_of_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for value in values("COPY") {
        let (from, words): (Vec<&str>, Vec<&str>) =
            value.split(' ').partition(|word| word.starts_with("--"));
        if from.is_empty() {
            for source in &words[..words.len() - 1] {
                assert!(root.join(source).exists(), "{source} is not there");
            }
        }
    }
    // The compiler is the one that the toolchain file names, and no base is "latest".
    let toolchain = fs::read_to_string(root.join("rust-toolchain.toml")).unwrap();
    let (_, version) = toolchain.split_once("channel = \"").unwrap();
    let (version, _) = version.split_once('"').unwrap();
    let bases = values("FROM");
    assert_eq!(bases[0], format!("rust:{version}-slim-bookworm AS build"));
    assert_eq!(bases[1..], ["scratch"]);
    let script = values("RUN").pop().unwrap();
    assert!(script.contains("host/deploy/image-root.sh target/release/airlock /image"));
    for ignored in text("Dockerfile.dockerignore").lines() {
        assert!(
            !ignored.starts_with("host") && !ignored.starts_with("guest"),
            "{ignored}"
        );
    }
}

#[test]
fn the_image_runs_the_program_as_a_user_of_its_own() {
    let is_number = |word: &str| word.parse::<u32>().is_ok_and(|id| id > 0);
    let user = values("USER").pop().unwrap();
    assert!(user.split(':').all(is_number), "{user}");
    assert_eq!(list(&values("ENTRYPOINT")[0]), ["/usr/bin/airlock"]);
    let health = values("HEALTHCHECK").pop().unwrap();
    let (_, probe) = health.split_once("CMD ").unwrap();
    assert_eq!(list(probe), ["/usr/bin/airlock", "health"]);
    // The probe asks where the server listens.
    let command = list(&values("CMD").pop().unwrap());
    assert!(command.contains(&"0.0.0.0:7004".to_owned()), "{command:?}");
    let help = run(&mut airlock(&["health", "--help"])).1;
    assert!(help.contains("[default: http://127.0.0.1:7004]"), "{help}");
    // The program takes these arguments: with one more that is wrong, it complains of that alone.
    let words: Vec<&str> = command
        .iter()
        .map(String::as_str)
        .chain(["--wrong"])
        .collect();
    let (code, _, err) = run(&mut airlock(&words));
    assert_eq!(code, Some(2));
    assert!(err.contains("unexpected argument '--wrong'"), "{err}");
}

/// The settings of the unit, in order.
fn settings() -> Vec<(String, String)> {
    let text = text("airlock.service");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn setting(key: &str) -> String {
    let found = settings().into_iter().find(|(given, _)| given == key);
    found.unwrap_or_else(|| panic!("{key} is not set")).1
}

#[test]
fn the_unit_starts_the_program_and_leaves_it_time_to_stop() {
    let start = setting("ExecStart");
    let words: Vec<&str> = start.split(' ').skip(1).chain(["--wrong"]).collect();
    let (code, _, err) = run(&mut airlock(&words));
    assert_eq!(code, Some(2));
    assert!(err.contains("unexpected argument '--wrong'"), "{err}");
    // `notify.rs` tests that this is true.
    assert_eq!(setting("Type"), "notify");
    let limits = Limits::default();
    let needed = (limits.unready_ms + limits.drain_ms + 2 * limits.cancel_ms).div_ceil(1_000);
    let given: u64 = setting("TimeoutStopSec").parse().unwrap();
    assert!(
        (needed..needed + 10).contains(&given),
        "{given} for {needed}"
    );
    // systemd would not let machine code be made: every connector would be refused.
    assert!(
        settings()
            .iter()
            .all(|(key, _)| key != "MemoryDenyWriteExecute")
    );
    for hardening in [
        "NoNewPrivileges",
        "DynamicUser",
        "PrivateDevices",
        "RestrictNamespaces",
    ] {
        assert_eq!(setting(hardening), "yes", "{hardening}");
    }
}

/// With the credentials that the unit hands over, and the memory that it allows.
#[test]
fn the_configuration_of_the_unit_is_fit() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let credentials = "/run/credentials/airlock.service";
    let config = text("airlock.toml");
    for (key, value) in settings().iter().filter(|(key, _)| key == "LoadCredential") {
        let (name, _) = value.split_once(':').unwrap();
        assert!(
            config.contains(&format!("{credentials}/{name}")),
            "{key}={value} is not used"
        );
        let secret = "host=127.0.0.1 port=1 dbname=orders user=airlock password=change-me";
        fs::write(at(name), secret).unwrap();
    }
    fs::create_dir(at("connectors")).unwrap();
    let config = config
        .replace(credentials, path(directory.path()))
        .replace("/etc/airlock", path(directory.path()));
    fs::write(at("airlock.toml"), config).unwrap();
    let (code, out, _) = run(&mut airlock(&["check", path(&at("airlock.toml"))]));
    assert_eq!(code, Some(0), "{out}");
    let config = Config::load(Some(&at("airlock.toml"))).unwrap();
    let limits = config.limits;
    let needed = (limits.unready_ms + limits.drain_ms + 2 * limits.cancel_ms).div_ceil(1_000);
    assert!(setting("TimeoutStopSec").parse::<u64>().unwrap() >= needed);
    assert_eq!(setting("MemoryMax"), "1G");
    assert!(needed_mebibytes(&at("airlock.toml")) <= 1_024);
}

/// What serving and compiling may take by a configuration, in MiB, as the doctor says.
pub(crate) fn needed_mebibytes(config: &Path) -> u64 {
    let mut doctor = airlock(&["doctor", "--json", "--config", path(config)]);
    let report: Value = serde_json::from_str(&run(&mut doctor).1).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let memory = findings
        .iter()
        .find(|found| found["check"] == "host.memory");
    let found = memory.unwrap()["found"].as_str().unwrap();
    let (_, parts) = found.split_once("; ").unwrap();
    let numbers = parts.split(' ').filter_map(|word| word.parse::<u64>().ok());
    numbers.sum()
}
