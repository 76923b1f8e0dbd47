//! A loaded connector.
//!
//! `file.rs` says whether a file may be one, `imports.rs` what it imports and what it gets, `manifest.rs` what
//! it says of itself, and `ask.rs` asks it for plans.

mod ask;
mod file;
mod imports;
mod manifest;

pub use imports::Import;

use super::bindings::ConnectorPre;
use super::digest::Digest;
use super::engine::Sandbox;
use super::store::{self, Meter};
use super::wasi;
use crate::call::CommandSpec;
use crate::fault::Fault;
use crate::metrics::{CommandMetrics, Metrics};
use crate::policy::Policy;
use crate::usage::Usage;
use imports::{imported, link, only_types};
use std::sync::{Arc, OnceLock};
use wasmtime::component::Component;

/// A component that exports the `connector` world, compiled and described.
///
/// Clones of the inner parts are cheap; share it behind an `Arc`.
pub struct Connector {
    name: String,
    version: String,
    summary: String,
    digest: Digest,
    planned_by: Arc<str>,
    size: usize,
    imports: Vec<Import>,
    commands: Vec<CommandSpec>,
    policy: Arc<Policy>,
    usage: Arc<Usage>,
    /// The numbers of each command, in their order, from the moment on that it goes live.
    metrics: OnceLock<Arc<[Arc<CommandMetrics>]>>,
    sandbox: Sandbox,
    instantiate: ConnectorPre<Meter>,
}

impl Connector {
    /// Compiles `bytes` or takes what was compiled before, checks what it imports and exports, asks it to
    /// describe itself, and has `try_out` try it out. From here on it is held to `policy`.
    ///
    /// Compiling takes a CPU-bound while; call it off the async threads.
    ///
    /// # Errors
    /// When the bytes are not a component, or another one than the policy wants, it exports another
    /// world, imports more than the contract's types and what the policy grants, or its manifest breaks
    /// the contract; those of `try_out`. The message gives the reason.
    pub fn load(
        sandbox: &Sandbox,
        bytes: &[u8],
        policy: Arc<Policy>,
        try_out: impl FnOnce(&Connector) -> Result<(), Fault>,
    ) -> Result<Connector, Fault> {
        let digest = Digest::of(bytes);
        file::check(digest, bytes.len(), &policy)?;
        file::recognise(bytes)?;
        let loaded = sandbox
            .compiler
            .compile(&sandbox.engine, bytes, digest, &policy.limits)?;
        let connector =
            Connector::describe(sandbox, &loaded.component, digest, bytes.len(), policy)?;
        try_out(&connector)?;
        // Few of those that are loaded are called at once, so none of the code stays in memory.
        let unused = loaded.map_anew(&sandbox.engine);
        let linked = unused.map(|component| link(sandbox, &component, &connector.imports));
        Ok(match linked {
            Some(Ok(instantiate)) => Connector {
                instantiate,
                ..connector
            },
            _ => connector,
        })
    }

    /// The same component, held to another policy from here on. It is not compiled again.
    ///
    /// # Errors
    /// Where it does not keep within that policy.
    pub fn held_to(&self, policy: Arc<Policy>) -> Result<Connector, Fault> {
        file::check(self.digest, self.size, &policy)?;
        let component = self.instantiate.instance_pre().component();
        let usage = self.usage.clone();
        let described =
            Connector::describe(&self.sandbox, component, self.digest, self.size, policy)?;
        let metrics = self.metrics.clone();
        Ok(Connector {
            usage,
            metrics,
            ..described
        })
    }

    fn describe(
        sandbox: &Sandbox,
        component: &Component,
        digest: Digest,
        size: usize,
        policy: Arc<Policy>,
    ) -> Result<Connector, Fault> {
        let imports = imported(sandbox, component, policy.imports)?;
        let instantiate = link(sandbox, component, &imports)?;
        let limits = &policy.limits;
        let uses_wasi = !only_types(&imports);
        let mut store = store::new(sandbox, limits, limits.manifest_bytes, uses_wasi)?;
        let manifest = manifest::describe(&mut store, &instantiate);
        if let Some(state) = &store.data().wasi {
            wasi::log(state, &digest.to_string(), "describe");
        }
        let manifest = manifest?;
        Ok(Connector {
            commands: manifest::check(&manifest)?,
            planned_by: format!("{}@{digest}", manifest.name).into(),
            name: manifest.name,
            version: manifest.version,
            summary: manifest.summary,
            digest,
            size,
            imports,
            policy,
            usage: Arc::default(),
            metrics: OnceLock::new(),
            sandbox: sandbox.clone(),
            instantiate,
        })
    }

    /// Name under which the commands are called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version, for people.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// One sentence about the connector.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// SHA-256 of the component.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Name and digest, as `postgres_v2@sha256:…`.
    #[must_use]
    pub fn planned_by(&self) -> &Arc<str> {
        &self.planned_by
    }

    /// Whether the same call always gives the same plan: the component imports nothing that could
    /// tell one moment from another.
    #[must_use]
    pub fn is_pure(&self) -> bool {
        only_types(&self.imports)
    }

    /// What it is held to.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// What it was asked and what it took.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Has the calls of its commands counted. The first to be counted in stay so.
    pub(crate) fn count_in(&self, metrics: &Metrics) {
        self.metrics.get_or_init(|| {
            let commands = self.commands.iter();
            let handles = commands.map(|spec| metrics.command(&self.name, &spec.command.name));
            handles.collect()
        });
    }

    /// The numbers of the command at this place; none before the connector goes live.
    pub(crate) fn command_metrics(&self, command: usize) -> Option<&Arc<CommandMetrics>> {
        self.metrics.get()?.get(command)
    }

    /// Size of the component in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// What the component imports.
    #[must_use]
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// The commands, in the order in which they are listed.
    #[must_use]
    pub fn commands(&self) -> &[CommandSpec] {
        &self.commands
    }

    /// The place of the command called `name` among the commands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        let mut commands = self.commands.iter();
        commands.position(|spec| spec.command.name == name)
    }
}
