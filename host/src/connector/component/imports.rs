//! What a component imports, and how it gets that.

use crate::connector::bindings::ConnectorPre;
use crate::connector::engine::Sandbox;
use crate::connector::store::Meter;
use crate::connector::wasi;
use crate::fault::Fault;
use crate::policy::Imports;
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

/// What a component imports, where the contract has it or the policy has granted it.
pub(super) fn imported(
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

/// Gives a component what it imports.
pub(super) fn link(
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

/// Whether there is no function among them.
pub(super) fn only_types(imports: &[Import]) -> bool {
    imports.iter().all(|import| import.needs == Imports::None)
}

fn refused(reason: &str, error: &wasmtime::Error) -> Fault {
    Fault::connector(format!("{reason}: {error:#}"))
}
