//! Dates, times and intervals as the server's `to_json` writes them.
//!
//! On the wire, dates are days and timestamps microseconds since the start of 2000.

use std::fmt::Write as _;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Days from the start of year 0 (in the calendar that runs from March) to 2000-01-01.
const EPOCH_DAYS: i64 = 730_425;

/// `2024-02-29`, with ` BC` behind years before 1.
pub(super) fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".into(),
        i32::MIN => "-infinity".into(),
        days => {
            let (date, era) = calendar(i64::from(days));
            date + era
        }
    }
}

/// `2024-02-29T13:14:15.678`, with `zone` behind it.
pub(super) fn timestamp(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => "infinity".into(),
        i64::MIN => "-infinity".into(),
        micros => {
            let (date, era) = calendar(micros.div_euclid(MICROS_PER_DAY));
            format!(
                "{date}T{}{zone}{era}",
                time(micros.rem_euclid(MICROS_PER_DAY))
            )
        }
    }
}

/// `13:14:15.123456`, without zeros at the end of the fraction.
pub(super) fn time(micros: i64) -> String {
    let seconds = micros / MICROS_PER_SECOND;
    let mut text = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    text.push_str(&fraction(micros % MICROS_PER_SECOND));
    text
}

fn fraction(micros: i64) -> String {
    if micros == 0 {
        return String::new();
    }
    format!(".{micros:06}").trim_end_matches('0').to_owned()
}

/// A zone as seconds west of Greenwich: `+05:30`, without minutes where they are zero.
pub(super) fn zone(seconds_west: i32) -> String {
    let sign = if seconds_west > 0 { '-' } else { '+' };
    let seconds = seconds_west.unsigned_abs();
    let mut text = format!("{sign}{:02}", seconds / 3600);
    if !seconds.is_multiple_of(3600) {
        let _ = write!(text, ":{:02}", seconds / 60 % 60);
    }
    if !seconds.is_multiple_of(60) {
        let _ = write!(text, ":{:02}", seconds % 60);
    }
    text
}

/// Year, month and day, and the era, from days since 2000-01-01 in the proleptic Gregorian calendar.
fn calendar(days: i64) -> (String, &'static str) {
    let days = days + EPOCH_DAYS;
    let cycle = days.div_euclid(146_097);
    let day_of_cycle = days.rem_euclid(146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    let (year, era) = if year > 0 {
        (year, "")
    } else {
        (1 - year, " BC")
    };
    (format!("{year:04}-{month:02}-{day:02}"), era)
}

/// `1 year 2 mons -3 days +04:05:06.7`, the server's style `postgres`.
pub(super) fn interval(months: i32, days: i32, micros: i64) -> String {
    let mut text = String::new();
    let mut after_negative = false;
    for (count, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count != 0 {
            let space = if text.is_empty() { "" } else { " " };
            let plus = if after_negative && count > 0 { "+" } else { "" };
            let plural = if count == 1 { "" } else { "s" };
            let _ = write!(text, "{space}{plus}{count} {unit}{plural}");
            after_negative = count < 0;
        }
    }
    if micros != 0 || text.is_empty() {
        let space = if text.is_empty() { "" } else { " " };
        let sign = match micros {
            ..0 => "-",
            _ if after_negative => "+",
            _ => "",
        };
        let _ = write!(
            text,
            "{space}{sign}{}",
            time_of_interval(micros.unsigned_abs())
        );
    }
    text
}

fn time_of_interval(micros: u64) -> String {
    let (seconds, rest) = (micros / 1_000_000, (micros % 1_000_000) as i64);
    format!(
        "{:02}:{:02}:{:02}{}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        fraction(rest)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (days, expected) in [
            (0, "2000-01-01"),
            (8825, "2024-02-29"),
            (-1, "1999-12-31"),
            (2_921_940, "10000-01-01"),
            (-730_119, "0001-01-01"),
            (-730_120, "0001-12-31 BC"),
            (i32::MAX, "infinity"),
        ] {
            assert_eq!(date(days), expected);
        }
        assert_eq!(timestamp(-1, ""), "1999-12-31T23:59:59.999999");
        assert_eq!(timestamp(500_000, "+00:00"), "2000-01-01T00:00:00.5+00:00");
    }

    #[test]
    fn intervals() {
        for (months, days, micros, expected) in [
            (0, 0, 0, "00:00:00"),
            (14, 0, 0, "1 year 2 mons"),
            (0, 1, 7_384_000_000, "1 day 02:03:04"),
            (-14, 3, -1_500_000, "-1 years -2 mons +3 days -00:00:01.5"),
            (0, -1, 3_600_000_000, "-1 days +01:00:00"),
        ] {
            assert_eq!(interval(months, days, micros), expected);
        }
        assert_eq!(zone(-19_800), "+05:30");
        assert_eq!(zone(18_000), "-05");
    }
}
