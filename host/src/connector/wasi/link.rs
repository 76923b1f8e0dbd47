//! Links what a component imports, and nothing else.

use super::{Caller, Interface, Stop, cli, clocks, poll, random, sockets, streams};
use crate::connector::store::Meter;
use std::sync::Arc;
use wasmtime::component::types::{self, ComponentItem};
use wasmtime::component::{Component, Linker, ResourceType};
use wasmtime::{Engine, bail, ensure};

/// Functions, types and resources that one component may import. All of WASI 0.2 has a few hundred.
const MAX_ITEMS: usize = 2_000;

/// A resource of an interface that is closed: there is never one.
struct Nothing;

/// Whether `name` is an interface of WASI 0.2, such as `wasi:cli/environment@0.2.6`.
pub(in crate::connector) fn is_wasi(name: &str) -> bool {
    interface(name).is_some()
}

/// `wasi:cli/environment` of `wasi:cli/environment@0.2.6`.
fn interface(name: &str) -> Option<&str> {
    let (interface, version) = name.split_once('@')?;
    let patch = version.strip_prefix("0.2.")?;
    let released = !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit());
    (interface.starts_with("wasi:") && released).then_some(interface)
}

/// Gives `component` the interfaces of WASI that it imports.
///
/// # Errors
/// When there is more in them than WASI has: other things than functions, types and resources, or too
/// many.
pub(in crate::connector) fn link(
    linker: &mut Linker<Meter>,
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    // What is open is put over what was closed before.
    linker.allow_shadowing(true);
    let mut closing = Closing::default();
    for (name, import) in component.component_type().imports(engine) {
        if let (Some(interface), ComponentItem::ComponentInstance(instance)) =
            (interface(name), import.ty)
        {
            let mut linked = linker.instance(name)?;
            closing.close(&mut linked, engine, name, &instance)?;
            open(&mut linked, interface)?;
        }
    }
    Ok(())
}

/// Links what is imported so that it stops the connector that calls it.
#[derive(Default)]
struct Closing {
    /// Functions and resources so far.
    linked: usize,
    /// Resources of the interfaces so far.
    resources: Vec<ResourceType>,
}

impl Closing {
    fn close(
        &mut self,
        linked: &mut Interface<'_>,
        engine: &Engine,
        name: &str,
        instance: &types::ComponentInstance,
    ) -> wasmtime::Result<()> {
        let interface: Arc<str> = name.into();
        for (export, item) in instance.exports(engine) {
            self.linked += 1;
            ensure!(
                self.linked <= MAX_ITEMS,
                "there is more of WASI than there is"
            );
            match item.ty {
                ComponentItem::ComponentFunc(_) => {
                    let (interface, function): (_, Arc<str>) = (interface.clone(), export.into());
                    linked.func_new(export, move |_: Caller<'_>, _, _, _| {
                        let (interface, function) = (interface.clone(), function.clone());
                        Err(Stop::Closed {
                            interface,
                            function,
                        }
                        .into())
                    })?;
                }
                // An interface that takes a resource from another one exports it, too.
                ComponentItem::Resource(resource) if self.resources.contains(&resource) => {}
                ComponentItem::Resource(resource) => {
                    self.resources.push(resource);
                    let nothing = ResourceType::host::<Nothing>();
                    linked.resource(export, nothing, |_, _| Ok(()))?;
                }
                ComponentItem::Type(_) => {}
                _ => bail!("{name} holds more than functions, types and resources"),
            }
        }
        Ok(())
    }
}

/// Links the functions of an interface that work, where there are any.
fn open(linked: &mut Interface<'_>, interface: &str) -> wasmtime::Result<()> {
    match interface {
        "wasi:cli/environment" => cli::environment(linked),
        "wasi:cli/exit" => cli::exit(linked),
        "wasi:cli/stdin" => cli::stdin(linked),
        "wasi:cli/stdout" => cli::output(linked, "get-stdout"),
        "wasi:cli/stderr" => cli::output(linked, "get-stderr"),
        "wasi:cli/terminal-input" => cli::terminal(linked, "terminal-input"),
        "wasi:cli/terminal-output" => cli::terminal(linked, "terminal-output"),
        "wasi:cli/terminal-stdin" => cli::no_terminal(linked, "get-terminal-stdin"),
        "wasi:cli/terminal-stdout" => cli::no_terminal(linked, "get-terminal-stdout"),
        "wasi:cli/terminal-stderr" => cli::no_terminal(linked, "get-terminal-stderr"),
        "wasi:clocks/monotonic-clock" => clocks::monotonic(linked),
        "wasi:clocks/wall-clock" => clocks::wall(linked),
        "wasi:filesystem/preopens" => cli::preopens(linked),
        "wasi:io/error" => streams::error(linked),
        "wasi:io/poll" => poll::poll(linked),
        "wasi:io/streams" => streams::streams(linked),
        "wasi:random/insecure" => random::insecure(linked),
        "wasi:random/insecure-seed" => random::seed(linked),
        "wasi:random/random" => random::random(linked),
        "wasi:sockets/instance-network" => sockets::network(linked),
        "wasi:sockets/ip-name-lookup" => sockets::denied(linked, "resolve-addresses"),
        "wasi:sockets/network" => sockets::network_type(linked),
        "wasi:sockets/tcp-create-socket" => sockets::denied(linked, "create-tcp-socket"),
        "wasi:sockets/udp-create-socket" => sockets::denied(linked, "create-udp-socket"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_releases_of_wasi_0_2_are_wasi() {
        for name in ["wasi:cli/exit@0.2.0", "wasi:http/types@0.2.12"] {
            assert!(is_wasi(name), "{name}");
        }
        for name in [
            "wasi:cli/exit",
            "wasi:cli/exit@0.2.",
            "wasi:cli/exit@0.2.0-rc",
            "wasi:cli/exit@0.2.0@0.2.0",
            "wasi:cli/exit@0.3.0",
            "wasi:cli/exit@0.20.0",
            "airlock:cli/exit@0.2.0",
            "wasi@0.2.0-wasi:",
        ] {
            assert!(!is_wasi(name), "{name}");
        }
    }
}
