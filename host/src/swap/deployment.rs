//! Which file each connector comes from, and the way from there into service.

use super::file::{self, Signature};
use crate::config::{ComponentSource, Config};
use crate::connector::{Connector, Digest, EMBEDDED};
use crate::fault::{Fault, Kind};
use crate::policy::Policy;
use crate::runtime::Runtime;
use crate::versions;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The connectors of a configuration on their way into a runtime.
pub struct Deployment {
    runtime: Arc<Runtime>,
    config: ArcSwap<Config>,
    /// One candidate of a connector at a time, so that the file that was read last is the one that is
    /// live in the end.
    turns: Mutex<BTreeMap<String, Turn>>,
}

/// The turn of one connector: the state of its file when it was last read whole.
type Turn = Arc<Mutex<Option<Signature>>>;

/// Why a connector is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Somebody asked for it.
    Asked,
    /// Its file or its policy changed. What a rollback withdrew stays out of service then.
    Changed,
}

impl Deployment {
    /// The connectors that `config` names, on their way into `runtime`.
    #[must_use]
    pub fn new(runtime: Arc<Runtime>, config: Arc<Config>) -> Deployment {
        runtime.set_network(config.network.clone());
        runtime.set_databases(config.databases.clone());
        Deployment {
            runtime,
            config: ArcSwap::new(config),
            turns: Mutex::default(),
        }
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    /// Where calls go.
    #[must_use]
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Brings every connector into service, several at a time; gives those that were refused, with
    /// the reasons. Takes a CPU-bound while.
    ///
    /// # Errors
    /// When the directory of components cannot be read.
    pub fn deploy_all(&self) -> io::Result<Vec<(String, Fault)>> {
        let components = self.config.load().components()?;
        let names: Vec<String> = components
            .into_iter()
            .map(|component| component.name)
            .collect();
        let next = AtomicUsize::new(0);
        let refused = Mutex::new(Vec::new());
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|threads| {
            for _ in 0..workers.min(names.len()) {
                threads.spawn(|| {
                    while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(fault) = self.deploy(name, Why::Changed) {
                            let mut refused =
                                refused.lock().unwrap_or_else(PoisonError::into_inner);
                            refused.push((name.clone(), fault));
                        }
                    }
                });
            }
        });
        Ok(refused.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings a connector into service from where it comes from, under the policy in force. Takes a
    /// CPU-bound while.
    ///
    /// # Errors
    /// Where the file cannot be read or the component is refused. What is live stays live; where nothing
    /// is, the embedded connector serves in the place of a file of its name.
    pub fn deploy(&self, name: &str, why: Why) -> Result<Arc<Connector>, Fault> {
        let turn = self.turn(name);
        let mut last_read = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ComponentSource { file, policy, .. }) = self.config.load().component(name) else {
            let message = format!("there is no component for a connector {name:?}");
            return Err(versions::not_found(message));
        };
        let deployed = match file {
            None => self.runtime.swap_embedded(policy),
            Some(path) => {
                let read = self.read(name, &path, &policy);
                let deployed = read.and_then(|(component, state)| {
                    *last_read = Some(state);
                    self.refuse_withdrawn(name, &component, why)?;
                    self.runtime.swap(name, &component, policy.clone())
                });
                if deployed.is_err() && name == EMBEDDED && !self.is_live(name) {
                    self.runtime.swap_embedded(policy)?;
                }
                deployed
            }
        };
        match &deployed {
            Ok(connector) => {
                tracing::info!(name, digest = %connector.digest(), version = connector.version(), "live");
            }
            Err(fault) => {
                tracing::error!(
                    name,
                    reason = fault.message,
                    "refused; what is live stays live"
                );
            }
        }
        deployed
    }

    fn is_live(&self, name: &str) -> bool {
        self.runtime.versions().live().contains_key(name)
    }

    fn refuse_withdrawn(&self, name: &str, component: &[u8], why: Why) -> Result<(), Fault> {
        let withdrawn = self.runtime.versions().history(name).withdrawn;
        if why == Why::Asked || withdrawn != Some(Digest::of(component)) {
            return Ok(());
        }
        let message = "a rollback took this version out of service; ask for it to have it back";
        Err(Fault::new(Kind::Connector, "withdrawn", message))
    }

    /// Puts the version of a connector that was live before back into service, under the policy in
    /// force.
    ///
    /// # Errors
    /// As for [`Runtime::roll_back`].
    pub fn roll_back(&self, name: &str) -> Result<Arc<Connector>, Fault> {
        let turn = self.turn(name);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let config = self.config.load();
        if config.is_disabled(name) {
            return Err(versions::not_found(format!("{name} is disabled")));
        }
        let connector = self.runtime.roll_back(name, config.policy(name))?;
        tracing::warn!(name, digest = %connector.digest(), version = connector.version(), "rolled back");
        Ok(connector)
    }

    /// Puts another configuration into force: connectors that it disables are taken out of service,
    /// those whose policy differs are held to the new one, and those that are not live yet are deployed.
    /// Where a live version does not keep within its new policy, that of its file takes its place if it
    /// does; else the old policy stays in force, and the status says why.
    pub fn reconfigure(&self, config: Arc<Config>) {
        self.runtime.set_network(config.network.clone());
        self.runtime.set_databases(config.databases.clone());
        self.config.store(config.clone());
        for connector in self.runtime.connectors() {
            let name = connector.name();
            if config.is_disabled(name) {
                self.runtime.retire(name);
                tracing::warn!(name, "taken out of service");
                continue;
            }
            let policy = config.policy(name);
            if *connector.policy() != policy && !self.hold(name, policy) {
                // Logged and in the status.
                let _ = self.deploy(name, Why::Changed);
            }
        }
        let Ok(components) = config.components() else {
            return;
        };
        for component in components {
            if !self.is_live(&component.name) {
                let _ = self.deploy(&component.name, Why::Changed);
            }
        }
    }

    fn hold(&self, name: &str, policy: Arc<Policy>) -> bool {
        let turn = self.turn(name);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.runtime.hold(name, policy);
        match &held {
            Ok(()) => tracing::info!(name, "held to its new policy"),
            Err(fault) => tracing::error!(
                name,
                reason = fault.message,
                "the live version does not keep within its new policy; the old one stays in force"
            ),
        }
        held.is_ok()
    }

    fn read(
        &self,
        name: &str,
        path: &Path,
        policy: &Policy,
    ) -> Result<(Vec<u8>, Signature), Fault> {
        file::read(path, policy.limits.component_bytes).map_err(|unread| {
            let reason = format!("{}: {unread}", path.display());
            self.runtime.versions().reject(name, None, reason.clone());
            Fault::connector(reason)
        })
    }

    /// The state of a connector's file when it was last read whole.
    pub(super) fn last_read(&self, name: &str) -> Option<Signature> {
        *self
            .turn(name)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, name: &str) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(name.to_owned()).or_default().clone()
    }
}
