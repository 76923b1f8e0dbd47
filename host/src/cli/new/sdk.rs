//! The SDK for Rust, as a crate of the project.
//!
//! It is not published, so the project gets its source. In this workspace it inherits versions from the
//! workspace; in the project it has them itself.

use super::template::{ProjectFile, below, embedded};
use crate::cli::Result;
use std::path::Path;
use toml::{Table, Value};

/// Where the SDK is in this workspace.
const SDK: &str = "guest/sdk/";

/// Where it is in the project.
const PLACE: &str = "sdk";

/// The source of the SDK, and the versions that it and this program were built with.
pub(super) fn files() -> Result<Vec<ProjectFile>> {
    let workspace = workspace()?;
    let mut files = Vec::new();
    for (path, contents) in below(SDK) {
        let contents = match path {
            "Cargo.toml" => stand_alone(contents, &workspace)?,
            _ => contents.to_owned(),
        };
        files.push(ProjectFile {
            path: Path::new(PLACE).join(path),
            contents,
        });
    }
    files.push(ProjectFile {
        path: Path::new(PLACE).join("wit/connector.wit"),
        contents: embedded("wit/connector.wit")?.to_owned(),
    });
    // Cargo leaves out of it what the project does not use.
    files.push(ProjectFile {
        path: "Cargo.lock".into(),
        contents: embedded("Cargo.lock")?.to_owned(),
    });
    Ok(files)
}

/// A dependency of the workspace, as a manifest has it.
pub(super) fn dependency(name: &str) -> Result<String> {
    let workspace = workspace()?;
    let found = workspace
        .get("dependencies")
        .and_then(|all| all.get(name))
        .ok_or_else(|| format!("the workspace has no dependency {name}"))?;
    Ok(found.to_string())
}

/// The toolchain that this program was built with.
pub(super) fn toolchain() -> Result<String> {
    let file: Table = embedded("rust-toolchain.toml")?.parse()?;
    let channel = file
        .get("toolchain")
        .and_then(|toolchain| toolchain.get("channel"))
        .and_then(Value::as_str);
    Ok(channel
        .ok_or("the workspace names no toolchain")?
        .to_owned())
}

fn workspace() -> Result<Table> {
    let mut manifest: Table = embedded("Cargo.toml")?.parse()?;
    match manifest.remove("workspace") {
        Some(Value::Table(workspace)) => Ok(workspace),
        _ => Err("this program was not built from its workspace".into()),
    }
}

/// The manifest with everything in it that it inherits from the workspace.
fn stand_alone(manifest: &str, workspace: &Table) -> Result<String> {
    let mut manifest: Table = manifest.parse()?;
    // Its lints are for those who change it.
    manifest.remove("lints");
    for section in ["package", "dependencies"] {
        let (Some(Value::Table(own)), Some(Value::Table(inherited))) =
            (manifest.get_mut(section), workspace.get(section))
        else {
            return Err(format!("the SDK or the workspace has no {section}").into());
        };
        for (key, value) in own.iter_mut() {
            if value.get("workspace").is_some() {
                let base = inherited
                    .get(key)
                    .ok_or_else(|| format!("the workspace has no {key}"))?;
                *value = merged(base, value);
            }
        }
    }
    Ok(manifest.to_string())
}

/// What the workspace says of a key, with what is said beside `workspace = true`.
fn merged(base: &Value, own: &Value) -> Value {
    let mut more = own.as_table().cloned().unwrap_or_default();
    more.remove("workspace");
    if more.is_empty() {
        return base.clone();
    }
    let mut all = match base {
        Value::Table(table) => table.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    all.extend(more);
    Value::Table(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_inherits_nothing() {
        let files = files().unwrap();
        let manifest = files
            .iter()
            .find(|file| file.path == Path::new("sdk/Cargo.toml"));
        let contents = &manifest.unwrap().contents;
        assert!(!contents.contains("workspace"), "{contents}");
        let manifest: Table = contents.parse().unwrap();
        let wit = &manifest["dependencies"]["wit-bindgen"];
        assert!(wit["version"].is_str() && wit["optional"] == Value::Boolean(true));
        assert_eq!(wit["default-features"], Value::Boolean(false));
        assert!(files.iter().any(|file| file.path.ends_with("src/lex.rs")));
    }
}
