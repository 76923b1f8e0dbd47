//! Floating-point numbers with the fewest digits that give them back.

use std::fmt::LowerExp;
use std::io::Write as _;
use std::str::FromStr;

/// What `real` and `double precision` have in common.
pub(super) trait Float: LowerExp + FromStr + PartialEq + Copy + zmij::Float {
    /// The power of ten from which on exponents are written.
    const EXPONENTS_FROM: i32;

    fn is_finite(self) -> bool;
    fn is_nan(self) -> bool;
    fn is_sign_negative(self) -> bool;
    fn abs(self) -> Self;
    /// `(m, e, b)`, the value being `m * 2^e`; the one below it is half as far away where `b`.
    fn parts(self) -> (u64, i32, bool);
}

macro_rules! float {
    ($float:ty, $exponents_from:literal, $bias:literal) => {
        impl Float for $float {
            const EXPONENTS_FROM: i32 = $exponents_from;

            fn is_finite(self) -> bool {
                self.is_finite()
            }

            fn is_nan(self) -> bool {
                self.is_nan()
            }

            fn is_sign_negative(self) -> bool {
                self.is_sign_negative()
            }

            fn abs(self) -> Self {
                self.abs()
            }

            fn parts(self) -> (u64, i32, bool) {
                let bits = u64::from(self.abs().to_bits());
                let exponent = (bits >> (Self::MANTISSA_DIGITS - 1)) as i32;
                let hidden = 1 << (Self::MANTISSA_DIGITS - 1);
                let fraction = bits & (hidden - 1);
                match exponent {
                    0 => (fraction, 1 - $bias, false),
                    _ => (
                        fraction | hidden,
                        exponent - $bias,
                        fraction == 0 && exponent > 1,
                    ),
                }
            }
        }
    };
}

float!(f32, 6, 150);
float!(f64, 15, 1075);

/// Appends a number; `NaN` and the infinities by name.
pub(super) fn text<F: Float>(out: &mut Vec<u8>, value: F) -> Option<()> {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return Some(());
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if !value.is_finite() {
        out.extend_from_slice(b"Infinity");
        return Some(());
    }
    let value = value.abs();
    let shortest = Decimal::parse(zmij::Buffer::new().format_finite(value))?;
    let decimal = if shortest.is_between_two(value) {
        Decimal::without_ties(value)?
    } else {
        shortest
    };
    decimal.write(F::EXPONENTS_FROM, out)
}

/// Decimal digits that always suffice.
const MOST_DIGITS: usize = 17;

/// `d.ddd * 10^exponent`, without zeros at the end.
#[derive(Default)]
struct Decimal {
    digits: [u8; MOST_DIGITS],
    count: usize,
    exponent: i32,
}

impl Decimal {
    /// Reads `12.5`, `0.001` or `1.25e-7`.
    fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut decimal = Decimal {
            exponent: exponent.parse::<i32>().ok()? + i32::try_from(whole.len()).ok()? - 1,
            ..Decimal::default()
        };
        let digits = || whole.bytes().chain(fraction.bytes());
        let leading = digits().take_while(|digit| *digit == b'0').count();
        let trailing = digits().rev().take_while(|digit| *digit == b'0').count();
        let count = (whole.len() + fraction.len()).saturating_sub(leading + trailing);
        if count == 0 {
            return Some(Decimal::default());
        }
        decimal.exponent -= i32::try_from(leading).ok()?;
        decimal.count = count;
        let slots = decimal.digits.get_mut(..count)?;
        for (slot, digit) in slots.iter_mut().zip(digits().skip(leading)) {
            *slot = digit;
        }
        Some(decimal)
    }

    /// The fewest digits that are nearer to `value` than to any other number. The server gives no
    /// others: whoever reads digits that are half-way would have to round them in the right way.
    fn without_ties<F: Float>(value: F) -> Option<Decimal> {
        (0..MOST_DIGITS).find_map(|precision| {
            let mut buffer = [0; 32];
            let mut rest = buffer.as_mut_slice();
            write!(rest, "{value:.precision$e}").ok()?;
            let left = rest.len();
            let printed = std::str::from_utf8(buffer.get(..buffer.len() - left)?).ok()?;
            let decimal = Decimal::parse(printed)?;
            let reads_back = printed.parse().is_ok_and(|read: F| read == value);
            (reads_back && !decimal.is_between_two(value)).then_some(decimal)
        })
    }

    /// As it is within a range, with an exponent outside of it.
    fn write(&self, exponents_from: i32, out: &mut Vec<u8>) -> Option<()> {
        let digits = self.digits.get(..self.count)?;
        let Some((first, rest)) = digits.split_first() else {
            out.push(b'0');
            return Some(());
        };
        if self.exponent < -4 || self.exponent >= exponents_from {
            out.push(*first);
            fraction(out, rest);
            out.extend_from_slice(if self.exponent < 0 { b"e-" } else { b"e+" });
            super::datetime::padded(out, i64::from(self.exponent).abs());
            return Some(());
        }
        let Ok(whole) = usize::try_from(self.exponent + 1) else {
            out.extend_from_slice(b"0.");
            out.extend((self.exponent..-1).map(|_| b'0'));
            out.extend_from_slice(digits);
            return Some(());
        };
        match digits.split_at_checked(whole) {
            Some(([], digits)) => {
                out.push(b'0');
                fraction(out, digits);
            }
            Some((whole, digits)) => {
                out.extend_from_slice(whole);
                fraction(out, digits);
            }
            None => {
                out.extend_from_slice(digits);
                out.extend((self.count..whole).map(|_| b'0'));
            }
        }
        Some(())
    }

    /// Whether these digits are exactly half-way between `value` and the number beside it.
    fn is_between_two<F: Float>(&self, value: F) -> bool {
        let used = self.digits.iter().take(self.count);
        let digits = used.fold(0, |sum: u64, digit| {
            sum.wrapping_mul(10).wrapping_add(u64::from(digit & 15))
        });
        let tens = self.exponent - self.count as i32 + 1;
        let (mantissa, exponent, is_lowest) = value.parts();
        if mantissa == 0 {
            return false;
        }
        let below = if is_lowest {
            (4 * mantissa - 1, exponent - 2)
        } else {
            (2 * mantissa - 1, exponent - 1)
        };
        [(2 * mantissa + 1, exponent - 1), below]
            .iter()
            .any(|(odd, twos)| is_product(digits, tens, *odd, *twos))
    }
}

fn fraction(out: &mut Vec<u8>, digits: &[u8]) {
    if !digits.is_empty() {
        out.push(b'.');
        out.extend_from_slice(digits);
    }
}

/// Whether `digits * 10^tens` is `odd * 2^twos`.
fn is_product(digits: u64, tens: i32, odd: u64, twos: i32) -> bool {
    if digits == 0 || digits.trailing_zeros() as i32 + tens != twos {
        return false;
    }
    let digits = u128::from(digits >> digits.trailing_zeros());
    let Some(fives) = 5_u128.checked_pow(tens.unsigned_abs()) else {
        return false;
    };
    if tens >= 0 {
        digits.checked_mul(fives) == Some(u128::from(odd))
    } else {
        u128::from(odd).checked_mul(fives) == Some(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: impl Float) -> String {
        let mut out = Vec::new();
        text(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_as_the_server_writes_them() {
        for (value, expected) in [
            (0.0, "0"),
            (5.0, "5"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (1.5e-3, "0.0015"),
            (1e-5, "1e-05"),
            (123_456.75, "123456.75"),
            (1e14, "100000000000000"),
            (123_450_000_000_000.0, "123450000000000"),
            (1e15, "1e+15"),
            (1.234_567_890_123_456_8e17, "1.2345678901234568e+17"),
            (5e-324, "5e-324"),
            (779_091_291_615_693.2, "779091291615693.2"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(written(value), expected);
        }
        assert_eq!(written(16_777_216.0_f32), "1.6777216e+07");
        assert_eq!(written(3.25_f32), "3.25");
        assert_eq!(written(f32::MIN_POSITIVE), "1.1754944e-38");
    }

    #[test]
    fn digits_that_are_half_way_are_avoided() {
        assert_eq!(written(1e23), "9.999999999999999e+22");
        assert_eq!(written(-1e23), "-9.999999999999999e+22");
        assert_eq!(written(9e22), "9e+22");
    }
}
