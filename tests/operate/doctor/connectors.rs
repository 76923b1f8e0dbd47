//! Connectors that are not what they should be.

use super::Place;
use airlock_tests::world::{answering, digest};

#[test]
fn components_are_loaded_and_held_to_their_digests() {
    let good = answering("a", "good").component();
    let right = digest(&good);
    let wrong = digest(b"another");
    let config =
        |sha256: &str| format!("connector_dir = \".\"\n[connectors.a]\nsha256 = \"{sha256}\"\n");
    let place = Place::new(&config(&right)).with("a.wasm", &good);
    let report = place.look(&[]);
    report.expect("connectors.a", "ok", &right);
    report.expect_all_ok();
    let place = Place::new(&config(&wrong)).with("a.wasm", &good);
    let report = place.look(&[]);
    report.expect("connectors.a", "failed", "sha256");
    report.expect_only("connectors.a");
    report.expect("connectors.postgres_v2", "ok", "loads");
}

#[test]
fn what_is_no_connector_or_is_missing_is_told() {
    let config = "connector_dir = \".\"\n[connectors.a]\n[connectors.b]\n";
    let mut trap = answering("a", "bad");
    trap.plan = "unreachable".into();
    for (contents, says) in [
        (b"no component".to_vec(), "is not WebAssembly"),
        (trap.component(), "the example of C cannot be planned"),
    ] {
        let place = Place::new(config).with("a.wasm", contents);
        let report = place.look(&[]);
        report.expect("connectors.a", "failed", says);
        report.expect("connectors.b", "warning", "no file");
    }
}
