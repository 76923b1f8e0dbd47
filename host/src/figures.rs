//! Figures for people who watch a server: what was counted and measured so far, and what is held now.
//!
//! It serialises to the JSON of `/v1/figures` on the admin surface. Counts only grow while the process
//! runs, so the difference between two readings is what happened in between; buckets can be subtracted,
//! too. Nothing in here is a value of a call or a secret.

use crate::metrics::{CommandFigures, DatabaseFigures, PoolReading, bounds_us};
use crate::plan_cache::PlanCacheStats;
use crate::runtime::Runtime;
use jiff::{Timestamp, Unit};
use serde::Serialize;

/// A reading of everything.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// When it was taken, as RFC 3339 in UTC.
    pub at: String,
    /// Version of Airlock.
    pub version: &'static str,
    /// Upper bounds of the buckets of durations, in microseconds; what goes beyond the last one has a
    /// bucket behind it.
    pub bucket_bounds_us: Vec<u64>,
    /// The process.
    pub process: ProcessFigures,
    /// All calls together.
    pub calls: CallFigures,
    /// What the cache of plans did and holds.
    pub plan_cache: PlanCacheStats,
    /// Planning calls that run or wait for room.
    pub planning_calls: usize,
    /// Each command that was live since the start.
    pub commands: Vec<CommandFigures>,
    /// Each database that was used, and all that have no name as `other`.
    pub databases: Vec<DatabaseStatus>,
}

/// The process.
#[derive(Debug, Serialize)]
pub struct ProcessFigures {
    /// Memory that is resident, in bytes.
    pub resident_bytes: u64,
    /// Processor time so far, in seconds.
    pub cpu_seconds: f64,
    /// Files that are open, sockets included.
    pub open_files: u64,
    /// When it was started, in seconds since 1970; 0 where the system does not say.
    pub started_seconds: u64,
}

/// All calls together.
#[derive(Debug, Serialize)]
pub struct CallFigures {
    /// Calls that ended.
    pub ended: u64,
    /// Calls that failed.
    pub faults: u64,
    /// Calls under way.
    pub in_progress: i64,
    /// Calls that were turned away.
    pub turned_away: u64,
}

/// A database: what happened so far, and what its pools hold.
#[derive(Debug, Serialize)]
pub struct DatabaseStatus {
    /// What happened.
    #[serde(flatten)]
    pub figures: DatabaseFigures,
    /// Connections that wait for a call.
    pub idle: usize,
    /// Connections that calls use, and those that are being made or closed.
    pub in_use: usize,
    /// Most connections that there may be.
    pub most: usize,
    /// Calls that wait for a connection.
    pub waiting: usize,
    /// Whether no connection is made for now, because the last ones failed.
    pub breaker_open: bool,
}

impl Figures {
    /// Reads what goes on in `runtime`. Takes a while where there are many commands; call it off the
    /// async threads.
    #[must_use]
    pub fn of(runtime: &Runtime) -> Figures {
        let (metrics, readings) = (runtime.metrics(), runtime.read());
        let commands = metrics.commands();
        let databases = metrics.databases().into_iter().map(|figures| {
            let pool = readings.pools.get(&figures.database);
            let pool = pool.copied().unwrap_or_default();
            DatabaseStatus::new(figures, pool)
        });
        let now = Timestamp::now();
        Figures {
            at: now.round(Unit::Millisecond).unwrap_or(now).to_string(),
            version: env!("CARGO_PKG_VERSION"),
            bucket_bounds_us: bounds_us(),
            process: ProcessFigures {
                resident_bytes: readings.process.resident_bytes,
                cpu_seconds: readings.process.cpu_seconds,
                open_files: readings.process.open_files,
                started_seconds: readings.process.started_seconds,
            },
            calls: CallFigures {
                ended: commands.iter().map(|command| command.calls).sum(),
                faults: commands.iter().map(|command| command.faults).sum(),
                in_progress: metrics.calls_in_progress(),
                turned_away: metrics.turned_away(),
            },
            plan_cache: runtime.plan_cache(),
            planning_calls: readings.host.planning_calls,
            databases: databases.collect(),
            commands,
        }
    }
}

impl DatabaseStatus {
    fn new(figures: DatabaseFigures, pool: PoolReading) -> DatabaseStatus {
        DatabaseStatus {
            figures,
            idle: pool.idle,
            in_use: pool.in_use,
            most: pool.most,
            waiting: pool.waiting,
            breaker_open: pool.open_breakers > 0,
        }
    }
}
