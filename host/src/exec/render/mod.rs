//! Values from the wire as JSON: each as the server's `to_json` writes it.
//!
//! A [`Codec`] knows the binary form of one type under one set of [settings](super::settings). It
//! asks nobody: types and settings without a codec are left to the server. The bytes come from the
//! database and are not trusted: what is not of the type is refused, in bounded memory and depth.
//!
//! Each family of types has a file of its own. All write straight into the reply.

mod array;
mod bytes;
mod choose;
mod composite;
mod datetime;
mod float;
mod geometry;
mod interval;
mod network;
mod number;
mod range;
mod reader;
mod system;
mod text;
mod textsearch;

pub(super) use text::string;

use super::settings::{ByteaOutput, IntervalStyle};
use super::zone::Zone;
use datetime::Form;
use reader::Reader;
use tokio_postgres::types::{FromSql, Type};

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
    Money,
    Text,
    InternalChar,
    /// JSON text, which stays as it is.
    Json,
    /// Text behind a version: JSON that stays as it is.
    Jsonb,
    /// Text behind a version.
    JsonPath,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz(Zone),
    Interval(IntervalStyle, bool),
    Uuid,
    Bytea(ByteaOutput),
    Bits,
    Inet,
    Cidr,
    Mac,
    Geometry(geometry::Shape),
    TsVector,
    TsQuery,
    Lsn,
    Xid,
    Xid8,
    Tid,
    Snapshot,
    Void,
    Range(Box<Codec>),
    Multirange(Box<Codec>),
    Array(Box<Codec>),
    Composite(Box<[composite::Field]>),
}

impl Codec {
    /// Appends the JSON of a value that is not NULL. Where the bytes are not of this type it gives
    /// false and appends nothing.
    pub(super) fn render(&self, raw: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let rendered = self.json(raw, out).is_some();
        if !rendered {
            out.truncate(start);
        }
        rendered
    }

    /// Whether what it was made from can change while the connection is open. A value that it
    /// refuses then may be all right.
    pub(super) fn can_be_outdated(&self) -> bool {
        match self {
            Codec::Composite(_) => true,
            Codec::Array(inner) | Codec::Range(inner) | Codec::Multirange(inner) => {
                inner.can_be_outdated()
            }
            _ => false,
        }
    }

    fn json(&self, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
        match self {
            Codec::Int2 | Codec::Int4 | Codec::Int8 | Codec::Oid | Codec::Json | Codec::Jsonb => {
                self.text(raw, out)
            }
            Codec::Float4 | Codec::Float8 | Codec::Numeric => {
                number::json(out, |out| self.text(raw, out))
            }
            Codec::Text => {
                string(out, std::str::from_utf8(raw).ok()?);
                Some(())
            }
            Codec::Bool => {
                let [byte] = raw.try_into().ok()?;
                out.extend_from_slice(if byte == 0_u8 { b"false" } else { b"true" });
                Some(())
            }
            Codec::Timestamp => {
                let micros = i64::from_be_bytes(raw.try_into().ok()?);
                text::quoted(out, |out| datetime::timestamp(out, micros, Form::Json))
            }
            Codec::TimestampTz(zone) => {
                let micros = i64::from_be_bytes(raw.try_into().ok()?);
                text::quoted(out, |out| {
                    datetime::timestamp_tz(out, micros, zone, Form::Json)
                })
            }
            Codec::Array(element) => array::json(element, raw, out),
            Codec::Composite(fields) => composite::json(fields, raw, out),
            _ => text::quoted(out, |out| self.text(raw, out)),
        }
    }

    fn json_or_null(&self, raw: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
        match raw {
            Some(raw) => self.json(raw, out),
            None => {
                out.extend_from_slice(b"null");
                Some(())
            }
        }
    }

    /// Appends what the type's output function gives. Arrays and composites have no need of it.
    fn text(&self, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
        match self {
            Codec::Bool => {
                let [byte] = raw.try_into().ok()?;
                out.push(if byte == 0_u8 { b'f' } else { b't' });
            }
            Codec::Int2 => number::int(out, i16::from_be_bytes(raw.try_into().ok()?)),
            Codec::Int4 => number::int(out, i32::from_be_bytes(raw.try_into().ok()?)),
            Codec::Int8 => number::int(out, i64::from_be_bytes(raw.try_into().ok()?)),
            Codec::Oid | Codec::Xid => number::int(out, u32::from_be_bytes(raw.try_into().ok()?)),
            Codec::Xid8 => number::int(out, u64::from_be_bytes(raw.try_into().ok()?)),
            Codec::Float4 => float::text(out, f32::from_be_bytes(raw.try_into().ok()?))?,
            Codec::Float8 => float::text(out, f64::from_be_bytes(raw.try_into().ok()?))?,
            Codec::Numeric => number::numeric(raw, out)?,
            Codec::Money => number::money(raw, out)?,
            Codec::Text | Codec::Json => plain(raw, out)?,
            Codec::Jsonb | Codec::JsonPath => plain(raw.strip_prefix(&[1])?, out)?,
            Codec::InternalChar => bytes::internal_char(out, *raw.first()?),
            Codec::Date => datetime::date(out, i32::from_be_bytes(raw.try_into().ok()?)),
            Codec::Time => datetime::time(out, i64::from_be_bytes(raw.try_into().ok()?))?,
            Codec::TimeTz => {
                let mut reader = Reader::new(raw);
                datetime::time_tz(out, reader.i64()?, reader.i32()?)?;
                reader.end()?;
            }
            Codec::Timestamp => {
                datetime::timestamp(out, i64::from_be_bytes(raw.try_into().ok()?), Form::Text)?
            }
            Codec::TimestampTz(zone) => {
                datetime::timestamp_tz(
                    out,
                    i64::from_be_bytes(raw.try_into().ok()?),
                    zone,
                    Form::Text,
                )?;
            }
            Codec::Interval(style, can_be_infinite) => {
                interval::text(*style, *can_be_infinite, raw, out)?;
            }
            Codec::Uuid => bytes::uuid(raw, out)?,
            Codec::Bytea(form) => bytes::bytea(*form, raw, out),
            Codec::Bits => bytes::bits(raw, out)?,
            Codec::Inet => network::address(false, raw, out)?,
            Codec::Cidr => network::address(true, raw, out)?,
            Codec::Mac => bytes::mac(raw, out),
            Codec::Geometry(shape) => geometry::text(*shape, raw, out)?,
            Codec::TsVector => textsearch::vector(raw, out)?,
            Codec::TsQuery => textsearch::query(raw, out)?,
            Codec::Lsn => system::lsn(raw, out)?,
            Codec::Tid => system::tid(raw, out)?,
            Codec::Snapshot => system::snapshot(raw, out)?,
            Codec::Void => {}
            Codec::Range(bound) => range::range(bound, raw, out)?,
            Codec::Multirange(bound) => range::multirange(bound, raw, out)?,
            Codec::Array(_) | Codec::Composite(_) => return None,
        }
        Some(())
    }
}

fn plain(raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(std::str::from_utf8(raw).ok()?.as_bytes());
    Some(())
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

#[cfg(test)]
mod tests;
