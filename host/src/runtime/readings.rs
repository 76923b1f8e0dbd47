//! What goes on, as metrics and figures have it.

use super::Runtime;
use crate::fault::Fault;
use crate::metrics::{HostReading, Metrics, ProcessReading, Readings};
use std::sync::Arc;

impl Runtime {
    /// What is counted and measured.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// What is held at this moment. Reads the process table, so call it off the async threads.
    #[must_use]
    pub fn read(&self) -> Readings {
        let plans = self.plan_cache();
        Readings {
            host: HostReading {
                connectors: self.versions.live().len(),
                planning_calls: self.planning_calls(),
                instances: self.instances(),
                plan_cache_entries: plans.entries,
                plan_cache_bytes: plans.bytes,
            },
            pools: self.database.read(),
            process: ProcessReading::now(),
        }
    }

    /// All metrics in the text format of Prometheus. Takes a while where there are many; call it off the
    /// async threads.
    ///
    /// # Errors
    /// Where they cannot be written, which is a defect.
    pub fn metrics_text(&self) -> Result<String, Fault> {
        self.metrics.text(&self.read())
    }
}
