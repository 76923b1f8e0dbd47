//! What is in force for new connections: the network policy, trusted roots, and lookups within bounds.

use super::connection::Connection;
use crate::certificates::Certificates;
use crate::limits::Limits;
use crate::network::{HostName, Network};
use arc_swap::ArcSwap;
use rustls::RootCertStore;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Holds the network policy in force. Whoever makes a connection asks it; whoever has kept one asks it
/// again before it is used.
#[derive(Debug)]
pub(super) struct Gate {
    in_force: ArcSwap<InForce>,
    /// Lookups that may still begin.
    lookups: Arc<Semaphore>,
    most_addresses: usize,
}

/// A policy while it is in force.
#[derive(Debug, Default)]
pub(super) struct InForce {
    pub(super) network: Network,
    /// The roots of the host, read when they are first needed.
    roots: OnceLock<Arc<RootCertStore>>,
}

impl Gate {
    pub(super) fn new(limits: &Limits) -> Gate {
        Gate {
            in_force: ArcSwap::default(),
            lookups: Arc::new(Semaphore::new(limits.lookups.min(Semaphore::MAX_PERMITS))),
            most_addresses: limits.lookup_addresses,
        }
    }

    /// Puts another policy into force. Where it differs, connections that were made before are not used
    /// again.
    pub(super) fn set(&self, network: Network) {
        if self.in_force.load().network != network {
            self.in_force.store(Arc::new(InForce {
                network,
                roots: OnceLock::new(),
            }));
        }
    }

    /// The policy in force.
    pub(super) fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// Whether a connection that was kept may be used again: it was made under the policy in force.
    pub(super) fn admits(&self, connection: &Connection) -> bool {
        Arc::ptr_eq(&self.in_force.load(), connection.made_under())
    }

    /// The addresses of a name, each once.
    ///
    /// The system's resolver cannot be interrupted: when this future is dropped, its thread goes on, and
    /// counts until it has ended.
    ///
    /// # Errors
    /// In libpq's words where there are none, and in others where there are too many.
    pub(super) async fn look_up(
        &self,
        name: &HostName,
        port: u16,
    ) -> Result<Vec<SocketAddr>, String> {
        let failed =
            |reason: &str| format!("could not translate host name \"{name}\" to address: {reason}");
        let turn = self.lookups.clone().acquire_owned().await;
        let turn = turn.map_err(|_| failed("the host looks up no names"))?;
        let text = name.as_str().to_owned();
        let looked_up = tokio::task::spawn_blocking(move || {
            let found = (text.as_str(), port).to_socket_addrs();
            drop(turn);
            found.map(Vec::from_iter)
        });
        let Ok(Ok(found)) = looked_up.await else {
            return Err(failed("Name or service not known"));
        };
        self.bounded(found)
            .ok_or_else(|| failed("it has more addresses than lookup_addresses allows"))
    }

    /// Each address once, in order; none where there are too many.
    fn bounded(&self, found: Vec<SocketAddr>) -> Option<Vec<SocketAddr>> {
        let mut addresses = Vec::new();
        for address in found {
            if addresses.contains(&address) {
                continue;
            }
            if addresses.len() == self.most_addresses {
                return None;
            }
            addresses.push(address);
        }
        Some(addresses)
    }
}

impl InForce {
    /// The roots that a server's certificate must come from: those for its database, those of the host,
    /// or those of the system.
    pub(super) fn roots(
        &self,
        operator: Option<&Certificates>,
    ) -> Result<Arc<RootCertStore>, rustls::Error> {
        if let Some(roots) = operator.and_then(|operator| operator.roots.as_ref()) {
            return roots.store().map(Arc::new);
        }
        if let Some(roots) = self.roots.get() {
            return Ok(roots.clone());
        }
        let store = match &self.network.roots {
            Some(roots) => roots.store()?,
            None => {
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                store
            }
        };
        Ok(self.roots.get_or_init(|| Arc::new(store)).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_name_are_bounded_and_each_once() {
        let gate = Gate::new(&Limits {
            lookup_addresses: 2,
            ..Limits::default()
        });
        let address = |last| SocketAddr::from(([10, 0, 0, last], 5432));
        let found = vec![address(1), address(1), address(2), address(1)];
        assert_eq!(gate.bounded(found), Some(vec![address(1), address(2)]));
        assert_eq!(gate.bounded(vec![address(1), address(2), address(3)]), None);
    }

    #[test]
    fn the_same_policy_again_changes_nothing() {
        let gate = Gate::new(&Limits::default());
        let before = gate.in_force();
        gate.set(Network::default());
        assert!(Arc::ptr_eq(&before, &gate.in_force()));
        gate.set(Network {
            deny: vec!["10.0.0.0/8".parse().unwrap()],
            ..Network::default()
        });
        assert!(!Arc::ptr_eq(&before, &gate.in_force()));
    }
}
