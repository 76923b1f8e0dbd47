//! Integers, `numeric` and `money`.

use super::reader::Reader;

/// Appends an integer.
pub(super) fn int(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends what `write` appends: as it is where that is a number, as a string where it is `NaN` or
/// an infinity.
pub(super) fn json(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    let start = out.len();
    write(out)?;
    if !out.last()?.is_ascii_digit() {
        out.insert(start, b'"');
        out.push(b'"');
    }
    Some(())
}

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// The most digits that the server keeps behind the point.
const MOST_SCALE: usize = 0x3FFF;

/// How many groups of four digits there are, the weight of the first, sign, digits behind the point,
/// then the groups. All digits are kept.
pub(super) fn numeric(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    let count = reader.u16()?;
    let weight = i32::from(reader.i16()?);
    let sign = reader.u16()?;
    let scale = usize::from(reader.u16()?);
    let special: &[u8] = match sign {
        0 | NEGATIVE => b"",
        NAN => b"NaN",
        INFINITY => b"Infinity",
        NEGATIVE_INFINITY => b"-Infinity",
        _ => return None,
    };
    if !special.is_empty() {
        out.extend_from_slice(special);
        return Some(());
    }
    if scale > MOST_SCALE || reader.left() != usize::from(count) * 2 {
        return None;
    }
    if sign == NEGATIVE {
        out.push(b'-');
    }
    let mut groups = Groups { reader, weight };
    whole(&mut groups, if count == 0 { -1 } else { weight }, out)?;
    if scale > 0 {
        out.push(b'.');
        let end = out.len() + scale;
        let mut at = -1;
        while out.len() < end {
            four(out, groups.at(at)?);
            at -= 1;
        }
        out.truncate(end);
    }
    Some(())
}

fn whole(groups: &mut Groups<'_>, weight: i32, out: &mut Vec<u8>) -> Option<()> {
    if weight < 0 {
        out.push(b'0');
        return Some(());
    }
    let first = groups.at(weight)?;
    // A zero in front would make it no JSON number; the server never sends one.
    if first == 0 && weight > 0 {
        return None;
    }
    int(out, first);
    for at in (0..weight).rev() {
        four(out, groups.at(at)?);
    }
    Some(())
}

/// The groups that are stored; those around them are zero.
struct Groups<'a> {
    reader: Reader<'a>,
    /// Weight of the next one.
    weight: i32,
}

impl Groups<'_> {
    /// The group of this weight. Weights must be asked for in falling order.
    fn at(&mut self, weight: i32) -> Option<u16> {
        if weight != self.weight || self.reader.left() == 0 {
            return Some(0);
        }
        self.weight -= 1;
        self.reader.u16().filter(|group| *group < 10_000)
    }
}

fn four(out: &mut Vec<u8>, group: u16) {
    let digit = |value: u16| b'0' + (value % 10) as u8;
    out.extend_from_slice(&[
        digit(group / 1000),
        digit(group / 100),
        digit(group / 10),
        digit(group),
    ]);
}

/// Cents as `-$1,234.56`.
pub(super) fn money(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let cents = i64::from_be_bytes(raw.try_into().ok()?);
    out.extend_from_slice(if cents < 0 { b"-$" } else { b"$" });
    let cents = cents.unsigned_abs();
    let mut buffer = itoa::Buffer::new();
    let whole = buffer.format(cents / 100).as_bytes();
    for (at, digit) in whole.iter().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(b',');
        }
        out.push(*digit);
    }
    out.push(b'.');
    super::datetime::two(out, (cents % 100) as i64);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Option<String> {
        let header = [digits.len() as u16, weight as u16, sign, scale];
        let words = header.iter().chain(digits);
        let raw: Vec<u8> = words.flat_map(|word| word.to_be_bytes()).collect();
        let mut out = Vec::new();
        json(&mut out, |out| numeric(&raw, out))?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn numerics_keep_their_digits() {
        for (weight, sign, scale, digits, expected) in [
            (0, 0, 2, &[1, 5000][..], "1.50"),
            (-1, NEGATIVE, 5, &[1, 2000], "-0.00012"),
            (-2, 0, 8, &[5], "0.00000005"),
            (-3, 0, 2, &[5], "0.00"),
            (2, 0, 0, &[1], "100000000"),
            (1, 0, 3, &[12, 34, 5600], "120034.560"),
            (0, 0, 0, &[], "0"),
            (0, 0, 3, &[], "0.000"),
            (0, NAN, 0, &[], "\"NaN\""),
            (0, NEGATIVE_INFINITY, 0, &[], "\"-Infinity\""),
        ] {
            assert_eq!(text(weight, sign, scale, digits).as_deref(), Some(expected));
        }
    }

    #[test]
    fn broken_numerics_are_refused() {
        assert_eq!(text(0, 1, 0, &[1]), None);
        assert_eq!(text(0, 0, 0, &[10_000]), None);
        assert_eq!(text(1, 0, 0, &[0, 1]), None);
        assert_eq!(text(0, 0, 0x4000, &[1]), None);
        assert_eq!(numeric(&[0, 9], &mut Vec::new()), None);
        assert_eq!(numeric(&[0, 9, 0, 0, 0, 0, 0, 0], &mut Vec::new()), None);
    }

    #[test]
    fn money_has_groups_of_three() {
        for (cents, expected) in [
            (0, "$0.00"),
            (-5, "-$0.05"),
            (12_345, "$123.45"),
            (123_456_789, "$1,234,567.89"),
            (i64::MIN, "-$92,233,720,368,547,758.08"),
        ] {
            let mut out = Vec::new();
            money(&i64::to_be_bytes(cents), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
