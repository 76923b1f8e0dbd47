//! What goes on, for operators: which versions are live, what they were asked, what was refused.
//!
//! Nothing in here is a value of a call or a secret. It serialises to the JSON of the admin surface.

use crate::connector::{Connector, Digest};
use crate::limits::ConnectorLimits;
use crate::plan_cache::PlanCacheStats;
use crate::runtime::Runtime;
use crate::usage::UsageStats;
use crate::versions::{History, Rejection, Version};
use jiff::{Timestamp, Unit};
use serde::Serialize;
use std::time::SystemTime;

/// What goes on.
#[derive(Debug, Serialize)]
pub struct Status {
    /// Version of Airlock.
    pub version: &'static str,
    /// What the cache of plans did and holds.
    pub plan_cache: PlanCacheStats,
    /// The connectors, by name.
    pub connectors: Vec<ConnectorStatus>,
}

/// What goes on with one connector.
#[derive(Debug, Serialize)]
pub struct ConnectorStatus {
    /// Its name.
    pub name: String,
    /// The version that calls get; none where no candidate was fit yet.
    pub live: Option<LiveStatus>,
    /// Versions that were live and are still warm, the last one first.
    pub previous: Vec<VersionStatus>,
    /// The last candidate that was refused.
    pub rejected: Option<RejectionStatus>,
    /// SHA-256 of the component that a rollback took out of service.
    pub withdrawn: Option<Digest>,
}

/// A version that calls get.
#[derive(Debug, Serialize)]
pub struct LiveStatus {
    /// Which one it is.
    #[serde(flatten)]
    pub version: VersionStatus,
    /// What it is held to.
    pub limits: ConnectorLimits,
    /// What it was asked and what it took.
    pub usage: UsageStats,
}

/// A version of a connector.
#[derive(Debug, Serialize)]
pub struct VersionStatus {
    /// SHA-256 of the component.
    pub digest: Digest,
    /// Its version, as it says itself.
    pub version: String,
    /// Size of the component in bytes.
    pub bytes: usize,
    /// When it went live, as RFC 3339.
    pub since: String,
}

/// A candidate that was refused.
#[derive(Debug, Serialize)]
pub struct RejectionStatus {
    /// SHA-256 of its file, where that could be read.
    pub digest: Option<Digest>,
    /// When, as RFC 3339.
    pub at: String,
    /// Why.
    pub reason: String,
}

impl Status {
    /// What goes on in `runtime` now.
    #[must_use]
    pub fn of(runtime: &Runtime) -> Status {
        let histories = runtime.versions().histories();
        Status {
            version: env!("CARGO_PKG_VERSION"),
            plan_cache: runtime.plan_cache(),
            connectors: histories
                .into_iter()
                .map(|(name, history)| ConnectorStatus::new(name, history))
                .collect(),
        }
    }
}

impl ConnectorStatus {
    /// Puts together what became of the connector `name`.
    #[must_use]
    pub fn new(name: String, history: History) -> ConnectorStatus {
        ConnectorStatus {
            name,
            live: history.live.as_ref().map(LiveStatus::from),
            previous: history.previous.iter().map(VersionStatus::from).collect(),
            rejected: history.rejected.map(RejectionStatus::from),
            withdrawn: history.withdrawn,
        }
    }
}

impl From<&Version> for LiveStatus {
    fn from(live: &Version) -> Self {
        let connector: &Connector = &live.connector;
        LiveStatus {
            version: live.into(),
            limits: connector.policy().limits,
            usage: connector.usage().stats(),
        }
    }
}

impl From<&Version> for VersionStatus {
    fn from(version: &Version) -> Self {
        VersionStatus {
            digest: version.connector.digest(),
            version: version.connector.version().to_owned(),
            bytes: version.connector.size(),
            since: time(version.since),
        }
    }
}

impl From<Rejection> for RejectionStatus {
    fn from(rejection: Rejection) -> Self {
        RejectionStatus {
            digest: rejection.digest,
            at: time(rejection.at),
            reason: rejection.reason,
        }
    }
}

/// As RFC 3339 in UTC, to the millisecond.
fn time(time: SystemTime) -> String {
    let exact = Timestamp::try_from(time).unwrap_or_default();
    exact.round(Unit::Millisecond).unwrap_or(exact).to_string()
}
