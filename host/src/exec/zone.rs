//! Time zones by the names that the server reports.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::sync::Arc;

/// The Gregorian calendar repeats itself, days of the week included, after 400 years.
const CYCLE_SECONDS: i64 = 146_097 * 86_400;

/// Names whose meaning differs from machine to machine.
const LOCAL: [&str; 3] = ["localtime", "posixrules", "Factory"];

/// A time zone. The rules are those of this machine, or those that are compiled in.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    name: Arc<str>,
    zone: TimeZone,
}

impl Zone {
    /// The zone of this name; none where it is not known for certain what the server means.
    pub(super) fn named(name: &str) -> Option<Zone> {
        let zone = match name {
            "UTC" | "Etc/UTC" => TimeZone::UTC,
            _ if name.starts_with('<') => TimeZone::fixed(fixed(name)?),
            _ if LOCAL.contains(&name) || name.starts_with("right/") => return None,
            _ => TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())?,
        };
        Some(Zone {
            name: name.into(),
            zone,
        })
    }

    /// Seconds east of Greenwich at a time in seconds since 1970. After the last change that is
    /// listed for a zone its rule goes on for ever, as in the server.
    pub(super) fn seconds_east(&self, seconds: i64) -> Option<i64> {
        let beyond = seconds.checked_sub(Timestamp::MAX.as_second())?;
        let cycles = match beyond {
            1.. => beyond.div_euclid(CYCLE_SECONDS) + 1,
            _ => 0,
        };
        let within = seconds.checked_sub(cycles.checked_mul(CYCLE_SECONDS)?)?;
        let offset = self.zone.to_offset(Timestamp::from_second(within).ok()?);
        Some(i64::from(offset.seconds()))
    }
}

/// The server's own form for a fixed distance, which counts west of Greenwich: `<+05:30>-05:30`.
fn fixed(name: &str) -> Option<Offset> {
    let (_, west) = name.split_once('>')?;
    let (sign, digits) = match west.strip_prefix('-') {
        Some(digits) => (1, digits),
        None => (-1, west.strip_prefix('+').unwrap_or(west)),
    };
    let mut parts = digits.splitn(3, ':').map(|part| match part.len() {
        1..=3 if part.bytes().all(|byte| byte.is_ascii_digit()) => part.parse::<i32>().ok(),
        _ => None,
    });
    let mut part = || parts.next().unwrap_or(Some(0));
    let seconds = part()? * 3600 + part()? * 60 + part()?;
    Offset::from_seconds(sign * seconds).ok()
}

/// A name stands for its rules.
impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl std::hash::Hash for Zone {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_by_name() {
        for (name, seconds, expected) in [
            ("UTC", 0, Some(0)),
            ("America/New_York", 1_720_000_000, Some(-14_400)),
            ("Asia/Kolkata", 0, Some(19_800)),
            ("Africa/Monrovia", -3_000_000_000, Some(-2_588)),
            ("Africa/Monrovia", 0, Some(-2_670)),
            ("<+05:30>-05:30", 0, Some(19_800)),
            ("<-03>+03", 0, Some(-10_800)),
            ("<x>3:0x", 0, None),
            ("<+99>-999", 0, None),
            ("localtime", 0, None),
            ("Nowhere/At_All", 0, None),
        ] {
            let found = Zone::named(name).and_then(|zone| zone.seconds_east(seconds));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn rules_go_on_after_the_last_year_that_the_database_knows() {
        let zone = Zone::named("America/New_York").unwrap();
        for cycles in 1..700 {
            for (seconds, expected) in [(1_720_000_000, -14_400), (1_705_000_000, -18_000)] {
                let later = seconds + cycles * CYCLE_SECONDS;
                assert_eq!(zone.seconds_east(later), Some(expected));
            }
        }
        assert!(zone.seconds_east(i64::MAX).is_some());
        assert_eq!(zone.seconds_east(i64::MIN), None);
    }
}
