//! `numeric` in both directions, with every digit.

use bytes::BytesMut;
use serde_json::value::RawValue;
use std::error::Error;
use std::io::Write as _;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

/// A finite `numeric` as the server sends it: groups of four decimal digits.
pub(super) struct Numeric<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Numeric<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let numeric = Numeric(raw);
        if raw.len() < 8 || raw.len() != 8 + 2 * numeric.word(0) as usize {
            return Err("a broken numeric".into());
        }
        match numeric.word(2) as u16 {
            0 | 0x4000 => Ok(numeric),
            _ => Err("not a finite number".into()),
        }
    }

    accepts!(NUMERIC);
}

impl Numeric<'_> {
    fn word(&self, at: usize) -> i16 {
        i16::from_be_bytes([self.0[2 * at], self.0[2 * at + 1]])
    }

    /// Appends it as a JSON number.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let (count, weight, scale) = (self.word(0), self.word(1), self.word(3) as usize);
        let group = |at: i16| match (0..count).contains(&at) {
            true => self.word(4 + at as usize) as u16,
            false => 0,
        };
        if self.word(2) == 0x4000 {
            out.push(b'-');
        }
        let whole = if weight < 0 { 0 } else { group(0) };
        write!(out, "{whole}").unwrap();
        (1..=weight).for_each(|at| four_digits(out, group(at)));
        if scale > 0 {
            out.push(b'.');
            let end = out.len() + scale;
            let mut at = weight + 1;
            while out.len() < end {
                four_digits(out, group(at));
                at += 1;
            }
            out.truncate(end);
        }
    }
}

fn four_digits(out: &mut Vec<u8>, group: u16) {
    let digit = |value: u16| b'0' + (value % 10) as u8;
    out.extend_from_slice(&[
        digit(group / 1000),
        digit(group / 100),
        digit(group / 10),
        digit(group),
    ]);
}

/// A number of a request as a parameter; the server reads its digits.
#[derive(Debug)]
pub(super) struct Digits<'a>(pub(super) &'a RawValue);

impl ToSql for Digits<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0.get().as_bytes());
        Ok(IsNull::No)
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    accepts!(NUMERIC);
    to_sql_checked!();
}
