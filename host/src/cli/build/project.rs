//! The project of a connector: where it is, in which language it is written, how it is configured.

use crate::cli::Result;
use crate::cli::input::Usage;
use crate::cli::language::Language;
use airlock::Policy;
use airlock::config::Config;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file by which each language is known.
const MARKS: [(&str, Language); 3] = [
    ("Cargo.toml", Language::Rust),
    ("requirements.txt", Language::Python),
    ("package.json", Language::Javascript),
];

/// Configuration of the project.
const CONFIG: &str = "airlock.toml";

/// The project of a connector.
#[derive(Debug)]
pub(in crate::cli) struct Project {
    /// Its directory, from the root.
    pub(in crate::cli) directory: PathBuf,
    /// What its connector is written in.
    pub(in crate::cli) language: Language,
}

impl Project {
    /// The project in a directory.
    ///
    /// # Errors
    /// Where there is none, or it is not clear in which language.
    pub(in crate::cli) fn find(directory: &Path) -> Result<Project> {
        let shown = directory.display();
        let directory = directory
            .canonicalize()
            .map_err(|error| Usage(format!("there is no directory {shown}: {error}")))?;
        let marks = MARKS.iter();
        let found: Vec<_> = marks
            .filter(|(mark, _)| directory.join(mark).is_file())
            .collect();
        match found.as_slice() {
            [(_, language)] => Ok(Project {
                directory,
                language: *language,
            }),
            [] => Err(Usage(format!(
                "{shown} is not the project of a connector: it has no Cargo.toml, requirements.txt or package.json. Make one by: airlock new NAME"
            ))
            .into()),
            [(first, _), (second, _), ..] => Err(Usage(format!(
                "{shown} has both {first} and {second}, so it is not clear what to build; move one of them elsewhere"
            ))
            .into()),
        }
    }

    /// Its configuration file, where there is one.
    pub(in crate::cli) fn config_file(&self) -> Option<PathBuf> {
        Some(self.directory.join(CONFIG)).filter(|file| file.is_file())
    }

    /// Its configuration; the defaults where it has none.
    ///
    /// # Errors
    /// With every mistake in it.
    pub(in crate::cli) fn config(&self) -> Result<Config> {
        Ok(Config::load(self.config_file().as_deref())?)
    }

    /// What the connector `name` may do: what the project configures, else what its profile says.
    ///
    /// A digest that is pinned, and calls that have to be planned as before, are for a server: what is
    /// built here is to be another version.
    pub(in crate::cli) fn policy(&self, config: &Config, name: &str) -> Arc<Policy> {
        let policy = match config.connectors.get(name) {
            Some(configured) => (*configured.policy).clone(),
            None => Policy::of(self.language.profile()),
        };
        Arc::new(Policy {
            sha256: None,
            replay: None,
            ..policy
        })
    }
}
