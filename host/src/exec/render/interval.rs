//! Intervals in each of the server's four styles.

use super::datetime::{fraction, padded};
use super::number::int;
use super::reader::Reader;
use crate::exec::settings::IntervalStyle;

/// An interval taken apart; the parts may have different signs.
struct Parts {
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
    minutes: i64,
    seconds: i64,
    micros: i64,
}

/// Microseconds, days and months.
pub(super) fn text(
    style: IntervalStyle,
    can_be_infinite: bool,
    raw: &[u8],
    out: &mut Vec<u8>,
) -> Option<()> {
    let mut reader = Reader::new(raw);
    let (micros, days, months) = (reader.i64()?, reader.i32()?, reader.i32()?);
    reader.end()?;
    match (micros, days, months) {
        (i64::MAX, i32::MAX, i32::MAX) if can_be_infinite => out.extend_from_slice(b"infinity"),
        (i64::MIN, i32::MIN, i32::MIN) if can_be_infinite => out.extend_from_slice(b"-infinity"),
        _ => Parts::of(months, days, micros).write(style, out),
    }
    Some(())
}

impl Parts {
    fn of(months: i32, days: i32, micros: i64) -> Parts {
        let seconds = micros / 1_000_000;
        Parts {
            years: i64::from(months / 12),
            months: i64::from(months % 12),
            days: i64::from(days),
            hours: seconds / 3600,
            minutes: seconds / 60 % 60,
            seconds: seconds % 60,
            micros: micros % 1_000_000,
        }
    }

    fn write(&self, style: IntervalStyle, out: &mut Vec<u8>) {
        match style {
            IntervalStyle::Postgres => self.postgres(out),
            IntervalStyle::PostgresVerbose => self.verbose(out),
            IntervalStyle::Iso8601 => self.iso_8601(out),
            IntervalStyle::SqlStandard => self.sql_standard(out),
        }
    }

    fn date(&self) -> [i64; 3] {
        [self.years, self.months, self.days]
    }

    fn time(&self) -> [i64; 4] {
        [self.hours, self.minutes, self.seconds, self.micros]
    }

    fn has_time(&self) -> bool {
        self.time().iter().any(|part| *part != 0)
    }

    fn time_is_negative(&self) -> bool {
        self.time().iter().any(|part| *part < 0)
    }

    /// `1 year 2 mons -3 days +04:05:06.7`: a plus where the part in front is negative.
    fn postgres(&self, out: &mut Vec<u8>) {
        let mut first = true;
        let mut after_negative = false;
        for (count, unit) in self.date().into_iter().zip(["year", "mon", "day"]) {
            if count != 0 {
                separate(out, &mut first);
                if after_negative && count > 0 {
                    out.push(b'+');
                }
                counted(out, count, unit, count != 1);
                after_negative = count < 0;
            }
        }
        if first || self.has_time() {
            separate(out, &mut first);
            if self.time_is_negative() {
                out.push(b'-');
            } else if after_negative {
                out.push(b'+');
            }
            padded(out, self.hours.abs());
            self.minutes_and_seconds(out);
        }
    }

    /// `@ 1 year 2 mons -3 days ago`: the sign of the first part comes last and turns the others.
    fn verbose(&self, out: &mut Vec<u8>) {
        out.push(b'@');
        let mut is_zero = true;
        let mut ago = false;
        let whole = [self.years, self.months, self.days, self.hours, self.minutes];
        let units = ["year", "mon", "day", "hour", "min"];
        for (count, unit) in whole.into_iter().zip(units) {
            if count == 0 {
                continue;
            }
            ago = if is_zero { count < 0 } else { ago };
            let count = if ago { -count } else { count };
            out.push(b' ');
            counted(out, count, unit, count != 1);
            is_zero = false;
        }
        if self.seconds != 0 || self.micros != 0 {
            let negative = self.seconds < 0 || self.micros < 0;
            ago = if is_zero { negative } else { ago };
            out.extend_from_slice(if negative == ago { b" " } else { b" -" });
            int(out, self.seconds.abs());
            fraction(out, self.micros.abs());
            let singular = self.seconds.abs() == 1 && self.micros == 0;
            out.extend_from_slice(if singular { b" sec" } else { b" secs" });
            is_zero = false;
        }
        if is_zero {
            out.extend_from_slice(b" 0");
        }
        if ago {
            out.extend_from_slice(b" ago");
        }
    }

    /// `P1Y2M-3DT4H5M6.7S`.
    fn iso_8601(&self, out: &mut Vec<u8>) {
        if self.date() == [0; 3] && !self.has_time() {
            out.extend_from_slice(b"PT0S");
            return;
        }
        out.push(b'P');
        for (count, designator) in self.date().into_iter().zip(*b"YMD") {
            component(out, count, designator);
        }
        if self.has_time() {
            out.push(b'T');
        }
        component(out, self.hours, b'H');
        component(out, self.minutes, b'M');
        if self.seconds != 0 || self.micros != 0 {
            if self.seconds < 0 || self.micros < 0 {
                out.push(b'-');
            }
            int(out, self.seconds.abs());
            fraction(out, self.micros.abs());
            out.push(b'S');
        }
    }

    /// `1-2`, `3 4:05:06`, or with all signs where one alone would not do: `+1-2 -3 +4:05:06`.
    fn sql_standard(&self, out: &mut Vec<u8>) {
        let parts = || self.date().into_iter().chain(self.time());
        let negative = parts().any(|part| part < 0);
        let positive = parts().any(|part| part > 0);
        let has_months = self.years != 0 || self.months != 0;
        let has_days_or_time = self.days != 0 || self.has_time();
        if !negative && !positive {
            out.push(b'0');
            return;
        }
        if (negative && positive) || (has_months && has_days_or_time) {
            let sign = |negative: bool| if negative { b'-' } else { b'+' };
            out.push(sign(self.years < 0 || self.months < 0));
            self.years_and_months(out);
            out.extend_from_slice(&[b' ', sign(self.days < 0)]);
            int(out, self.days.abs());
            out.extend_from_slice(&[b' ', sign(self.time_is_negative())]);
            int(out, self.hours.abs());
            self.minutes_and_seconds(out);
            return;
        }
        if negative {
            out.push(b'-');
        }
        if has_months {
            self.years_and_months(out);
            return;
        }
        if self.days != 0 {
            int(out, self.days.abs());
            out.push(b' ');
        }
        int(out, self.hours.abs());
        self.minutes_and_seconds(out);
    }

    fn years_and_months(&self, out: &mut Vec<u8>) {
        int(out, self.years.abs());
        out.push(b'-');
        int(out, self.months.abs());
    }

    /// `:05:06.7`, without signs.
    fn minutes_and_seconds(&self, out: &mut Vec<u8>) {
        out.push(b':');
        padded(out, self.minutes.abs());
        out.push(b':');
        padded(out, self.seconds.abs());
        fraction(out, self.micros.abs());
    }
}

fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(b' ');
    }
}

fn counted(out: &mut Vec<u8>, count: i64, unit: &str, plural: bool) {
    int(out, count);
    out.push(b' ');
    out.extend_from_slice(unit.as_bytes());
    if plural {
        out.push(b's');
    }
}

/// Nothing for nothing.
fn component(out: &mut Vec<u8>, count: i64, designator: u8) {
    if count != 0 {
        int(out, count);
        out.push(designator);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_style() {
        let cases = [
            ((0, 0, 0), ["00:00:00", "@ 0", "PT0S", "0"]),
            (
                (14, 0, 0),
                ["1 year 2 mons", "@ 1 year 2 mons", "P1Y2M", "1-2"],
            ),
            (
                (0, 1, 7_384_000_000),
                [
                    "1 day 02:03:04",
                    "@ 1 day 2 hours 3 mins 4 secs",
                    "P1DT2H3M4S",
                    "1 2:03:04",
                ],
            ),
            (
                (-14, 3, -1_500_000),
                [
                    "-1 years -2 mons +3 days -00:00:01.5",
                    "@ 1 year 2 mons -3 days 1.5 secs ago",
                    "P-1Y-2M3DT-1.5S",
                    "-1-2 +3 -0:00:01.5",
                ],
            ),
            (
                (0, -1, 3_600_000_000),
                [
                    "-1 days +01:00:00",
                    "@ 1 day -1 hours ago",
                    "P-1DT1H",
                    "+0-0 -1 +1:00:00",
                ],
            ),
        ];
        let styles = [
            IntervalStyle::Postgres,
            IntervalStyle::PostgresVerbose,
            IntervalStyle::Iso8601,
            IntervalStyle::SqlStandard,
        ];
        for ((months, days, micros), expected) in cases {
            for (style, expected) in styles.into_iter().zip(expected) {
                let mut out = Vec::new();
                Parts::of(months, days, micros).write(style, &mut out);
                assert_eq!(String::from_utf8(out).unwrap(), expected);
            }
        }
    }

    #[test]
    fn the_largest_can_mean_infinity() {
        let raw = [
            i64::MAX.to_be_bytes().to_vec(),
            vec![0x7F, 255, 255, 255, 0x7F, 255, 255, 255],
        ]
        .concat();
        let mut out = Vec::new();
        text(IntervalStyle::Postgres, true, &raw, &mut out).unwrap();
        assert_eq!(out, b"infinity");
    }
}
