//! Values from the wire as JSON: each as the server's `to_json` writes it.

use super::prepare::is_enum;
use super::session::Settings;
use super::{bind, datetime, numeric};
use std::sync::atomic::Ordering;
use tokio_postgres::types::{FromSql, Kind, Type};

/// How the binary form of one type becomes JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Codec {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Text,
    InternalChar,
    Json,
    Jsonb,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Interval,
    Uuid,
    Bytea,
    Void,
    Array(Box<Codec>),
}

impl Codec {
    /// The codec of a type; none where the server has to render, because the type is not known here
    /// or the session's settings change how it is written.
    pub(super) fn of(known: &Type, settings: &Settings) -> Option<Codec> {
        let set = |flag: &std::sync::atomic::AtomicBool| flag.load(Ordering::Acquire);
        let known = bind::base(known);
        Some(match *known {
            Type::BOOL => Codec::Bool,
            Type::INT2 => Codec::Int2,
            Type::INT4 => Codec::Int4,
            Type::INT8 => Codec::Int8,
            Type::OID => Codec::Oid,
            Type::FLOAT4 if set(&settings.plain_output) => Codec::Float4,
            Type::FLOAT8 if set(&settings.plain_output) => Codec::Float8,
            Type::NUMERIC => Codec::Numeric,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::XML => {
                Codec::Text
            }
            Type::CHAR => Codec::InternalChar,
            Type::JSON => Codec::Json,
            Type::JSONB => Codec::Jsonb,
            Type::DATE => Codec::Date,
            Type::TIME => Codec::Time,
            Type::TIMETZ => Codec::TimeTz,
            Type::TIMESTAMP => Codec::Timestamp,
            Type::TIMESTAMPTZ if set(&settings.utc) => Codec::TimestampTz,
            Type::INTERVAL if set(&settings.postgres_intervals) => Codec::Interval,
            Type::UUID => Codec::Uuid,
            Type::BYTEA if set(&settings.plain_output) => Codec::Bytea,
            Type::VOID => Codec::Void,
            _ if is_enum(known) => Codec::Text,
            _ => match known.kind() {
                // int2vector and oidvector look like arrays but are written with spaces.
                Kind::Array(element) if known.name().starts_with('_') => {
                    Codec::Array(Box::new(Codec::of(element, settings)?))
                }
                _ => return None,
            },
        })
    }

    /// Appends the JSON of a value that is not NULL. False where the bytes are not of this type.
    pub(super) fn render(&self, raw: &[u8], out: &mut Vec<u8>) -> bool {
        self.try_render(raw, out).is_some()
    }

    fn try_render(&self, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
        match self {
            Codec::Bool => out.extend_from_slice(if *raw.first()? == 0 {
                b"false"
            } else {
                b"true"
            }),
            Codec::Int2 => plain(out, i16::from_be_bytes(raw.try_into().ok()?)),
            Codec::Int4 => plain(out, i32::from_be_bytes(raw.try_into().ok()?)),
            Codec::Int8 => plain(out, i64::from_be_bytes(raw.try_into().ok()?)),
            Codec::Oid => plain(out, u32::from_be_bytes(raw.try_into().ok()?)),
            Codec::Float4 => plain(
                out,
                numeric::single(f32::from_be_bytes(raw.try_into().ok()?)),
            ),
            Codec::Float8 => plain(
                out,
                numeric::double(f64::from_be_bytes(raw.try_into().ok()?)),
            ),
            Codec::Numeric => plain(out, numeric::numeric(raw)?),
            Codec::Text => string(out, std::str::from_utf8(raw).ok()?),
            Codec::InternalChar => internal_char(out, *raw.first()?),
            Codec::Json => out.extend_from_slice(std::str::from_utf8(raw).ok()?.as_bytes()),
            Codec::Jsonb => out.extend_from_slice(
                std::str::from_utf8(raw.strip_prefix(&[1])?)
                    .ok()?
                    .as_bytes(),
            ),
            Codec::Date => string(
                out,
                &datetime::date(i32::from_be_bytes(raw.try_into().ok()?)),
            ),
            Codec::Time => string(
                out,
                &datetime::time(i64::from_be_bytes(raw.try_into().ok()?)),
            ),
            Codec::TimeTz => {
                let (micros, zone) = raw.split_first_chunk()?;
                let zone = datetime::zone(i32::from_be_bytes(zone.try_into().ok()?));
                string(out, &(datetime::time(i64::from_be_bytes(*micros)) + &zone));
            }
            Codec::Timestamp => string(
                out,
                &datetime::timestamp(i64::from_be_bytes(raw.try_into().ok()?), ""),
            ),
            Codec::TimestampTz => string(
                out,
                &datetime::timestamp(i64::from_be_bytes(raw.try_into().ok()?), "+00:00"),
            ),
            Codec::Interval => {
                let (micros, rest) = raw.split_first_chunk()?;
                let (days, months) = rest.split_first_chunk()?;
                let months = i32::from_be_bytes(months.try_into().ok()?);
                string(
                    out,
                    &datetime::interval(
                        months,
                        i32::from_be_bytes(*days),
                        i64::from_be_bytes(*micros),
                    ),
                );
            }
            Codec::Uuid => uuid(out, raw.try_into().ok()?),
            Codec::Bytea => {
                out.extend_from_slice(b"\"\\\\x");
                hex(out, raw);
                out.push(b'"');
            }
            Codec::Void => out.extend_from_slice(b"\"\""),
            Codec::Array(element) => array(element, raw, out)?,
        }
        Some(())
    }
}

fn plain(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    out.extend_from_slice(value.to_string().as_bytes());
}

/// Appends a JSON string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// The one-byte type `"char"`: nothing for zero, octal for what is not ASCII.
fn internal_char(out: &mut Vec<u8>, byte: u8) {
    match byte {
        0 => string(out, ""),
        1..0x80 => string(out, &char::from(byte).to_string()),
        _ => string(out, &format!("\\{byte:03o}")),
    }
}

fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    out.extend(
        bytes
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]),
    );
}

fn uuid(out: &mut Vec<u8>, bytes: [u8; 16]) {
    out.push(b'"');
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        hex(out, &[byte]);
    }
    out.push(b'"');
}

/// Dimensions, flags, element type, then size and lower bound of each dimension, then the elements
/// in row-major order, each with its length.
fn array(element: &Codec, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = raw;
    let dimensions = usize::try_from(int(&mut reader)?).ok()?;
    int(&mut reader)?;
    int(&mut reader)?;
    if dimensions == 0 {
        out.extend_from_slice(b"[]");
        return Some(());
    }
    let mut sizes = Vec::new();
    for _ in 0..dimensions {
        sizes.push(usize::try_from(int(&mut reader)?).ok()?);
        int(&mut reader)?;
    }
    elements(element, &sizes, &mut reader, out)
}

fn elements(element: &Codec, sizes: &[usize], reader: &mut &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (size, inner) = sizes.split_first()?;
    out.push(b'[');
    for at in 0..*size {
        if at > 0 {
            out.push(b',');
        }
        if !inner.is_empty() {
            elements(element, inner, reader, out)?;
            continue;
        }
        match usize::try_from(int(reader)?) {
            Err(_) => out.extend_from_slice(b"null"),
            Ok(length) => {
                let (value, rest) = reader.split_at_checked(length)?;
                *reader = rest;
                element.try_render(value, out)?;
            }
        }
    }
    out.push(b']');
    Some(())
}

fn int(reader: &mut &[u8]) -> Option<i32> {
    let (word, rest) = reader.split_first_chunk()?;
    *reader = rest;
    Some(i32::from_be_bytes(*word))
}

/// The bytes of a value, whatever its type.
pub(super) struct Raw<'a>(pub(super) Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
