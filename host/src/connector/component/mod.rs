//! A loaded connector.

use super::bindings::airlock::connector::types as wit;
use super::bindings::{Connector as Instance, ConnectorPre};
use super::convert::is_name;
use super::digest::Digest;
use super::engine::Sandbox;
use super::patience::Patience;
use super::store::{self, Meter};
use super::wasi;
use crate::call::CommandSpec;
use crate::fault::Fault;
use crate::metrics::{CommandMetrics, Metrics};
use crate::plan::{Manifest, Plan, StatementOutcome};
use crate::policy::{Imports, Policy};
use crate::usage::Usage;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use wasmtime::Store;
use wasmtime::component::{Component, Linker, types::ComponentItem};

/// The one import that every component may name: the contract's types, which hold no function.
const TYPES: &str = "airlock:connector/types@0.1.0";

/// Why a component is refused that names an import of WASI and means something else.
const FOREIGN_IMPORTS: &str = "the component's imports are not those of WASI 0.2";

/// An import of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its name, such as `wasi:cli/environment@0.2.6`.
    pub name: String,
    /// What a policy has to grant for it; nothing for the contract's types.
    pub needs: Imports,
}

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
        check_file(digest, bytes.len(), &policy)?;
        recognise(bytes)?;
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
        check_file(self.digest, self.size, &policy)?;
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
        let imports = imports(sandbox, component, policy.imports)?;
        let instantiate = link(sandbox, component, &imports)?;
        let limits = &policy.limits;
        let uses_wasi = !only_types(&imports);
        let mut store = store::new(sandbox, limits, limits.manifest_bytes, uses_wasi)?;
        let manifest = describe(&mut store, &instantiate);
        if let Some(state) = &store.data().wasi {
            wasi::log(state, &digest.to_string(), "describe");
        }
        let manifest = manifest?;
        Ok(Connector {
            commands: check_manifest(&manifest)?,
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

    /// Plans one call from its sealed input, in a fresh instance.
    ///
    /// # Errors
    /// What the connector answers, or its fault where it traps or goes beyond a limit.
    pub fn plan(&self, command: &str, sealed: &str) -> Result<Plan, Fault> {
        let answer = self.plan_within(Patience::Full, command, sealed);
        answer.unwrap_or_else(|| Err(Fault::internal("a plan was given up")))
    }

    /// As [`Connector::plan`]; none where it takes longer than `patience`.
    pub(crate) fn plan_within(
        &self,
        patience: Patience,
        command: &str,
        sealed: &str,
    ) -> Option<Result<Plan, Fault>> {
        self.ask(patience, command, sealed, |instance, store, call| {
            instance.call_plan(store, call)
        })
    }

    /// Continues a call with the outcomes of its last plan, in a fresh instance; none where it takes
    /// longer than `patience`.
    pub(crate) fn resume_within(
        &self,
        patience: Patience,
        command: &str,
        sealed: &str,
        state: &[u8],
        outcomes: &[StatementOutcome],
    ) -> Option<Result<Plan, Fault>> {
        let outcomes: Vec<wit::Outcome> = outcomes.iter().map(Into::into).collect();
        self.ask(patience, command, sealed, |instance, store, call| {
            instance.call_resume(store, call, state, &outcomes)
        })
    }

    fn ask(
        &self,
        patience: Patience,
        command: &str,
        sealed: &str,
        call_in: impl FnOnce(
            &Instance,
            &mut Store<Meter>,
            &wit::Call,
        ) -> wasmtime::Result<Result<wit::Plan, wit::Failure>>,
    ) -> Option<Result<Plan, Fault>> {
        let limits = &self.policy.limits;
        let limit = limits.input_bytes;
        if sealed.len() > limit {
            let message = format!(
                "the call without its values has {} bytes; the limit input_bytes is {limit}",
                sealed.len()
            );
            return Some(Err(Fault::parameters("ProgramLimitExceeded", message)));
        }
        let call = wit::Call {
            command: command.into(),
            input: sealed.into(),
        };
        let store = store::new(&self.sandbox, limits, limits.plan_bytes, !self.is_pure());
        let mut store = match store {
            Ok(store) => store,
            Err(fault) => return Some(Err(fault)),
        };
        patience.set(&mut store, limits);
        let answer = self
            .instantiate
            .instantiate(&mut store)
            .and_then(|instance| call_in(&instance, &mut store, &call));
        if let Err(error) = &answer
            && patience.is_shorter_than(limits)
            && store::is_out_of_time(error)
        {
            return None;
        }
        let fuel_left = store.get_fuel().unwrap_or(limits.plan_fuel);
        let fuel = limits.plan_fuel - fuel_left;
        self.usage.took(fuel, store.data().memory_bytes() as u64);
        let place = self.position(command);
        if let Some(metrics) = place.and_then(|place| self.command_metrics(place)) {
            metrics.add_fuel(fuel);
        }
        if let Some(state) = &store.data().wasi {
            wasi::log(state, &self.name, command);
        }
        Some(match answer {
            Ok(Ok(plan)) => Ok(plan.into()),
            Ok(Err(failure)) => Err(failure.into()),
            Err(error) => Err(store::stopped(&store, "plan_bytes", error)),
        })
    }
}

/// Gives a component what it imports.
fn link(
    sandbox: &Sandbox,
    component: &Component,
    imports: &[Import],
) -> Result<ConnectorPre<Meter>, Fault> {
    let mut linker = Linker::new(&sandbox.engine);
    if !only_types(imports) {
        wasi::link(&mut linker, &sandbox.engine, component)
            .map_err(|error| refused(FOREIGN_IMPORTS, &error))?;
    }
    let linked = linker
        .instantiate_pre(component)
        .map_err(|error| refused(FOREIGN_IMPORTS, &error))?;
    ConnectorPre::new(linked).map_err(|error| {
        refused(
            "the component does not export the world airlock:connector/connector@0.1.0",
            &error,
        )
    })
}

/// Whether the policy lets in this file.
fn check_file(digest: Digest, bytes: usize, policy: &Policy) -> Result<(), Fault> {
    let limit = policy.limits.component_bytes;
    if bytes > limit {
        return Err(Fault::connector(format!(
            "the file has {bytes} bytes; the limit component_bytes is {limit}"
        )));
    }
    match policy.sha256.filter(|pinned| *pinned != digest) {
        Some(pinned) => Err(Fault::connector(format!(
            "the component is {digest}; its policy wants {pinned}"
        ))),
        None => Ok(()),
    }
}

/// Tells the common mistakes apart before the compiler does.
fn recognise(bytes: &[u8]) -> Result<(), Fault> {
    match bytes.first_chunk::<8>() {
        Some(b"\0asm\x0d\0\x01\0") => Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => Err(Fault::connector(
            "the file is a core WebAssembly module, not a component; encode it as a component first",
        )),
        Some([0, b'a', b's', b'm', ..]) => Err(Fault::connector(
            "the file is WebAssembly of an unknown version",
        )),
        _ => Err(Fault::connector("the file is not WebAssembly")),
    }
}

fn only_types(imports: &[Import]) -> bool {
    imports.iter().all(|import| import.needs == Imports::None)
}

fn imports(
    sandbox: &Sandbox,
    component: &Component,
    granted: Imports,
) -> Result<Vec<Import>, Fault> {
    let kind = component.component_type();
    let mut imports = Vec::new();
    for (name, item) in kind.imports(&sandbox.engine) {
        let needs = match item.ty {
            ComponentItem::ComponentInstance(instance) if name == TYPES => instance
                .exports(&sandbox.engine)
                .all(|(_, item)| matches!(item.ty, ComponentItem::Type(_)))
                .then_some(Imports::None),
            ComponentItem::ComponentInstance(_) if wasi::is_wasi(name) => {
                Some(Imports::VirtualWasi)
            }
            _ => None,
        };
        let hint = match needs {
            Some(needs) if needs == Imports::None || needs == granted => {
                let name = name.to_owned();
                imports.push(Import { name, needs });
                continue;
            }
            Some(_) => {
                "; the connector's table in the configuration can grant it: imports = \"virtual-wasi\""
            }
            None => "",
        };
        return Err(Fault::connector(format!(
            "the component imports {name}, which is not granted{hint}"
        )));
    }
    Ok(imports)
}

fn describe(
    store: &mut Store<Meter>,
    instantiate: &ConnectorPre<Meter>,
) -> Result<Manifest, Fault> {
    let described = instantiate
        .instantiate(&mut *store)
        .and_then(|instance| instance.call_describe(&mut *store));
    described
        .map(Into::into)
        .map_err(|error| store::stopped(store, "manifest_bytes", error))
}

fn check_manifest(manifest: &Manifest) -> Result<Vec<CommandSpec>, Fault> {
    if !is_name(&manifest.name) || manifest.name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(Fault::connector(
            "the connector's name must be 1 to 64 characters of a-z, 0-9 and _",
        ));
    }
    let mut names = BTreeSet::new();
    for command in &manifest.commands {
        if !is_name(&command.name) || !names.insert(&command.name) {
            return Err(Fault::connector(format!(
                "the command name {:?} is malformed or taken",
                command.name
            )));
        }
        let mut parameters = BTreeSet::new();
        if let Some(twice) = command
            .parameters
            .iter()
            .find(|parameter| !parameters.insert(&parameter.name))
        {
            return Err(Fault::connector(format!(
                "{} has two parameters {:?}",
                command.name, twice.name
            )));
        }
    }
    manifest
        .commands
        .iter()
        .cloned()
        .map(CommandSpec::new)
        .collect()
}

fn refused(reason: &str, error: &wasmtime::Error) -> Fault {
    Fault::connector(format!("{reason}: {error:#}"))
}
