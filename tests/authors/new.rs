//! `airlock new`.

use crate::project::{JAVASCRIPT, PYTHON, Project, RUST, run, said};
use std::fs;

#[test]
fn what_is_there_is_never_overwritten() {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join("notes")).unwrap();
    fs::write(parent.path().join("file"), "mine").unwrap();
    for name in ["notes", "file"] {
        let output = run(parent.path(), &["new", name]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("nothing is overwritten"));
    }
    assert!(
        fs::read_dir(parent.path().join("notes"))
            .unwrap()
            .next()
            .is_none()
    );
    assert_eq!(fs::read(parent.path().join("file")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2);
}

#[test]
fn names_and_templates_are_checked_before_anything_is_made() {
    let parent = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["new", "My-Notes"][..], "my_notes could be"),
        (&["new", "../notes"], "begin with a letter"),
        (&["new", "postgres_v2"], "choose another name"),
        (&["new", "notes", "--template", "cobol"], "python"),
        (&["new"], "NAME"),
    ] {
        let output = run(parent.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output).contains(part), "{}", said(&output));
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

/// Pins are exact, and name no registry.
#[test]
fn pins_are_exact() {
    let python = Project::new(PYTHON);
    let requirements = fs::read_to_string(python.at("requirements.txt")).unwrap();
    assert!(requirements.lines().all(|line| line.contains("==")));
    let javascript = Project::new(JAVASCRIPT);
    let lock = fs::read_to_string(javascript.at("package-lock.json")).unwrap();
    assert!(!lock.contains("://") && lock.contains("integrity"));
    let package: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(javascript.at("package.json")).unwrap()).unwrap();
    let pins = package["devDependencies"].as_object().unwrap();
    let exact = |version: &serde_json::Value| {
        version
            .as_str()
            .unwrap()
            .starts_with(|c: char| c.is_ascii_digit())
    };
    assert!(pins.len() == 1 && pins.values().all(exact));
    assert!(Project::new(RUST).at("Cargo.lock").is_file());
}
