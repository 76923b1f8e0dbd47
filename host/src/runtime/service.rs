//! Which component is in service as a connector: swap, another policy, rollback, the end.

use super::{POSTGRES, Runtime};
use crate::connector::{Connector, Digest, EMBEDDED};
use crate::fault::Fault;
use crate::metrics::Swap;
use crate::policy::Policy;
use crate::priority;
use crate::probe;
use crate::replay;
use crate::versions;
use std::sync::Arc;

impl Runtime {
    /// Brings a component into service as the connector `name`: compiles it, checks it, plans the
    /// example of each command, and only then puts it in the place of the version that is live. A
    /// version that is still warm is put back at once.
    ///
    /// Takes a CPU-bound while; call it off the async threads.
    ///
    /// # Errors
    /// Where the component is refused, with the reason. Nothing changes then but what
    /// [`Runtime::versions`] says of the last one that was refused.
    pub fn swap(
        &self,
        name: &str,
        component: &[u8],
        policy: impl Into<Arc<Policy>>,
    ) -> Result<Arc<Connector>, Fault> {
        let (policy, digest) = (policy.into(), Digest::of(component));
        let admitted = match self.versions.warm(name, digest, &policy) {
            Some(warm) => Ok(warm),
            None => priority::aside(|| self.admit(name, component, policy)),
        };
        match admitted.and_then(|connector| self.replayed(connector)) {
            Ok(connector) => {
                self.go_live(connector.clone());
                Ok(connector)
            }
            Err(fault) => Err(self.rejected(name, digest, fault)),
        }
    }

    /// As [`Runtime::swap`], for the embedded connector.
    ///
    /// # Errors
    /// Where the policy is too strict for it.
    pub fn swap_embedded(&self, policy: impl Into<Arc<Policy>>) -> Result<Arc<Connector>, Fault> {
        self.swap(EMBEDDED, POSTGRES, policy)
    }

    fn admit(
        &self,
        name: &str,
        component: &[u8],
        policy: Arc<Policy>,
    ) -> Result<Arc<Connector>, Fault> {
        let try_out = |connector: &Connector| {
            // Or any file could take the place of any connector.
            if connector.name() != name {
                return Err(Fault::connector(format!(
                    "the component calls itself {0}, so the file must be called {0}.wasm, or its table must be [connectors.{0}]",
                    connector.name()
                )));
            }
            probe::probe(connector, self.trusts(connector))
        };
        Connector::load(&self.sandbox, component, policy, try_out).map(Arc::new)
    }

    /// The connector, if it plans recorded calls as the live version does where its policy demands it.
    fn replayed(&self, connector: Arc<Connector>) -> Result<Arc<Connector>, Fault> {
        let live = self.versions.live().get(connector.name()).cloned();
        let other = live.filter(|live| live.digest() != connector.digest());
        if let (Some(live), Some(rule)) = (other, &connector.policy().replay) {
            priority::aside(|| replay::gate(rule, &live, &connector))?;
        }
        Ok(connector)
    }

    /// Puts a version into service, and has its calls counted.
    pub(super) fn go_live(&self, connector: Arc<Connector>) {
        connector.count_in(&self.metrics);
        self.metrics.swapped(Swap::Live);
        self.versions.go_live(connector);
    }

    /// Notes why a version did not go into service.
    fn rejected(&self, name: &str, digest: Digest, fault: Fault) -> Fault {
        self.metrics.swapped(Swap::Refused);
        let reason = fault.message.clone();
        self.versions.reject(name, Some(digest), reason);
        fault
    }

    /// Holds the live version of a connector to another policy. Calls under way finish under the old one.
    ///
    /// # Errors
    /// `not_found` where no version is live; where it does not keep within that policy. Nothing changes
    /// then but what [`Runtime::versions`] says of the last one that was refused.
    pub fn hold(&self, name: &str, policy: impl Into<Arc<Policy>>) -> Result<(), Fault> {
        let Some(live) = self.versions.live().get(name).cloned() else {
            return Err(versions::not_found(format!("no version of {name} is live")));
        };
        let policy = policy.into();
        let held = priority::aside(|| {
            let held = live.held_to(policy)?;
            probe::probe(&held, self.trusts(&held))?;
            Ok(Arc::new(held))
        });
        match held {
            Ok(held) => {
                self.go_live(held);
                Ok(())
            }
            Err(fault) => Err(self.rejected(name, live.digest(), fault)),
        }
    }

    /// Puts the version of a connector that was live before back into service, held to `policy`. The
    /// one that is live now is withdrawn.
    ///
    /// # Errors
    /// `not_found` where no such version is warm; as for [`Connector::held_to`]. Nothing changes then.
    pub fn roll_back(
        &self,
        name: &str,
        policy: impl Into<Arc<Policy>>,
    ) -> Result<Arc<Connector>, Fault> {
        let policy = policy.into();
        let rolled_back = self.versions.roll_back(name, |previous| {
            Ok(match *previous.policy() == policy {
                true => previous.clone(),
                false => Arc::new(previous.held_to(policy)?),
            })
        })?;
        self.metrics.swapped(Swap::RolledBack);
        Ok(rolled_back)
    }

    /// Takes a connector out of service. Calls under way finish; its versions stay warm.
    pub fn retire(&self, name: &str) {
        self.metrics.swapped(Swap::Retired);
        self.versions.retire(name);
    }
}
