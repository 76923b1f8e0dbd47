//! What the process takes of the machine, under the names that all exporters give it.

use super::register::Register;
use prometheus::{IntGauge, Registry, Result};

/// What the process takes of the machine at a moment. All are 0 where the system does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ProcessReading {
    /// Memory that is resident, in bytes.
    pub resident_bytes: u64,
    /// Processor time so far, in seconds.
    pub cpu_seconds: f64,
    /// Files that are open, sockets included.
    pub open_files: u64,
    /// Most files that may be open.
    pub most_files: u64,
    /// When it was started, in seconds since 1970.
    pub started_seconds: u64,
}

/// The families that tell of the process.
#[derive(Debug)]
pub(super) struct Process {
    resident: IntGauge,
    cpu: prometheus::Counter,
    open_files: IntGauge,
    most_files: IntGauge,
    started: IntGauge,
}

impl Process {
    pub(super) fn new(registry: &Registry) -> Result<Process> {
        let register = Register(registry);
        let cpu = prometheus::Counter::new(
            "process_cpu_seconds_total",
            "Processor time that the process took, in seconds.",
        )?;
        registry.register(Box::new(cpu.clone()))?;
        Ok(Process {
            resident: register.gauge(
                "process_resident_memory_bytes",
                "Memory of the process that is resident, in bytes.",
            )?,
            cpu,
            open_files: register.gauge("process_open_fds", "Files that are open.")?,
            most_files: register.gauge("process_max_fds", "Most files that may be open.")?,
            started: register.gauge(
                "process_start_time_seconds",
                "When the process was started, in seconds since 1970.",
            )?,
        })
    }

    /// Takes over a reading. One at a time may do so.
    pub(super) fn take(&self, reading: &ProcessReading) {
        self.resident.set(reading.resident_bytes as i64);
        self.cpu
            .inc_by((reading.cpu_seconds - self.cpu.get()).max(0.0));
        self.open_files.set(reading.open_files as i64);
        self.most_files.set(reading.most_files as i64);
        self.started.set(reading.started_seconds as i64);
    }
}

impl ProcessReading {
    /// What this process takes now.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn now() -> ProcessReading {
        use procfs::process;
        use rustix::process::{Resource, getrlimit};
        let Ok(own) = process::Process::myself() else {
            return ProcessReading::default();
        };
        let ticks = procfs::ticks_per_second().max(1);
        let stat = own.stat().ok();
        let started = stat.as_ref().and_then(|stat| {
            let boot = procfs::boot_time_secs().ok()?;
            Some(boot + stat.starttime / ticks)
        });
        ProcessReading {
            resident_bytes: stat
                .as_ref()
                .map_or(0, |stat| stat.rss * procfs::page_size()),
            cpu_seconds: stat
                .as_ref()
                .map_or(0.0, |stat| (stat.utime + stat.stime) as f64 / ticks as f64),
            open_files: own.fd_count().unwrap_or(0) as u64,
            most_files: getrlimit(Resource::Nofile).current.unwrap_or(0),
            started_seconds: started.unwrap_or(0),
        }
    }

    /// Nothing is known here.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn now() -> ProcessReading {
        ProcessReading::default()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_process_takes_something() {
        let reading = ProcessReading::now();
        assert!(reading.resident_bytes > 1 << 20, "{reading:?}");
        assert!(reading.open_files >= 3, "{reading:?}");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let age = now.unwrap().as_secs() - reading.started_seconds;
        assert!(age < 24 * 3600, "{reading:?}");
    }
}
