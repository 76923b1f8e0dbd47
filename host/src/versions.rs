//! Which version of each connector is live, which were, and what was refused.
//!
//! One atomic pointer decides what new calls get; a call keeps the version that it began with. Versions
//! that were live stay as they are, compiled and checked, so that a rollback takes no time.

use crate::connector::{Connector, Digest};
use crate::fault::{Fault, Kind};
use crate::policy::Policy;
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// The connectors that new calls find, by name.
pub type Live = BTreeMap<String, Arc<Connector>>;

/// The versions of all connectors.
pub struct Versions {
    live: ArcSwap<Live>,
    /// Whoever changes what is live holds this.
    histories: Mutex<BTreeMap<String, History>>,
    /// Most versions that stay warm behind a live one.
    kept: usize,
}

/// What became of one connector.
#[derive(Clone, Default)]
pub struct History {
    /// The version that calls get.
    pub live: Option<Version>,
    /// Versions that were live and can be again, the last one first.
    pub previous: VecDeque<Version>,
    /// The last candidate that was refused.
    pub rejected: Option<Rejection>,
    /// What a rollback took out of service. It comes back only where somebody asks for it.
    pub withdrawn: Option<Digest>,
}

/// A version of a connector.
#[derive(Clone)]
pub struct Version {
    /// The connector.
    pub connector: Arc<Connector>,
    /// Since when it is live, or was.
    pub since: SystemTime,
}

/// A candidate that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// SHA-256 of its file, where that could be read.
    pub digest: Option<Digest>,
    /// When it was refused.
    pub at: SystemTime,
    /// Why.
    pub reason: String,
}

impl Versions {
    /// No connector yet. Behind each live version, `kept` that were live before stay warm.
    #[must_use]
    pub fn new(kept: usize) -> Versions {
        Versions {
            live: ArcSwap::default(),
            histories: Mutex::default(),
            kept,
        }
    }

    /// What calls that begin now get.
    pub fn live(&self) -> arc_swap::Guard<Arc<Live>> {
        self.live.load()
    }

    /// What became of each connector, by name.
    #[must_use]
    pub fn histories(&self) -> BTreeMap<String, History> {
        self.lock().clone()
    }

    /// What became of one connector.
    #[must_use]
    pub fn history(&self, name: &str) -> History {
        self.lock().get(name).cloned().unwrap_or_default()
    }

    /// A version with this digest under this policy that is live or still warm.
    #[must_use]
    pub fn warm(&self, name: &str, digest: Digest, policy: &Policy) -> Option<Arc<Connector>> {
        let histories = self.lock();
        let history = histories.get(name)?;
        let mut versions = history.live.iter().chain(&history.previous);
        let found = versions.find(|version| {
            version.connector.digest() == digest && **version.connector.policy() == *policy
        });
        found.map(|version| version.connector.clone())
    }

    /// Puts a version into service. The one that was live stays warm, unless it is the same component
    /// under another policy.
    pub fn go_live(&self, connector: Arc<Connector>) {
        let mut histories = self.lock();
        let history = histories.entry(connector.name().to_owned()).or_default();
        let digest = connector.digest();
        if let Some(live) = &history.live
            && Arc::ptr_eq(&live.connector, &connector)
        {
            return;
        }
        if let Some(before) = history.live.take() {
            history.previous.push_front(before);
        }
        history
            .previous
            .retain(|version| version.connector.digest() != digest);
        history.previous.truncate(self.kept);
        history.withdrawn = None;
        history.live = Some(self.switch(connector));
    }

    /// Puts the last version that was live back into service, as `hold` gives it back. The one that is
    /// live now is withdrawn.
    ///
    /// # Errors
    /// `not_found` where there is none; those of `hold`. Nothing changes then.
    pub fn roll_back(
        &self,
        name: &str,
        hold: impl FnOnce(&Arc<Connector>) -> Result<Arc<Connector>, Fault>,
    ) -> Result<Arc<Connector>, Fault> {
        let mut histories = self.lock();
        let Some(history) = histories.get_mut(name) else {
            return Err(not_found(format!("there is no connector {name:?}")));
        };
        let Some(previous) = history.previous.front() else {
            return Err(not_found(format!(
                "there is no version of {name} to go back to: the live one is the first since the start, or those before it are no longer kept"
            )));
        };
        let connector = hold(&previous.connector)?;
        history.previous.pop_front();
        history.withdrawn = history.live.take().map(|live| live.connector.digest());
        history.live = Some(self.switch(connector.clone()));
        Ok(connector)
    }

    /// Takes the live version out of service. It stays warm.
    pub fn retire(&self, name: &str) {
        let mut histories = self.lock();
        let mut live = Live::clone(&self.live.load());
        live.remove(name);
        self.live.store(Arc::new(live));
        if let Some(history) = histories.get_mut(name)
            && let Some(before) = history.live.take()
        {
            history.previous.push_front(before);
            history.previous.truncate(self.kept);
        }
    }

    /// Notes that a candidate was refused. What is live stays live.
    pub fn reject(&self, name: &str, digest: Option<Digest>, reason: impl Into<String>) {
        let mut histories = self.lock();
        let history = histories.entry(name.to_owned()).or_default();
        history.rejected = Some(Rejection {
            digest,
            at: SystemTime::now(),
            reason: reason.into(),
        });
    }

    /// The one atomic step.
    fn switch(&self, connector: Arc<Connector>) -> Version {
        let mut live = Live::clone(&self.live.load());
        live.insert(connector.name().to_owned(), connector.clone());
        self.live.store(Arc::new(live));
        Version {
            connector,
            since: SystemTime::now(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, History>> {
        self.histories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody knows of it.
pub(crate) fn not_found(message: String) -> Fault {
    Fault::new(Kind::UnknownCommand, "not_found", message)
}
