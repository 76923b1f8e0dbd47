//! The manifests for Kubernetes: held against its schemas, and against the program.
//!
//! `tests/data/kubernetes.json` holds what is needed of the strict schemas of Kubernetes 1.34.

use crate::deploy::needed_mebibytes;
use crate::{airlock, deployed, path, run};
use airlock::Limits;
use airlock::config::Config;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const SCHEMAS: &str = include_str!("../data/kubernetes.json");

fn manifest(name: &str) -> Value {
    let text = fs::read_to_string(deployed().join("kubernetes").join(name)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn problems(manifest: &Value) -> Vec<String> {
    let mut schema: Value = serde_json::from_str(SCHEMAS).unwrap();
    let kind = manifest["kind"].as_str().unwrap();
    schema["$ref"] = schema["kinds"][kind]["$ref"].clone();
    assert!(schema["$ref"].is_string(), "there is no schema of {kind}");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(manifest);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Lays a patch over a manifest as `kubectl` does: lists of what has a name go by it.
fn patch(manifest: &mut Value, patch: &Value) {
    match (manifest, patch) {
        (Value::Object(manifest), Value::Object(over)) => {
            for (key, value) in over {
                self::patch(manifest.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(manifest), Value::Array(over)) => {
            for item in over {
                let same = |given: &&mut Value| given["name"] == item["name"];
                match manifest.iter_mut().find(same) {
                    Some(given) if item.get("mountPath").is_none() => self::patch(given, item),
                    _ => manifest.push(item.clone()),
                }
            }
        }
        (manifest, over) => *manifest = over.clone(),
    }
}

fn resources() -> Vec<String> {
    let listed = manifest("kustomization.yaml")["resources"].clone();
    serde_json::from_value(listed).unwrap()
}

#[test]
fn manifests_keep_to_the_schemas() {
    for name in resources() {
        let manifest = manifest(&name);
        assert_eq!(problems(&manifest), [""; 0], "{name}");
        assert_eq!(manifest["metadata"]["name"], "airlock", "{name}");
    }
    for name in ["connectors-from-image.yaml", "connectors-from-volume.yaml"] {
        let mut patched = manifest("deployment.yaml");
        patch(&mut patched, &manifest(name));
        assert_eq!(problems(&patched), [""; 0], "{name}");
        let mounts = &patched["spec"]["template"]["spec"]["containers"][0]["volumeMounts"];
        assert_eq!(mounts.as_array().unwrap().len(), 4, "{name}: {mounts}");
    }
}

/// The check itself finds what is wrong.
#[test]
fn mistakes_in_manifests_are_found() {
    let mut wrong = manifest("deployment.yaml");
    wrong["spec"]["replica"] = json!(3);
    wrong["spec"]["template"]["spec"]["containers"][0]["image"] = json!(5);
    let problems = problems(&wrong);
    assert!(
        problems.iter().any(|text| text.contains("replica")),
        "{problems:?}"
    );
    assert!(
        problems.iter().any(|text| text.contains("/image")),
        "{problems:?}"
    );
}

#[test]
fn a_rolling_update_takes_nobody_away_too_early() {
    let deployment = manifest("deployment.yaml");
    let update = &deployment["spec"]["strategy"]["rollingUpdate"];
    assert_eq!(update["maxUnavailable"], 0);
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    for (probe, path) in [
        ("startupProbe", "/liveness"),
        ("livenessProbe", "/liveness"),
        ("readinessProbe", "/readiness"),
    ] {
        assert_eq!(container[probe]["httpGet"]["path"], path, "{probe}");
    }
    let directory = tempfile::tempdir().unwrap();
    let limits = configured(directory.path()).limits;
    let seconds = |value: &Value| value.as_u64().unwrap();
    // The pod is out of the service before it accepts no more.
    let readiness = &container["readinessProbe"];
    let questions = seconds(&readiness["periodSeconds"]) * seconds(&readiness["failureThreshold"]);
    let noticed = questions + seconds(&readiness["timeoutSeconds"]);
    assert!(noticed * 1_000 < limits.unready_ms, "{noticed} s to notice");
    // It is not killed before it has cancelled what is left.
    let needed = (limits.unready_ms + limits.drain_ms + 2 * limits.cancel_ms).div_ceil(1_000);
    let grace = seconds(&pod["terminationGracePeriodSeconds"]);
    assert!(
        (needed..needed + 10).contains(&grace),
        "{grace} for {needed}"
    );
    // Compiling the slowest components fits into the start.
    let start = &container["startupProbe"];
    let patience = seconds(&start["periodSeconds"]) * seconds(&start["failureThreshold"]);
    let script = airlock::ConnectorLimits::of(airlock::Profile::Script);
    assert!(
        patience * 1_000 > 2 * script.compile_ms,
        "{patience} s to start"
    );
}

/// Writes the configuration of the manifests, with files in the place of their secrets.
fn configured(directory: &Path) -> Config {
    let secrets = manifest("secret.yaml")["stringData"].clone();
    for (name, secret) in secrets.as_object().unwrap() {
        fs::write(directory.join(name), secret.as_str().unwrap()).unwrap();
    }
    let config = manifest("config.yaml")["data"]["airlock.toml"]
        .as_str()
        .unwrap()
        .to_owned();
    let config = config.replace("/run/secrets/airlock", path(directory));
    fs::write(directory.join("airlock.toml"), config).unwrap();
    Config::load(Some(&directory.join("airlock.toml"))).unwrap()
}

#[test]
fn the_configuration_fits_what_the_pod_gets() {
    let directory = tempfile::tempdir().unwrap();
    let config = configured(directory.path());
    assert_ne!(config.limits, Limits::default());
    let file = directory.path().join("airlock.toml");
    let (code, out, _) = run(&mut airlock(&["check", path(&file)]));
    assert_eq!(code, Some(0), "{out}");
    let pod = manifest("deployment.yaml")["spec"]["template"]["spec"].clone();
    let container = &pod["containers"][0];
    assert_eq!(container["resources"]["limits"]["memory"], "1Gi");
    assert!(needed_mebibytes(&file) <= 1_024);
    let args: Vec<String> = serde_json::from_value(container["args"].clone()).unwrap();
    let words: Vec<&str> = args.iter().map(String::as_str).chain(["--wrong"]).collect();
    let (_, _, err) = run(&mut airlock(&words));
    assert!(err.contains("unexpected argument '--wrong'"), "{err}");
    // What is read is mounted, and the one directory that is written to as well.
    let mounts = container["volumeMounts"].to_string();
    for place in ["/etc/airlock", "/run/secrets/airlock", "/var/cache/airlock"] {
        assert!(mounts.contains(place), "{place} is not mounted");
    }
    let user = pod["securityContext"]["runAsUser"].as_u64().unwrap();
    let dockerfile = fs::read_to_string(deployed().join("Dockerfile")).unwrap();
    assert!(dockerfile.contains(&format!("USER {user}:{user}")));
    let port = container["ports"][0]["containerPort"].as_u64().unwrap();
    assert_eq!(u64::from(config.listen.port()), port);
    // Nothing of the example is a secret that somebody could use.
    let secret = manifest("secret.yaml").to_string();
    assert_eq!(secret.matches("change-me").count(), 3);
}
