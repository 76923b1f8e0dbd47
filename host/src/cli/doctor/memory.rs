//! How much memory there is, beside what the limits let be taken.

use super::finding::Findings;
use airlock::config::Config;
use std::fs;
use std::path::Path;

/// What a server takes that has loaded `postgres_v2` and serves small calls, in bytes.
const BASE_BYTES: u64 = 48 << 20;

/// What each further connector takes, in bytes; as measured with a thousand of them, see Operate in the documentation.
const CONNECTOR_BYTES: u64 = 3 << 19;

/// Pages of an instance that are kept for the next one, in bytes.
const INSTANCE_BYTES: u64 = 256 << 10;

/// Beyond this a bound of the first control groups means that there is none.
const UNBOUNDED: u64 = 1 << 60;

pub(super) fn look(config: &Config, findings: &mut Findings) {
    let Some((bytes, bound)) = least(&groups(), physical()) else {
        return;
    };
    let (serving, compiling) = (serving(config), compiling(config));
    let most = serving.saturating_add(compiling);
    let found = format!(
        "{} by {bound}; serving may take {}, and a compiler {} beside it",
        shown(bytes),
        shown(serving),
        shown(compiling)
    );
    if bytes >= most {
        return findings.ok("host.memory", found);
    }
    let next =
        "give it more, or lower bodies_bytes in [limits] and compile_memory_bytes of connectors";
    findings.warning("host.memory", found, next);
}

/// What serving takes at most, as far as limits bound it, in bytes.
fn serving(config: &Config) -> u64 {
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let limits = &config.limits;
    let connectors = config.components().map_or(1, |components| components.len());
    let parts = [
        BASE_BYTES,
        count(limits.bodies_bytes),
        count(limits.plan_cache_bytes),
        u64::from(limits.instances).saturating_mul(INSTANCE_BYTES),
        count(connectors).saturating_mul(CONNECTOR_BYTES),
    ];
    parts.into_iter().fold(0, u64::saturating_add)
}

/// What the compiler of one component takes at most, in bytes.
fn compiling(config: &Config) -> u64 {
    let components = config.components().unwrap_or_default();
    let bounds = components
        .iter()
        .map(|component| component.policy.limits.compile_memory_bytes);
    u64::try_from(bounds.max().unwrap_or_default()).unwrap_or(u64::MAX)
}

/// The least of the bounds, with its name.
fn least(groups: &[(u64, String)], physical: Option<u64>) -> Option<(u64, String)> {
    let machine = physical.map(|bytes| (bytes, "the machine".to_owned()));
    let bounds = groups.iter().cloned().chain(machine);
    bounds.min_by_key(|(bytes, _)| *bytes)
}

/// The bounds of the control groups of this process.
fn groups() -> Vec<(u64, String)> {
    let listed = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut bounds = Vec::new();
    for (root, group, file) in listed.lines().filter_map(place) {
        // Those further out bound it as well. In a container its own group is the root.
        for group in Path::new(group).ancestors() {
            let group = group.strip_prefix("/").unwrap_or(group);
            let path = Path::new(root).join(group).join(file);
            let text = fs::read_to_string(&path).unwrap_or_default();
            if let Some(bytes) = bound(&text) {
                bounds.push((bytes, path.display().to_string()));
            }
        }
    }
    bounds
}

/// Where the bound of a group stands, by its line in `/proc/self/cgroup`.
fn place(line: &str) -> Option<(&'static str, &str, &'static str)> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, group) = (parts.next()?, parts.next()?);
    match controllers {
        "" => Some(("/sys/fs/cgroup", group, "memory.max")),
        _ if controllers.split(',').any(|name| name == "memory") => {
            Some(("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"))
        }
        _ => None,
    }
}

fn bound(text: &str) -> Option<u64> {
    let bytes = text.trim().parse().ok()?;
    (bytes < UNBOUNDED).then_some(bytes)
}

fn physical() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1 << 10)
}

fn shown(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_control_groups_are_read() {
        assert_eq!(
            place("0::/a/b"),
            Some(("/sys/fs/cgroup", "/a/b", "memory.max"))
        );
        let old = ("/sys/fs/cgroup/memory", "/x:y", "memory.limit_in_bytes");
        assert_eq!(place("4:memory:/x:y"), Some(old));
        assert_eq!(place("5:cpu,cpuacct:/x"), None);
        assert_eq!(bound("max\n"), None);
        assert_eq!(bound("9223372036854771712\n"), None);
        assert_eq!(bound("1048576\n"), Some(1 << 20));
    }

    #[test]
    fn the_least_bound_counts() {
        let groups = [(5, "outer".to_owned()), (3, "inner".to_owned())];
        assert_eq!(least(&groups, Some(4)), Some((3, "inner".into())));
        assert_eq!(least(&groups, Some(2)), Some((2, "the machine".into())));
        assert_eq!(least(&[], None), None);
    }

    #[test]
    fn what_may_be_taken_follows_the_limits() {
        let mut config = Config::load(None).unwrap();
        let before = serving(&config);
        config.limits.bodies_bytes += 1 << 20;
        assert_eq!(serving(&config), before + (1 << 20));
        assert_eq!(compiling(&config), 512 << 20);
    }
}
