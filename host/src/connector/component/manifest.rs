//! What a component says of itself, and whether it keeps to the contract.

use crate::call::CommandSpec;
use crate::connector::bindings::ConnectorPre;
use crate::connector::convert::is_name;
use crate::connector::store::{self, Meter};
use crate::fault::Fault;
use crate::plan::Manifest;
use std::collections::BTreeSet;
use wasmtime::Store;

/// Asks for the manifest.
pub(super) fn describe(
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

/// The commands of a manifest, ready to receive calls.
pub(super) fn check(manifest: &Manifest) -> Result<Vec<CommandSpec>, Fault> {
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
