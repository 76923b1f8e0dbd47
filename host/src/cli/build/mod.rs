//! `airlock build`: from a project to a component that a server takes.
//!
//! Each language has a file for what makes a component of its source. What comes then is the same for
//! all: the component is compiled, asked what it is, held to the policy of the project and made to plan
//! its examples, as a server does before a version goes live; then it is put into its place.

mod javascript;
mod project;
mod python;
mod rust;
mod tool;

pub(super) use project::Project;

use super::language::Language;
use super::sources::is_newer_than_source;
use super::{Ending, Result, connectors};
use airlock::config::Config;
use airlock::{Connector, Policy, Runtime};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the reason begins where a component exports something else.
const NO_WORLD: &str = "the component does not export the world";

/// Where components of a project are compiled and tried out.
pub(super) struct Workbench {
    /// The project.
    pub(super) project: Project,
    /// What it configures for its connector.
    pub(super) config: Config,
    /// Holds the version that was built last.
    pub(super) runtime: Runtime,
}

/// A connector that was built.
pub(super) struct Built {
    /// Loaded and tried out.
    pub(super) connector: Arc<Connector>,
    /// Where the component is.
    pub(super) file: PathBuf,
}

/// Builds and says what it is.
pub(super) fn run(directory: &Path) -> Result<Ending> {
    let workbench = Workbench::of(Project::find(directory)?)?;
    let built = workbench.build()?;
    let connector = &built.connector;
    let mut out = io::stdout().lock();
    writeln!(out, "component  {}", built.file.display())?;
    writeln!(
        out,
        "connector  {} {}",
        connector.name(),
        connector.version()
    )?;
    writeln!(out, "digest     {}", connector.digest())?;
    writeln!(out, "size       {} bytes", connector.size())?;
    writeln!(out, "imports    none but the contract's types")?;
    writeln!(
        out,
        "profile    {}",
        workbench.project.language.profile_name()
    )?;
    Ok(Ending::Done)
}

impl Workbench {
    /// The workbench of a project.
    ///
    /// # Errors
    /// Where its configuration has mistakes.
    pub(super) fn of(project: Project) -> Result<Workbench> {
        let config = project.config()?;
        let compiler = connectors::trusting_compiler(&config)?;
        Ok(Workbench {
            runtime: Runtime::compiling_by(compiler, config.limits)?,
            project,
            config,
        })
    }

    /// Reads the configuration of the project again.
    ///
    /// # Errors
    /// Where it has mistakes; the one before stays in force.
    pub(super) fn reconfigure(&mut self) -> Result<()> {
        self.config = self.project.config()?;
        Ok(())
    }

    /// Builds the project and puts the component into its place.
    ///
    /// # Errors
    /// Where a tool is missing or fails, with what to do, and where a server would refuse the component.
    pub(super) fn build(&self) -> Result<Built> {
        let Project {
            directory,
            language,
        } = &self.project;
        let bytes = match language {
            Language::Rust => rust::component(directory),
            Language::Python => python::component(directory),
            Language::Javascript => javascript::component(directory),
        }?;
        tool::progress("compiling and trying out the component");
        let connector = self.load(&bytes)?;
        let file = directory.join(connector.name()).with_extension("wasm");
        replace(&file, &bytes)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        Ok(Built { connector, file })
    }

    /// The component that was built before, where its source is as it was then. For Rust there is none: cargo
    /// knows better, and gives the same again.
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub(super) fn built_before(&self) -> Result<Option<Vec<u8>>> {
        let directory = &self.project.directory;
        if self.project.language == Language::Rust {
            return Ok(None);
        }
        let mut components = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "wasm")
            {
                components.push(path);
            }
        }
        // With more than one it is not clear which is meant.
        match components.as_slice() {
            [one] if is_newer_than_source(one, directory)? => Ok(Some(fs::read(one)?)),
            _ => Ok(None),
        }
    }

    /// Tries a component out as a server does before it goes live.
    ///
    /// # Errors
    /// Where a server would refuse it.
    pub(super) fn load(&self, bytes: &[u8]) -> Result<Arc<Connector>> {
        let language = self.project.language;
        let refused = |fault: airlock::Fault| {
            let reason = fault.message;
            let step = match language {
                Language::Rust if reason.contains(NO_WORLD) => {
                    "; its lib.rs has to hand the connector to airlock_connector::export!"
                }
                _ => "",
            };
            format!("it was built, but a server would refuse it: {reason}{step}")
        };
        let profile = Policy::of(language.profile());
        let unknown = self.runtime.compile(bytes, profile).map_err(refused)?;
        let policy = self.project.policy(&self.config, unknown.name());
        let loaded = self.runtime.swap(unknown.name(), bytes, policy);
        Ok(loaded.map_err(refused)?)
    }
}

/// Puts a file into its place at once, so that a server which looks on sees a whole one.
pub(super) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = file.with_extension("wasm.new");
    fs::write(&new, bytes)?;
    fs::rename(new, file)
}
