//! `airlock build`: what goes wrong, and what is said then.

use crate::project::{JAVASCRIPT, PYTHON, Project, RUST, command, said};
use std::fs;

#[test]
fn what_is_no_project_is_told_so() {
    let project = Project::new(RUST);
    assert!(
        project
            .failed(&["build", "src"], 2)
            .contains("airlock new NAME")
    );
    assert!(project.failed(&["build", "nowhere"], 2).contains("nowhere"));
    fs::write(project.at("package.json"), "{}").unwrap();
    let message = project.failed(&["build"], 2);
    assert!(
        message.contains("both Cargo.toml and package.json"),
        "{message}"
    );
}

#[test]
fn a_missing_tool_is_named_with_the_next_step() {
    for (language, missing, step) in [
        (RUST, "cargo is not there", "rustup.rs"),
        (PYTHON, "python3 is not there", "venv"),
        (JAVASCRIPT, "npm is not there", "nodejs.org"),
    ] {
        let project = Project::new(language);
        let mut build = command(&project.directory);
        let output = build.arg("build").env("PATH", "/nowhere").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let message = said(&output);
        assert!(
            message.contains(missing) && message.contains(step),
            "{message}"
        );
    }
}

#[test]
fn unclear_pins_are_told() {
    let python = Project::new(PYTHON);
    fs::write(python.at("requirements.txt"), "componentize-py\n").unwrap();
    assert!(python.failed(&["build"], 1).contains("componentize-py==0."));
    let javascript = Project::new(JAVASCRIPT);
    fs::write(javascript.at("package.json"), r#"{"main": "connector.js"}"#).unwrap();
    assert!(javascript.failed(&["build"], 1).contains("devDependencies"));
    fs::write(javascript.at("package.json"), "{}").unwrap();
    assert!(javascript.failed(&["build"], 1).contains("\"main\""));
}

#[test]
fn errors_in_the_source_are_shown() {
    for (language, broken, shown) in [
        (RUST, "no_such_macro!();", "no_such_macro"),
        (PYTHON, "import no_such_module", "no_such_module"),
        (
            JAVASCRIPT,
            "throw new Error('no such luck');",
            "no such luck",
        ),
    ] {
        let project = Project::new(language).with_tools(language);
        let source = fs::read_to_string(project.at(language.source)).unwrap();
        // Behind what has to come first in a file.
        fs::write(project.at(language.source), source + "\n" + broken + "\n").unwrap();
        let message = project.failed(&["build"], 1);
        assert!(message.contains(shown), "{message}");
        assert!(!project.at("notes.wasm").exists());
    }
}

#[test]
fn crates_that_are_no_connectors_are_told_what_is_missing() {
    let project = Project::new(RUST);
    project.replace("src/lib.rs", "airlock_connector::export!(Notes);", "");
    let message = project.failed(&["build"], 1);
    assert!(message.contains("export!"), "{message}");
    project.replace("Cargo.toml", "[\"cdylib\"]", "[\"rlib\"]");
    let message = project.failed(&["build"], 1);
    assert!(message.contains("crate-type"), "{message}");
}

/// As a server does before a version goes live.
#[test]
fn what_a_server_would_refuse_is_not_put_into_place() {
    let project = Project::new(RUST);
    project.replace(
        "src/lib.rs",
        r#"{"text": "Buy milk", "pinned": true}"#,
        "{}",
    );
    let message = project.failed(&["build"], 1);
    assert!(message.contains("the example of AddNote"), "{message}");
    assert!(!project.at("notes.wasm").exists());
}
