//! Which components are to be loaded, and from where.

use super::Config;
use crate::connector::EMBEDDED;
use crate::policy::Policy;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A component that is to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentSource {
    /// The name that it must have.
    pub name: String,
    /// Its file; none for the one that is embedded.
    pub file: Option<PathBuf>,
    /// What it is held to.
    pub policy: Arc<Policy>,
}

impl Config {
    /// The components that are to be loaded: those of the tables, those in the directory, and the
    /// embedded one where no file takes its place. In the order of their names.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn components(&self) -> io::Result<Vec<ComponentSource>> {
        let mut files = BTreeMap::from([(EMBEDDED.to_owned(), None)]);
        for file in self.files()? {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            if self.unlisted_connectors || self.connectors.contains_key(&*name) {
                files.insert(name.into_owned(), Some(file));
            }
        }
        for (name, connector) in &self.connectors {
            match &connector.path {
                _ if !connector.enabled => {
                    files.remove(name);
                }
                Some(path) => {
                    files.insert(name.clone(), Some(path.clone()));
                }
                None => {}
            }
        }
        let sources = files.into_iter().map(|(name, file)| ComponentSource {
            policy: self.policy(&name),
            name,
            file,
        });
        Ok(sources.collect())
    }

    /// Whether the connector `name` is kept out of service.
    #[must_use]
    pub fn is_disabled(&self, name: &str) -> bool {
        self.connectors
            .get(name)
            .is_some_and(|table| !table.enabled)
    }

    /// The component that is to be loaded as the connector `name`, where there is one.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<ComponentSource> {
        let table = self.connectors.get(name);
        let in_directory = || {
            let listed = self.unlisted_connectors || table.is_some();
            // What is no name must not lead out of the directory.
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            let directory = self.connector_dir.as_ref();
            let directory = directory.filter(|_| listed && name.bytes().all(plain))?;
            let file = directory.join(format!("{name}.wasm"));
            file.symlink_metadata().is_ok().then_some(file)
        };
        let file = match table {
            Some(_) if self.is_disabled(name) => return None,
            Some(table) if table.path.is_some() => table.path.clone(),
            _ => in_directory(),
        };
        (file.is_some() || name == EMBEDDED).then(|| ComponentSource {
            name: name.to_owned(),
            file,
            policy: self.policy(name),
        })
    }

    /// The `.wasm` files of the directory.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let Some(directory) = &self.connector_dir else {
            return Ok(Vec::new());
        };
        let unreadable = |error: io::Error| {
            let message = format!("cannot read {}: {error}", directory.display());
            io::Error::new(error.kind(), message)
        };
        let entries = fs::read_dir(directory).map_err(unreadable)?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let is_component = |path: &Path| path.extension().is_some_and(|end| end == "wasm");
        paths
            .filter(|path| path.as_ref().map_or(true, |path| is_component(path)))
            .collect::<io::Result<_>>()
            .map_err(unreadable)
    }
}
