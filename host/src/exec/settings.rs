//! What a session's settings mean for values that are rendered here.
//!
//! [`Settings`] is a snapshot that never changes; [`Current`] holds the one that is in force. The
//! server reports some settings whenever they change. The others are asked for once and forgotten
//! after SQL that could have changed them. What is not known is not rendered here.

use super::zone::Zone;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_postgres::SimpleQueryMessage;

/// Settings that matter and that the server reports.
pub(super) const REPORTED: [&str; 3] = ["TimeZone", "IntervalStyle", "DateStyle"];

/// Asks for what the server does not report: settings, and types that are cast to JSON in a way of
/// their own (114 is the type `json`; types that are not built in start at 16384).
pub(super) const UNREPORTED: &str = "SELECT current_setting('server_version_num'), \
     current_setting('extra_float_digits'), current_setting('bytea_output'), \
     current_setting('lc_monetary'), (SELECT string_agg(castsource::text, ',') \
     FROM pg_catalog.pg_cast WHERE casttarget = 114 AND castmethod = 'f' AND castsource >= 16384)";

/// The first version that writes floating-point numbers with the fewest digits.
const SHORTEST_FLOATS: u32 = 12_00_00;

/// The first version with intervals that are infinite.
const INFINITE_INTERVALS: u32 = 17_00_00;

/// A snapshot. Equal ones lead to equal codecs.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Settings {
    /// The session's time zone; none where it is not known here.
    pub(super) zone: Option<Zone>,
    /// How intervals are written.
    pub(super) interval_style: Option<IntervalStyle>,
    /// Dates are in ISO form even where `to_json` does not ask for it, as in ranges.
    pub(super) iso_dates: bool,
    /// The largest interval means infinity.
    pub(super) infinite_intervals: bool,
    /// The rest; none after SQL that could have changed it.
    pub(super) unreported: Option<Unreported>,
}

/// What the server has to be asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(super) struct Unreported {
    /// Floating-point numbers have the fewest digits that give them back.
    pub(super) shortest_floats: bool,
    /// How `bytea` is written.
    pub(super) bytea_output: Option<ByteaOutput>,
    /// `money` is written as in English.
    pub(super) english_money: bool,
    /// Types with a cast to `json`, which `to_json` uses.
    pub(super) json_casts: Vec<u32>,
}

/// The setting `IntervalStyle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum IntervalStyle {
    Postgres,
    PostgresVerbose,
    Iso8601,
    SqlStandard,
}

impl IntervalStyle {
    fn named(name: &str) -> Option<IntervalStyle> {
        Some(match name {
            "postgres" => IntervalStyle::Postgres,
            "postgres_verbose" => IntervalStyle::PostgresVerbose,
            "iso_8601" => IntervalStyle::Iso8601,
            "sql_standard" => IntervalStyle::SqlStandard,
            _ => return None,
        })
    }
}

/// The setting `bytea_output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ByteaOutput {
    Hex,
    Escape,
}

/// The settings of one session as they are now.
#[derive(Debug, Default)]
pub(super) struct Current(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What the server reported last, in the order of [`REPORTED`].
    reported: [Option<String>; REPORTED.len()],
    settings: Arc<Settings>,
}

impl Current {
    /// The snapshot in force.
    pub(super) fn get(&self) -> Arc<Settings> {
        self.lock().settings.clone()
    }

    /// Takes in what the server reports, in the order of [`REPORTED`].
    pub(super) fn report(&self, reported: [Option<&str>; REPORTED.len()]) {
        let mut state = self.lock();
        let known = state.reported.iter().map(Option::as_deref);
        if known.eq(reported) {
            return;
        }
        let [zone, interval_style, date_style] = reported;
        state.settings = Arc::new(Settings {
            zone: zone.and_then(Zone::named),
            interval_style: interval_style.and_then(IntervalStyle::named),
            iso_dates: date_style.is_some_and(|style| style.starts_with("ISO")),
            infinite_intervals: state.settings.infinite_intervals,
            unreported: state.settings.unreported.clone(),
        });
        state.reported = reported.map(|value| value.map(str::to_owned));
    }

    /// Takes in the answer to [`UNREPORTED`].
    pub(super) fn answer(&self, messages: &[SimpleQueryMessage]) {
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let value = |at| row.and_then(|row| row.try_get(at).ok().flatten());
        let version = value(0).and_then(|text| text.parse().ok()).unwrap_or(0);
        let digits = value(1).and_then(|text| text.parse().ok()).unwrap_or(0_i32);
        let casts = value(4).unwrap_or_default().split(',');
        let unreported = Unreported {
            shortest_floats: version >= SHORTEST_FLOATS && digits > 0,
            bytea_output: match value(2) {
                Some("hex") => Some(ByteaOutput::Hex),
                Some("escape") => Some(ByteaOutput::Escape),
                _ => None,
            },
            english_money: value(3).is_some_and(|locale| {
                matches!(locale, "C" | "POSIX" | "C.UTF-8" | "C.utf8")
                    || locale.starts_with("en_US")
            }),
            json_casts: casts.filter_map(|oid| oid.parse().ok()).collect(),
        };
        self.learn(version >= INFINITE_INTERVALS, Some(unreported));
    }

    /// Forgets what is not reported: a statement may have changed it.
    pub(super) fn distrust(&self) {
        let infinite_intervals = self.lock().settings.infinite_intervals;
        self.learn(infinite_intervals, None);
    }

    fn learn(&self, infinite_intervals: bool, unreported: Option<Unreported>) {
        let mut state = self.lock();
        state.settings = Arc::new(Settings {
            zone: state.settings.zone.clone(),
            interval_style: state.settings.interval_style,
            iso_dates: state.settings.iso_dates,
            infinite_intervals,
            unreported,
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_changes_only_with_what_it_says() {
        let current = Current::default();
        let reported = [Some("Asia/Kolkata"), Some("iso_8601"), Some("ISO, MDY")];
        current.report(reported);
        let first = current.get();
        assert_eq!(first.interval_style, Some(IntervalStyle::Iso8601));
        assert!(first.zone.is_some() && first.iso_dates);
        current.report(reported);
        assert!(Arc::ptr_eq(&first, &current.get()));
        current.report([
            Some("Nowhere/At_All"),
            Some("iso_8601"),
            Some("German, DMY"),
        ]);
        assert!(current.get().zone.is_none() && !current.get().iso_dates);
        current.report(reported);
        assert_eq!(first, current.get());
    }

    #[test]
    fn what_is_not_reported_is_forgotten() {
        let current = Current::default();
        current.learn(true, Some(Unreported::default()));
        assert!(current.get().unreported.is_some());
        current.distrust();
        assert!(current.get().unreported.is_none() && current.get().infinite_intervals);
    }
}
