//! Connections by connection string, and who has them.

use super::connect;
use super::connection::Connection;
use super::connection_string::ConnectionString;
use super::rows::Outcome;
use super::session::Session;
use super::wire::Wire;
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::secret::Secret;
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
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
    // Boxed, as the pool moves it about.
    type Type = Box<Connection>;
    type Error = Fault;

    async fn create(&self) -> Result<Box<Connection>, Fault> {
        let mut connection = Box::pin(connect::connect(&self.target, &self.limits)).await?;
        let definitions = self.definitions.clone();
        connection.session.share_definitions(definitions);
        Ok(Box::new(connection))
    }

    async fn recycle(&self, connection: &mut Box<Connection>, _: &Metrics) -> RecycleResult<Fault> {
        if connection.has_ended() {
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
            // The one that was used last: its server process is still in the caches of the processor.
            .queue_mode(QueueMode::Lifo)
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
    /// The session, and what moves its messages meanwhile.
    pub(super) fn parts(&mut self) -> Result<(&mut Session, &mut Wire), Fault> {
        match self.0.as_deref_mut().map(Box::as_mut) {
            Some(Connection { session, wire, .. }) => Ok((session, wire)),
            None => Err(Fault::internal("the lease is over")),
        }
    }

    /// Gives the connection back where its state is known, after a reset where that is wanted.
    pub(super) fn finish(mut self, reset: bool, outcomes: &Result<Vec<Outcome>, Fault>) {
        let Some(mut object) = self.0.take() else {
            return;
        };
        let uncertain = matches!(outcomes, Err(fault) if fault.kind == Kind::OutcomeUnknown);
        if uncertain || object.has_ended() {
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
            let connection = Object::take(object);
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(connection.cancel());
            }
        }
    }
}
