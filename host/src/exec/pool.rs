//! Connections by login, and who waits for them.

use super::breaker::Breaker;
use super::connect;
use super::connection::Connection;
use super::connection_string::ConnectionString;
use super::error;
use super::gate::Gate;
use super::lease::Lease;
use super::pooler::Poolers;
use super::target::{Login, Target};
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::metrics::{DatabaseMetrics, Metrics, PoolReadings};
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// A pool for each login; the one that was used longest ago goes first.
#[derive(Debug)]
pub(super) struct Pools {
    pools: Mutex<LruCache<Login, Arc<Pool>>>,
    poolers: Mutex<Poolers>,
    gate: Arc<Gate>,
    limits: Limits,
    metrics: Arc<Metrics>,
    /// Connections that are being reset or closed.
    endings: TaskTracker,
}

impl Pools {
    pub(super) fn new(gate: Arc<Gate>, limits: Limits, metrics: Arc<Metrics>) -> Pools {
        let most = NonZeroUsize::new(limits.pools).unwrap_or(NonZeroUsize::MIN);
        Pools {
            pools: Mutex::new(LruCache::new(most)),
            poolers: Mutex::default(),
            gate,
            limits,
            metrics,
            endings: TaskTracker::new(),
        }
    }

    /// The pool of a login. What it does counts for the name by which it was first used.
    ///
    /// # Errors
    /// When the connection string cannot be read.
    pub(super) fn pool(&self, target: &Target) -> Result<Arc<Pool>, Fault> {
        let mut pools = lock(&self.pools);
        let login = &target.login;
        if let Some(pool) = pools.get(login) {
            return Ok(pool.clone());
        }
        let mut parsed = login.read(&self.limits)?;
        parsed.is_pooled = lock(&self.poolers).are_at(&parsed.hosts);
        let pool = Arc::new(Pool::new(
            parsed,
            self.gate.clone(),
            self.limits,
            self.metrics.database(target.name.as_deref()),
            self.endings.clone(),
        ));
        if let Some((_, oldest)) = pools.push(login.clone(), pool.clone()) {
            oldest.close();
        }
        Ok(pool)
    }

    /// Takes over where transaction poolers listen. Pools that were made for other ones are closed.
    pub(super) fn set_poolers(&self, poolers: Poolers) {
        let mut pools = lock(&self.pools);
        let mut known = lock(&self.poolers);
        if *known != poolers {
            *known = poolers;
            while let Some((_, pool)) = pools.pop_lru() {
                pool.close();
            }
        }
    }

    /// What they hold now.
    pub(super) fn read(&self) -> PoolReadings {
        let mut readings = PoolReadings::new();
        for (_, pool) in lock(&self.pools).iter() {
            let reading = readings.entry(pool.metrics.name().into()).or_default();
            let most = pool.limits.pool_connections.max(1);
            reading.most += most;
            reading.in_use += most.saturating_sub(pool.slots.available_permits());
            reading.idle += pool.idle().len();
            reading.waiting += pool.waiting.load(Ordering::Acquire);
            reading.open_breakers += usize::from(pool.breaker.is_open());
        }
        readings
    }

    /// Waits until no connection is being reset or closed.
    pub(super) async fn settle(&self) {
        self.endings.close();
        self.endings.wait().await;
        self.endings.reopen();
    }
}

/// The connections for one login.
#[derive(Debug)]
pub(super) struct Pool {
    target: ConnectionString,
    gate: Arc<Gate>,
    limits: Limits,
    metrics: Arc<DatabaseMetrics>,
    /// Counts changes of definitions by its sessions.
    definitions: Arc<AtomicU64>,
    /// One for each connection that there may be; first come, first served.
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// The one that was used last is the last: its server process is still in the processor's caches.
    idle: Mutex<Vec<Idle>>,
    is_closed: AtomicBool,
    breaker: Breaker,
    endings: TaskTracker,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

impl Pool {
    fn new(
        target: ConnectionString,
        gate: Arc<Gate>,
        limits: Limits,
        metrics: Arc<DatabaseMetrics>,
        endings: TaskTracker,
    ) -> Pool {
        Pool {
            target,
            gate,
            metrics,
            definitions: Arc::default(),
            slots: Arc::new(Semaphore::new(limits.pool_connections.max(1))),
            waiting: AtomicUsize::new(0),
            idle: Mutex::default(),
            is_closed: AtomicBool::new(false),
            breaker: Breaker::new(&limits),
            endings,
            limits,
        }
    }

    /// Where it counts what it does.
    pub(super) fn metrics(&self) -> &DatabaseMetrics {
        &self.metrics
    }

    /// Takes a connection, a new one where none is idle.
    ///
    /// # Errors
    /// When too many wait already, and when no connection can be made.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, Fault> {
        let slots = self.slots.clone();
        let slot = match slots.clone().try_acquire_owned() {
            Ok(slot) => slot,
            Err(_) => {
                let _waiting = self.wait()?;
                slots.acquire_owned().await.map_err(Fault::internal)?
            }
        };
        // From here on the slot is taken until the connection is idle or closed.
        let mut lease = Lease::new(self.clone(), slot);
        while let Some(idle) = self.pop() {
            let is_admitted = self.gate.admits(&idle.connection);
            let fresh = idle.since.elapsed() < self.idle_time() && is_admitted;
            if lease.take(idle.connection, fresh) {
                return Ok(lease);
            }
        }
        self.breaker.admit(Instant::now())?;
        // To its end, whether the call still waits or not: a login that is broken off can leave a server
        // process behind that no slot counts, and the next call takes the connection.
        let connecting = self.endings.spawn(self.clone().connect(lease));
        connecting.await.map_err(Fault::internal)?
    }

    async fn connect(self: Arc<Self>, mut lease: Lease) -> Result<Lease, Fault> {
        let most = Duration::from_millis(self.limits.deadline_ms);
        let begun = Instant::now();
        let connecting = connect::connect(&self.target, &self.gate, &self.limits);
        let connected = tokio::time::timeout(most, connecting).await;
        let connected = connected.unwrap_or_else(|_| {
            let message = "no server of the connection string answered within deadline_ms";
            Err(Fault::new(Kind::Connection, "OperationalError", message))
        });
        self.metrics.connected(begun.elapsed(), connected.is_ok());
        self.breaker.note(&connected, Instant::now());
        let mut connection = connected?;
        let definitions = self.definitions.clone();
        connection.session.share_definitions(definitions);
        // A pooler's sessions belong to others as well.
        let is_ours = self.target.application_name.is_none() && !self.target.is_pooled;
        connection.session.shown.allow(is_ours);
        match lease.take(Box::new(connection), true) {
            true => Ok(lease),
            // It broke at once.
            false => Err(Fault::new(
                Kind::Connection,
                "OperationalError",
                error::CLOSED,
            )),
        }
    }

    /// Joins those who wait for a connection.
    fn wait(&self) -> Result<Waiting<'_>, Fault> {
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::AcqRel) < self.limits.pool_waiting {
            return Ok(waiting);
        }
        self.metrics.turn_away();
        let message = format!(
            "all {} connections to the database are in use and {} calls wait for one already; try again in a second",
            self.limits.pool_connections, self.limits.pool_waiting
        );
        Err(Fault::new(Kind::Overload, "TooManyConnections", message))
    }

    fn idle_time(&self) -> Duration {
        Duration::from_millis(self.limits.pool_idle_ms)
    }

    /// Notes that a call changed definitions: statements that were prepared before may not fit them.
    pub(super) fn note_definitions(&self) {
        self.definitions.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether it can lead to one server or another.
    pub(super) fn has_many_hosts(&self) -> bool {
        self.target.hosts.len() > 1
    }

    /// The fault of a call that was sent a message that is too long.
    pub(super) fn message_fault(&self) -> Fault {
        let message = format!(
            "the server sent a row, or another message, of more than {} bytes, the limit message_bytes; select fewer or smaller values",
            self.limits.message_bytes
        );
        Fault::statement("ProgramLimitExceeded", message)
    }

    /// How long an ending may take, twice.
    pub(super) fn grace(&self) -> Duration {
        Duration::from_millis(self.limits.cancel_ms)
    }

    /// Runs what ends the use of a connection.
    pub(super) fn endings(&self) -> &TaskTracker {
        &self.endings
    }

    fn pop(&self) -> Option<Idle> {
        self.idle().pop()
    }

    /// Takes a clean connection back; gives it back where the pool is closed.
    pub(super) fn push(&self, connection: Box<Connection>) -> Option<Box<Connection>> {
        let mut idle = self.idle();
        if self.is_closed.load(Ordering::Acquire) {
            return Some(connection);
        }
        let since = Instant::now();
        idle.push(Idle { connection, since });
        None
    }

    /// Closes the idle connections, and the others once they come back.
    fn close(&self) {
        let mut idle = self.idle();
        self.is_closed.store(true, Ordering::Release);
        for Idle { connection, .. } in idle.drain(..) {
            // Without an async runtime there is nobody to wait, and dropping closes it, too.
            if Handle::try_current().is_ok() {
                self.endings.spawn(connection.close(self.grace()));
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        lock(&self.idle)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One who waits; no more when it is dropped.
struct Waiting<'p>(&'p AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
