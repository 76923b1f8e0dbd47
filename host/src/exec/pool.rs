//! Connections by connection string, and who has them.

use super::connect;
use super::connection_string::ConnectionString;
use super::rows::Outcome;
use super::session::Session;
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::secret::Secret;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult};
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

/// Makes connections for one connection string.
#[derive(Debug)]
pub(super) struct Manager {
    target: ConnectionString,
    limits: Limits,
    /// Counts changes of definitions by its sessions.
    definitions: Arc<AtomicU64>,
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = Fault;

    async fn create(&self) -> Result<Session, Fault> {
        let mut session = Box::pin(connect::connect(&self.target, &self.limits)).await?;
        session.share_definitions(self.definitions.clone());
        Ok(session)
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<Fault> {
        if session.client().is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}

type Pool = managed::Pool<Manager>;

/// A pool for each whole connection string; the one that was used longest ago goes first.
#[derive(Debug)]
pub(super) struct Pools {
    pools: Mutex<LruCache<Secret, Pool>>,
    limits: Limits,
}

impl Pools {
    pub(super) fn new(limits: Limits) -> Pools {
        let most = NonZeroUsize::new(limits.pools).unwrap_or(NonZeroUsize::MIN);
        Pools {
            pools: Mutex::new(LruCache::new(most)),
            limits,
        }
    }

    /// Takes a connection to what the connection string names, a new one where none is idle.
    ///
    /// # Errors
    /// When the connection string cannot be read or no connection can be made.
    pub(super) async fn lease(&self, target: &Secret) -> Result<Lease, Fault> {
        let pool = self.pool(target)?;
        match pool.get().await {
            Ok(object) => Ok(Lease(Some(object))),
            Err(PoolError::Backend(fault)) => Err(fault),
            Err(error) => Err(Fault::new(
                Kind::Overload,
                "TooManyConnections",
                error.to_string(),
            )),
        }
    }

    fn pool(&self, target: &Secret) -> Result<Pool, Fault> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(target) {
            return Ok(pool.clone());
        }
        let manager = Manager {
            target: ConnectionString::parse(target.expose())?,
            limits: self.limits,
            definitions: Arc::default(),
        };
        let pool = Pool::builder(manager)
            .max_size(self.limits.pool_connections.max(1))
            .build()
            .map_err(Fault::internal)?;
        if let Some((_, oldest)) = pools.push(target.clone(), pool.clone()) {
            oldest.close();
        }
        Ok(pool)
    }
}

/// A connection on loan. Unless it is finished, it is cancelled and closed when it is dropped: a
/// statement may still run on it.
pub(super) struct Lease(Option<Object<Manager>>);

impl Lease {
    pub(super) fn session(&mut self) -> Result<&mut Session, Fault> {
        self.0
            .as_deref_mut()
            .ok_or_else(|| Fault::internal("the lease is over"))
    }

    /// Gives the connection back where its state is known, after a reset where that is wanted.
    pub(super) fn finish(mut self, reset: bool, outcomes: &Result<Vec<Outcome>, Fault>) {
        let Some(mut object) = self.0.take() else {
            return;
        };
        let uncertain = matches!(outcomes, Err(fault) if fault.kind == Kind::OutcomeUnknown);
        if uncertain || object.is_broken || object.client().is_closed() {
            drop(Object::take(object));
        } else if reset {
            tokio::spawn(async move {
                if !object.reset().await {
                    drop(Object::take(object));
                }
            });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            let session = Object::take(object);
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(session.cancel());
            }
        }
    }
}
