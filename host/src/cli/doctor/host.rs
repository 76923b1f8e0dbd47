//! The machine: kernel, address space, open files, clock.

use super::finding::Findings;
use airlock::Runtime;
use airlock::config::Config;
use airlock::connector::scans_pages;
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::time::{Duration, SystemTime};

/// Files beside connections and components: the log, directories that are watched, sockets that listen.
const OTHER_FILES: u64 = 64;

/// 2026-01-01: this program is not older, so no clock that is right shows less.
const EARLIEST: Duration = Duration::from_secs(1_767_225_600);

pub(super) fn look(config: &Config, findings: &mut Findings) {
    kernel(findings);
    address_space(config, findings);
    overcommit(findings);
    open_files(config, findings);
    clock(findings);
}

fn kernel(findings: &mut Findings) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = match release.trim() {
        "" => "this kernel",
        release => release,
    };
    match scans_pages() {
        true => findings.ok("host.kernel", format!("{release} tells which pages were written")),
        false => findings.warning(
            "host.kernel",
            format!("{release} does not tell which pages of an instance were written"),
            "plans take 2 to 4 times as long; take Linux 6.7 or newer, and let the process read /proc/self/pagemap",
        ),
    }
}

/// What the pool of instances sets aside, seen by setting it aside.
fn address_space(config: &Config, findings: &mut Findings) {
    match Runtime::empty(config.limits) {
        Ok(_) => findings.ok(
            "host.address_space",
            format!("there is room for {} instances", config.limits.instances),
        ),
        Err(fault) => findings.failed(
            "host.address_space",
            format!(
                "there is no room for {} instances: {fault}",
                config.limits.instances
            ),
            "lift ulimit -v (LimitAS), or lower instances or instance_memory_bytes in [limits]",
        ),
    }
}

fn overcommit(findings: &mut Findings) {
    let file = "/proc/sys/vm/overcommit_memory";
    let Ok(mode) = fs::read_to_string(file) else {
        return;
    };
    match mode.trim() {
        "2" => findings.warning(
            "host.overcommit",
            "vm.overcommit_memory = 2 counts memory that is asked for, not what is used",
            "compiling can fail with memory free; set it to 0, or raise vm.overcommit_ratio",
        ),
        mode => findings.ok("host.overcommit", format!("vm.overcommit_memory = {mode}")),
    }
}

fn open_files(config: &Config, findings: &mut Findings) {
    let needed = files_needed(config);
    let Some(most) = getrlimit(Resource::Nofile).maximum else {
        return findings.ok("host.open_files", "there is no bound");
    };
    if most >= needed {
        let found = format!("{most} can be open, {needed} may be needed");
        return findings.ok("host.open_files", found);
    }
    findings.warning(
        "host.open_files",
        format!("{most} can be open, {needed} may be needed"),
        "raise ulimit -Hn (LimitNOFILE), or lower connections, pools or pool_connections in [limits]",
    );
}

/// Clients on each listener, connections to databases, and a file for each version that stays mapped.
fn files_needed(config: &Config) -> u64 {
    let limits = &config.limits;
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let listeners = 1 + u64::from(config.admin.is_some());
    let clients = count(limits.connections).saturating_mul(listeners);
    let databases = count(limits.pools).saturating_mul(count(limits.pool_connections));
    let components = config.components().map_or(1, |components| components.len());
    let versions = count(components).saturating_mul(count(limits.kept_versions).saturating_add(1));
    let all = [clients, databases, versions, OTHER_FILES];
    all.into_iter().fold(0, u64::saturating_add)
}

fn clock(findings: &mut Findings) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    match now {
        Ok(now) if now >= EARLIEST => findings.ok("host.clock", "it can be right"),
        _ => findings.failed(
            "host.clock",
            "it shows a time before this program was made",
            "set it, and keep it by NTP: certificates are checked by it",
        ),
    }
}
