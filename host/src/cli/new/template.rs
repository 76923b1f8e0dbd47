//! The files of a new project, from those that are in this program.

use super::sdk;
use crate::cli::Result;
use crate::cli::language::Language;
use std::path::PathBuf;

// `EMBEDDED: &[(&str, &str)]`: the files that `build.rs` takes in, by their paths in the workspace.
include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Where templates are.
const TEMPLATES: &str = "guest/templates";

/// The contract.
const WIT: &str = "wit/connector.wit";

/// A file of a project.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProjectFile {
    /// Where it goes, from the directory of the project.
    pub(super) path: PathBuf,
    /// What stands in it.
    pub(super) contents: String,
}

/// The files of the connector `name` in a language.
///
/// # Errors
/// Where this program was put together wrongly.
pub(super) fn files(name: &str, language: Language) -> Result<Vec<ProjectFile>> {
    let mut files = Vec::new();
    for template in ["shared", folder(language)] {
        let prefix = format!("{TEMPLATES}/{template}/");
        for (path, contents) in below(&prefix) {
            files.push(ProjectFile {
                path: path.into(),
                contents: fill(contents, name, language)?,
            });
        }
    }
    match language {
        Language::Rust => files.extend(sdk::files()?),
        Language::Python | Language::Javascript => files.push(ProjectFile {
            path: WIT.into(),
            contents: embedded(WIT)?.to_owned(),
        }),
    }
    Ok(files)
}

fn folder(language: Language) -> &'static str {
    match language {
        Language::Rust => "rust",
        Language::Python => "python",
        Language::Javascript => "javascript",
    }
}

/// Puts the words of this project into a template.
fn fill(template: &str, name: &str, language: Language) -> Result<String> {
    let (source, contract, needs, parts) = match language {
        Language::Rust => (
            "src/lib.rs",
            "sdk/wit/connector.wit",
            "Rust by rustup",
            "`sdk/` | the SDK, as it came with this version of Airlock",
        ),
        Language::Python => (
            "app.py",
            WIT,
            "Python 3 with venv",
            "`requirements.txt` | what the build needs, and what the connector imports",
        ),
        Language::Javascript => (
            "connector.js",
            WIT,
            "Node and npm",
            "`package.json` | what the build needs, and what the connector imports",
        ),
    };
    let mut text = template.to_owned();
    for (word, meaning) in [
        ("name", name),
        ("profile", language.profile_name()),
        ("source", source),
        ("contract", contract),
        ("needs", needs),
        ("parts", parts),
    ] {
        text = text.replace(&["{{", word, "}}"].concat(), meaning);
    }
    if language == Language::Rust {
        text = text.replace("{{serde}}", &sdk::dependency("serde")?);
        text = text.replace("{{toolchain}}", &sdk::toolchain()?);
    }
    Ok(text)
}

/// The files below a folder of the workspace, by their paths from there.
pub(super) fn below(prefix: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = EMBEDDED.iter();
    files.filter_map(move |(path, contents)| Some((path.strip_prefix(prefix)?, *contents)))
}

/// One file.
pub(super) fn embedded(path: &str) -> Result<&'static str> {
    let found = EMBEDDED.iter().find(|(found, _)| *found == path);
    let (_, contents) = found.ok_or_else(|| format!("{path} is not in this program"))?;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;
    use std::collections::BTreeSet;

    #[test]
    fn every_word_is_filled_in_and_every_file_has_its_own_place() {
        for language in Language::value_variants() {
            let files = files("notes", *language).unwrap();
            let paths: BTreeSet<_> = files.iter().map(|file| &file.path).collect();
            assert_eq!(paths.len(), files.len(), "{language}");
            // The SDK is Rust and no template.
            for file in files.iter().filter(|file| !file.path.starts_with("sdk")) {
                assert!(!file.contents.contains("{{"), "{}", file.path.display());
            }
            for expected in ["README.md", ".gitignore", "airlock.toml"] {
                assert!(paths.iter().any(|path| path.ends_with(expected)));
            }
        }
    }
}
