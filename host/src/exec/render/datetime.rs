//! Dates and times.
//!
//! On the wire, dates are days and timestamps microseconds since the start of 2000. In JSON they are
//! always ISO 8601; in text, as bounds of ranges are, a space takes the place of the `T`.

use super::number::int;
use crate::exec::zone::Zone;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Days from the start of year 0 (in the calendar that runs from March) to 2000-01-01.
const EPOCH_DAYS: i64 = 730_425;

/// Seconds from 1970-01-01 to 2000-01-01.
const EPOCH_UNIX_SECONDS: i64 = 946_684_800;

/// What the text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Text,
}

/// `2024-02-29`, with ` BC` behind years before 1.
pub(super) fn date(out: &mut Vec<u8>, days: i32) {
    match days {
        i32::MAX => out.extend_from_slice(b"infinity"),
        i32::MIN => out.extend_from_slice(b"-infinity"),
        days => {
            let is_bc = calendar(out, i64::from(days));
            era(out, is_bc);
        }
    }
}

/// `2024-02-29T13:14:15.678`.
pub(super) fn timestamp(out: &mut Vec<u8>, micros: i64, form: Form) -> Option<()> {
    if !infinity(out, micros) {
        let is_bc = date_and_time(out, micros, form)?;
        era(out, is_bc);
    }
    Some(())
}

/// `2024-02-29T13:14:15.678+05:30`, as clocks in `zone` show it.
pub(super) fn timestamp_tz(out: &mut Vec<u8>, micros: i64, zone: &Zone, form: Form) -> Option<()> {
    if !infinity(out, micros) {
        let seconds = micros.div_euclid(MICROS_PER_SECOND) + EPOCH_UNIX_SECONDS;
        let east = zone.seconds_east(seconds)?;
        let local = micros.checked_add(east * MICROS_PER_SECOND)?;
        let is_bc = date_and_time(out, local, form)?;
        offset(out, -east, form);
        era(out, is_bc);
    }
    Some(())
}

fn infinity(out: &mut Vec<u8>, micros: i64) -> bool {
    match micros {
        i64::MAX => out.extend_from_slice(b"infinity"),
        i64::MIN => out.extend_from_slice(b"-infinity"),
        _ => return false,
    }
    true
}

fn date_and_time(out: &mut Vec<u8>, micros: i64, form: Form) -> Option<bool> {
    let is_bc = calendar(out, micros.div_euclid(MICROS_PER_DAY));
    out.push(if form == Form::Json { b'T' } else { b' ' });
    time(out, micros.rem_euclid(MICROS_PER_DAY))?;
    Some(is_bc)
}

/// `13:14:15.123456`, without zeros at the end of the fraction.
pub(super) fn time(out: &mut Vec<u8>, micros: i64) -> Option<()> {
    if !(0..=MICROS_PER_DAY).contains(&micros) {
        return None;
    }
    let seconds = micros / MICROS_PER_SECOND;
    two(out, seconds / 3600);
    out.push(b':');
    two(out, seconds / 60 % 60);
    out.push(b':');
    two(out, seconds % 60);
    fraction(out, micros % MICROS_PER_SECOND);
    Some(())
}

/// `.678` for what is left of a second; nothing for nothing.
pub(super) fn fraction(out: &mut Vec<u8>, micros: i64) {
    if micros != 0 {
        out.push(b'.');
        two(out, micros / 10_000);
        two(out, micros / 100 % 100);
        two(out, micros % 100);
        while out.pop_if(|last| *last == b'0').is_some() {}
    }
}

/// `13:14:15.123456+05:30`, the zone being seconds west of Greenwich.
pub(super) fn time_tz(out: &mut Vec<u8>, micros: i64, seconds_west: i32) -> Option<()> {
    time(out, micros)?;
    offset(out, i64::from(seconds_west), Form::Text);
    Some(())
}

/// `+05:30`; in text without minutes where they are zero.
fn offset(out: &mut Vec<u8>, seconds_west: i64, form: Form) {
    out.push(if seconds_west > 0 { b'-' } else { b'+' });
    let seconds = seconds_west.abs();
    padded(out, seconds / 3600);
    if form == Form::Json || seconds % 3600 != 0 {
        out.push(b':');
        two(out, seconds / 60 % 60);
    }
    if seconds % 60 != 0 {
        out.push(b':');
        two(out, seconds % 60);
    }
}

/// Two digits of a number below 100.
pub(super) fn two(out: &mut Vec<u8>, value: i64) {
    let digit = |value: i64| b'0' + (value % 10) as u8;
    out.extend_from_slice(&[digit(value / 10), digit(value)]);
}

/// Two digits at least of a number that is not negative.
pub(super) fn padded(out: &mut Vec<u8>, value: i64) {
    match value {
        0..100 => two(out, value),
        _ => int(out, value),
    }
}

fn era(out: &mut Vec<u8>, is_bc: bool) {
    if is_bc {
        out.extend_from_slice(b" BC");
    }
}

/// Year, month and day from days since 2000-01-01 in the proleptic Gregorian calendar; true for
/// years before 1.
fn calendar(out: &mut Vec<u8>, days: i64) -> bool {
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
    let is_bc = year <= 0;
    let year = if is_bc { 1 - year } else { year };
    if year < 10_000 {
        two(out, year / 100);
        two(out, year % 100);
    } else {
        int(out, year);
    }
    out.push(b'-');
    two(out, month);
    out.push(b'-');
    two(out, day);
    is_bc
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

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
            assert_eq!(text(|out| date(out, days)), expected);
        }
    }

    #[test]
    fn timestamps() {
        let utc = Zone::named("UTC").unwrap();
        let kolkata = Zone::named("Asia/Kolkata").unwrap();
        for (micros, zone, form, expected) in [
            (-1, None, Form::Json, "1999-12-31T23:59:59.999999"),
            (-1, None, Form::Text, "1999-12-31 23:59:59.999999"),
            (
                500_000,
                Some(&utc),
                Form::Json,
                "2000-01-01T00:00:00.5+00:00",
            ),
            (500_000, Some(&utc), Form::Text, "2000-01-01 00:00:00.5+00"),
            (0, Some(&kolkata), Form::Text, "2000-01-01 05:30:00+05:30"),
            (i64::MIN, Some(&utc), Form::Json, "-infinity"),
        ] {
            let write = |out: &mut Vec<u8>| match zone {
                Some(zone) => timestamp_tz(out, micros, zone, form).unwrap(),
                None => timestamp(out, micros, form).unwrap(),
            };
            assert_eq!(text(write), expected);
        }
        assert_eq!(
            timestamp_tz(&mut Vec::new(), i64::MAX - 1, &kolkata, Form::Json),
            None
        );
        assert_eq!(time(&mut Vec::new(), -1), None);
    }

    #[test]
    fn zones() {
        for (west, expected) in [(-19_800, "+05:30"), (18_000, "-05"), (-19_815, "+05:30:15")] {
            assert_eq!(text(|out| offset(out, west, Form::Text)), expected);
        }
        assert_eq!(text(|out| offset(out, 18_000, Form::Json)), "-05:00");
    }
}
