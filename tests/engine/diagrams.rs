//! The processes open in modelers that are built on bpmn.io, with every element in its place.

use super::here;
use airlock_tests::Node;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// What is wrong with diagrams, by file, and how many elements they have.
fn check(files: &[PathBuf]) -> Value {
    let node = Node::with(env!("CARGO_TARGET_TMPDIR"), &here());
    let mut program = node.program(&here().join("diagrams.mjs"));
    let output = program.args(files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_element_is_in_the_diagram() {
    let files = fs::read_dir(here().join("processes")).unwrap();
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 3);
    for (file, found) in check(&files).as_object().unwrap() {
        assert_eq!(found["wrong"], json!([]), "{file}");
        assert!(found["elements"].as_u64().unwrap() >= 7, "{file}");
    }
}

#[test]
fn what_would_not_show_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let good = fs::read_to_string(super::process("registration")).unwrap();
    for (at, (before, after, wrong)) in [
        (
            "bpmnElement=\"registered\"",
            "bpmnElement=\"elsewhere\"",
            "unresolved reference <elsewhere>",
        ),
        (
            "<di:waypoint x=\"690\" y=\"120\"",
            "<di:waypoint x=\"650\" y=\"120\"",
            "insert_to_registered does not leave insert_user",
        ),
        (
            "<bpmn:outgoing>start_to_form</bpmn:outgoing>",
            "",
            "start does not list start_to_form",
        ),
        (
            "<dc:Bounds x=\"642\" y=\"142\"",
            "<dc:Bounds x=\"642\" y=\"242\"",
            "already_there is not on the border of insert_user",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let broken = good.replacen(before, after, 1);
        assert_ne!(broken, good, "{before} is gone; change this test");
        let file = directory.path().join(format!("{at}.bpmn"));
        fs::write(&file, broken).unwrap();
        let found = check(std::slice::from_ref(&file));
        let found = &found[file.to_str().unwrap()]["wrong"];
        assert!(found.as_array().unwrap().contains(&json!(wrong)), "{found}");
    }
}
