//! Which codec a type has, and whether it has one.

use super::Codec;
use super::composite::Field;
use super::geometry::Shape;
use crate::exec::bind;
use crate::exec::settings::{Settings, Unreported};
use tokio_postgres::types::{self, Kind, Type};

/// How deep types may be nested. Rendering goes as deep.
const MOST_NESTING: u32 = 32;

/// The first number of a type that is not built in.
const FIRST_FOREIGN: u32 = 16_384;

impl Codec {
    /// The codec of a type; none where the server has to render, because the type is not known here
    /// or it is not known how the session's settings have it written.
    ///
    /// Anonymous records have none: the names of their fields are not in the binary form.
    pub(in crate::exec) fn of(known: &Type, settings: &Settings) -> Option<Codec> {
        Codec::nested(known, settings, MOST_NESTING)
    }

    fn nested(known: &Type, settings: &Settings, depth: u32) -> Option<Codec> {
        let depth = depth.checked_sub(1)?;
        let known = bind::base(known);
        if let Some(codec) = plain(known) {
            return Some(codec);
        }
        if let Some(codec) = Codec::by_settings(known, settings) {
            return Some(codec);
        }
        let inner = |known: &Type| Some(Box::new(Codec::nested(known, settings, depth)?));
        match known.kind() {
            Kind::Array(element) if is_array(known) => Some(Codec::Array(inner(element)?)),
            Kind::Composite(fields) => {
                let field = |field: &types::Field| {
                    Some(Field {
                        name: field.name().to_owned(),
                        oid: field.type_().oid(),
                        codec: Codec::nested(field.type_(), settings, depth)?,
                    })
                };
                Some(Codec::Composite(
                    fields.iter().map(field).collect::<Option<_>>()?,
                ))
            }
            Kind::Enum(_) if !has_cast(known, settings) => Some(Codec::Text),
            Kind::Range(bound) if !has_cast(known, settings) => Some(Codec::Range(
                Codec::of_bound(bound, settings, depth)?.into(),
            )),
            Kind::Multirange(bound) if !has_cast(known, settings) => Some(Codec::Multirange(
                Codec::of_bound(bound, settings, depth)?.into(),
            )),
            _ => None,
        }
    }

    /// Bounds are written by their output functions, which heed more settings than `to_json` does.
    fn of_bound(known: &Type, settings: &Settings, depth: u32) -> Option<Codec> {
        let codec = Codec::nested(known, settings, depth)?;
        match codec {
            Codec::Array(_) | Codec::Composite(_) => None,
            Codec::Date | Codec::Timestamp | Codec::TimestampTz(_) if !settings.iso_dates => None,
            codec => Some(codec),
        }
    }

    fn by_settings(known: &Type, settings: &Settings) -> Option<Codec> {
        let unreported = settings.unreported.as_ref();
        let bytea_output = unreported.and_then(|unreported| unreported.bytea_output);
        let shortest_floats = unreported.is_some_and(|unreported| unreported.shortest_floats);
        let english_money = unreported.is_some_and(|unreported| unreported.english_money);
        match *known {
            Type::TIMESTAMPTZ => settings.zone.clone().map(Codec::TimestampTz),
            Type::INTERVAL => settings
                .interval_style
                .map(|style| Codec::Interval(style, settings.infinite_intervals)),
            Type::BYTEA => bytea_output.map(Codec::Bytea),
            Type::MONEY if english_money => Some(Codec::Money),
            _ if shortest_floats => floating(known),
            _ => None,
        }
    }
}

/// Types that every session writes in the same way.
fn plain(known: &Type) -> Option<Codec> {
    Some(match *known {
        Type::BOOL => Codec::Bool,
        Type::INT2 => Codec::Int2,
        Type::INT4 => Codec::Int4,
        Type::INT8 => Codec::Int8,
        Type::OID => Codec::Oid,
        Type::NUMERIC => Codec::Numeric,
        Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::NAME
        | Type::UNKNOWN
        | Type::CSTRING
        | Type::REFCURSOR
        | Type::XML => Codec::Text,
        Type::CHAR => Codec::InternalChar,
        Type::JSON => Codec::Json,
        Type::JSONB => Codec::Jsonb,
        Type::JSONPATH => Codec::JsonPath,
        Type::DATE => Codec::Date,
        Type::TIME => Codec::Time,
        Type::TIMETZ => Codec::TimeTz,
        Type::TIMESTAMP => Codec::Timestamp,
        Type::UUID => Codec::Uuid,
        Type::BIT | Type::VARBIT => Codec::Bits,
        Type::INET => Codec::Inet,
        Type::CIDR => Codec::Cidr,
        Type::MACADDR | Type::MACADDR8 => Codec::Mac,
        Type::TS_VECTOR => Codec::TsVector,
        Type::TSQUERY => Codec::TsQuery,
        Type::PG_LSN => Codec::Lsn,
        Type::XID | Type::CID => Codec::Xid,
        Type::XID8 => Codec::Xid8,
        Type::TID => Codec::Tid,
        Type::PG_SNAPSHOT | Type::TXID_SNAPSHOT => Codec::Snapshot,
        Type::VOID => Codec::Void,
        // The server takes these for arrays, whatever their text looks like.
        Type::INT2_VECTOR => Codec::Array(Codec::Int2.into()),
        Type::OID_VECTOR => Codec::Array(Codec::Oid.into()),
        _ => return None,
    })
}

fn floating(known: &Type) -> Option<Codec> {
    Some(match *known {
        Type::FLOAT4 => Codec::Float4,
        Type::FLOAT8 => Codec::Float8,
        Type::POINT => Codec::Geometry(Shape::Point),
        Type::LSEG => Codec::Geometry(Shape::Lseg),
        Type::BOX => Codec::Geometry(Shape::Box),
        Type::PATH => Codec::Geometry(Shape::Path),
        Type::POLYGON => Codec::Geometry(Shape::Polygon),
        Type::LINE => Codec::Geometry(Shape::Line),
        Type::CIRCLE => Codec::Geometry(Shape::Circle),
        _ => return None,
    })
}

/// Types of a fixed length with elements look like arrays; the names of arrays begin like this.
fn is_array(known: &Type) -> bool {
    known.name().starts_with('_')
}

/// Whether `to_json` uses a cast that somebody made, or may do so for all that is known.
fn has_cast(known: &Type, settings: &Settings) -> bool {
    let listed = |unreported: &Unreported| unreported.json_casts.contains(&known.oid());
    known.oid() >= FIRST_FOREIGN && settings.unreported.as_ref().is_none_or(listed)
}
