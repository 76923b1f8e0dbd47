//! `numeric` and floating-point numbers as the server writes them.

use std::fmt::Write as _;

/// A `numeric` in binary form as decimal digits, all of them kept. None where the form is broken;
/// text where it is no number.
pub(super) fn numeric(raw: &[u8]) -> Option<String> {
    let word = |at: usize| Some(i16::from_be_bytes(*raw.get(at * 2..)?.first_chunk()?));
    let count = usize::try_from(word(0)?).ok()?;
    let weight = i32::from(word(1)?);
    let sign = word(2)? as u16;
    let scale = usize::try_from(word(3)?).ok()?;
    let digit = |group: i32| match usize::try_from(group) {
        Ok(group) if group < count => word(4 + group),
        _ => Some(0),
    };
    match sign {
        0xC000 => return Some("\"NaN\"".into()),
        0xD000 => return Some("\"Infinity\"".into()),
        0xF000 => return Some("\"-Infinity\"".into()),
        _ => {}
    }
    let mut text = String::new();
    if sign == 0x4000 {
        text.push('-');
    }
    if weight < 0 {
        text.push('0');
    }
    for group in 0..=weight {
        let digit = digit(group)?;
        let _ = if group == 0 {
            write!(text, "{digit}")
        } else {
            write!(text, "{digit:04}")
        };
    }
    if scale > 0 {
        text.push('.');
        let mut fraction = String::new();
        let mut group = weight + 1;
        // Groups between the point and the first stored digit are zero.
        while fraction.len() < scale {
            let _ = write!(fraction, "{:04}", digit(group)?);
            group += 1;
        }
        text.push_str(fraction.get(..scale)?);
    }
    Some(text)
}

/// A `double precision`: the shortest digits that read back as the same number.
pub(super) fn double(value: f64) -> String {
    float(
        value.is_finite(),
        value.is_nan(),
        value.is_sign_negative(),
        &format!("{:e}", value.abs()),
        15,
    )
}

/// A `real`, likewise.
pub(super) fn single(value: f32) -> String {
    float(
        value.is_finite(),
        value.is_nan(),
        value.is_sign_negative(),
        &format!("{:e}", value.abs()),
        6,
    )
}

/// `scientific` is `d.ddde±x`. The server changes to that form below 10^-4 and from 10^`most` on.
fn float(finite: bool, nan: bool, negative: bool, scientific: &str, most: i32) -> String {
    if nan {
        return "\"NaN\"".into();
    }
    let sign = if negative { "-" } else { "" };
    if !finite {
        return format!("\"{sign}Infinity\"");
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.replace('.', "");
    if exponent < -4 || exponent >= most {
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{direction}{:02}", exponent.unsigned_abs());
    }
    let point = usize::try_from(exponent + 1).unwrap_or(0);
    let leading = usize::try_from(-(exponent + 1)).unwrap_or(0);
    if exponent < 0 {
        format!("{sign}0.{}{digits}", "0".repeat(leading))
    } else if digits.len() <= point {
        format!("{sign}{digits}{}", "0".repeat(point - digits.len()))
    } else {
        let (whole, fraction) = digits.split_at(point);
        format!("{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_the_server_writes_them() {
        for (value, expected) in [
            (5.0, "5"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (123_456.75, "123456.75"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (1.234_567_890_123_456_8e17, "1.2345678901234568e+17"),
            (5e-324, "5e-324"),
            (f64::NEG_INFINITY, "\"-Infinity\""),
            (f64::NAN, "\"NaN\""),
        ] {
            assert_eq!(double(value), expected);
        }
        assert_eq!(single(16_777_216.0), "1.6777216e+07");
        assert_eq!(single(3.25), "3.25");
    }

    #[test]
    fn numerics_keep_their_digits() {
        let raw = |weight: i16, sign: u16, scale: i16, digits: &[i16]| {
            let header = [digits.len() as i16, weight, sign as i16, scale];
            header
                .iter()
                .chain(digits)
                .flat_map(|word| word.to_be_bytes())
                .collect::<Vec<u8>>()
        };
        assert_eq!(numeric(&raw(0, 0, 2, &[1, 5000])).as_deref(), Some("1.50"));
        assert_eq!(
            numeric(&raw(-1, 0x4000, 5, &[1, 2000])).as_deref(),
            Some("-0.00012")
        );
        assert_eq!(numeric(&raw(-2, 0, 8, &[5])).as_deref(), Some("0.00000005"));
        assert_eq!(numeric(&raw(2, 0, 0, &[1])).as_deref(), Some("100000000"));
        assert_eq!(numeric(&raw(0, 0, 0, &[])).as_deref(), Some("0"));
        assert_eq!(numeric(&raw(0, 0xC000, 0, &[])).as_deref(), Some("\"NaN\""));
        assert_eq!(numeric(&[0, 9]), None);
    }
}
