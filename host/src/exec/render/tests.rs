//! Types with codecs, and bytes that are not of the type.

use super::*;
use crate::exec::settings::{Settings, Unreported};
use tokio_postgres::types::{Field, Kind};

/// A session in which everything is known.
fn settings() -> Settings {
    Settings {
        zone: Zone::named("America/New_York"),
        interval_style: Some(IntervalStyle::SqlStandard),
        iso_dates: true,
        infinite_intervals: false,
        unreported: Some(Unreported {
            shortest_floats: true,
            bytea_output: Some(ByteaOutput::Escape),
            english_money: true,
            json_casts: vec![40_001],
        }),
    }
}

fn foreign(oid: u32, name: &str, kind: Kind) -> Type {
    Type::new(name.into(), oid, kind, "public".into())
}

/// The built-in types that are rendered here.
const NATIVE: [Type; 66] = [
    Type::BOOL,
    Type::INT2,
    Type::INT4,
    Type::INT8,
    Type::OID,
    Type::FLOAT4,
    Type::FLOAT8,
    Type::NUMERIC,
    Type::MONEY,
    Type::TEXT,
    Type::VARCHAR,
    Type::BPCHAR,
    Type::NAME,
    Type::UNKNOWN,
    Type::CSTRING,
    Type::REFCURSOR,
    Type::CHAR,
    Type::BYTEA,
    Type::DATE,
    Type::TIME,
    Type::TIMETZ,
    Type::TIMESTAMP,
    Type::TIMESTAMPTZ,
    Type::INTERVAL,
    Type::UUID,
    Type::JSON,
    Type::JSONB,
    Type::JSONPATH,
    Type::XML,
    Type::INET,
    Type::CIDR,
    Type::MACADDR,
    Type::MACADDR8,
    Type::BIT,
    Type::VARBIT,
    Type::POINT,
    Type::LSEG,
    Type::PATH,
    Type::BOX,
    Type::POLYGON,
    Type::LINE,
    Type::CIRCLE,
    Type::INT4_RANGE,
    Type::INT8_RANGE,
    Type::NUM_RANGE,
    Type::TS_RANGE,
    Type::TSTZ_RANGE,
    Type::DATE_RANGE,
    Type::INT4MULTI_RANGE,
    Type::INT8MULTI_RANGE,
    Type::NUMMULTI_RANGE,
    Type::TSMULTI_RANGE,
    Type::TSTZMULTI_RANGE,
    Type::DATEMULTI_RANGE,
    Type::TS_VECTOR,
    Type::TSQUERY,
    Type::PG_LSN,
    Type::XID,
    Type::XID8,
    Type::CID,
    Type::TID,
    Type::PG_SNAPSHOT,
    Type::TXID_SNAPSHOT,
    Type::INT2_VECTOR,
    Type::OID_VECTOR,
    Type::VOID,
];

/// Arrays of each kind, and types that users make.
fn made() -> Vec<Type> {
    let mood = foreign(20_001, "mood", Kind::Enum(vec!["x".into()]));
    let positive = foreign(20_002, "positive", Kind::Domain(Type::INT4));
    let fields = vec![
        Field::new("a".into(), positive.clone()),
        Field::new("b \"".into(), Type::INT4_RANGE_ARRAY),
        Field::new("c".into(), mood.clone()),
    ];
    let pair = foreign(20_003, "pair", Kind::Composite(fields));
    vec![
        Type::INT4_ARRAY,
        Type::OID_ARRAY,
        Type::NUMERIC_ARRAY,
        Type::TEXT_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::INTERVAL_ARRAY,
        Type::BYTEA_ARRAY,
        Type::JSONB_ARRAY,
        Type::BOX_ARRAY,
        Type::TSTZ_RANGE_ARRAY,
        Type::INT2_VECTOR_ARRAY,
        Type::TS_VECTOR_ARRAY,
        foreign(20_004, "_pair", Kind::Array(pair.clone())),
        foreign(20_005, "pairs", Kind::Domain(pair.clone())),
        foreign(20_006, "floats", Kind::Range(Type::FLOAT8)),
        foreign(20_007, "moods", Kind::Range(mood.clone())),
        mood,
        positive,
        pair,
    ]
}

#[test]
fn known_types_are_rendered_here() {
    let settings = settings();
    for known in NATIVE.iter().chain(&made()) {
        assert!(Codec::of(known, &settings).is_some(), "{known}");
    }
}

#[test]
fn other_types_are_left_to_the_server() {
    let mut deep = Type::INT4;
    for oid in 30_000..30_100 {
        deep = foreign(
            oid,
            "deep",
            Kind::Composite(vec![Field::new("a".into(), deep)]),
        );
    }
    let pair = Kind::Composite(vec![Field::new("a".into(), Type::REGCLASS)]);
    for known in [
        Type::REGCLASS,
        Type::REGTYPE_ARRAY,
        Type::RECORD,
        Type::RECORD_ARRAY,
        Type::ACLITEM_ARRAY,
        foreign(40_000, "hstore", Kind::Simple),
        foreign(40_001, "cast", Kind::Enum(vec!["x".into()])),
        foreign(40_002, "arrays", Kind::Range(Type::INT4_ARRAY)),
        foreign(40_003, "vector", Kind::Array(Type::FLOAT4)),
        foreign(40_004, "pair", pair),
        deep,
    ] {
        assert_eq!(Codec::of(&known, &settings()), None, "{known}");
    }
}

#[test]
fn what_is_not_known_of_the_session_is_left_to_the_server() {
    let unknown = Settings::default();
    for known in [
        Type::FLOAT4,
        Type::FLOAT8_ARRAY,
        Type::POINT,
        Type::MONEY,
        Type::BYTEA,
        Type::TIMESTAMPTZ,
        Type::INTERVAL,
        Type::TSTZ_RANGE,
        Type::TS_RANGE,
        Type::DATEMULTI_RANGE,
        foreign(20_001, "mood", Kind::Enum(vec!["x".into()])),
        foreign(20_006, "floats", Kind::Range(Type::FLOAT8)),
    ] {
        assert_eq!(Codec::of(&known, &unknown), None, "{known}");
    }
    assert!(Codec::of(&Type::TIMESTAMP, &unknown).is_some());
}

/// Whatever the bytes, the answer is text that is UTF-8, or nothing.
#[test]
fn hostile_bytes_are_refused() {
    let settings = settings();
    let mut seed = 1_u64;
    let mut random = move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as u32
    };
    let made = made();
    for known in NATIVE.iter().chain(&made) {
        let codec = Codec::of(known, &settings).unwrap();
        for length in 0..600 {
            // Small numbers are likelier to pass for counts and lengths.
            let limit = [3, 8, 256][length % 3];
            let raw: Vec<u8> = (0..length / 6).map(|_| (random() % limit) as u8).collect();
            let mut out = b"x".to_vec();
            let rendered = codec.render(&raw, &mut out);
            assert!(rendered || out == b"x", "{known}: {raw:?}");
            assert!(std::str::from_utf8(&out).is_ok(), "{known}: {raw:?}");
            assert!(out.len() < 200_000, "{known}: {raw:?}");
        }
    }
}

#[test]
fn arrays_claim_no_more_than_they_hold() {
    let codec = Codec::of(&Type::INT4_ARRAY, &settings()).unwrap();
    let array = |sizes: &[i32], elements: &[u8]| {
        let header = [sizes.len() as i32, 0, 23];
        let sizes = sizes.iter().flat_map(|size| [*size, 1]);
        let words = header.into_iter().chain(sizes);
        let mut raw: Vec<u8> = words.flat_map(i32::to_be_bytes).collect();
        raw.extend_from_slice(elements);
        let mut out = Vec::new();
        codec
            .render(&raw, &mut out)
            .then(|| String::from_utf8(out).unwrap())
    };
    let null = [0xFF; 4];
    assert_eq!(array(&[1, 1], &null).as_deref(), Some("[[null]]"));
    assert_eq!(array(&[], &[]).as_deref(), Some("[]"));
    assert_eq!(array(&[0, i32::MAX], &[]).as_deref(), Some("[]"));
    assert_eq!(array(&[i32::MAX; 6], &null), None);
    assert_eq!(array(&[2], &null), None);
    assert_eq!(array(&[1; 7], &null), None);
    assert_eq!(array(&[-1], &null), None);
    assert_eq!(array(&[1], &[null, null].concat()), None);
}

#[test]
fn long_queries_do_not_use_up_the_stack() {
    let codec = Codec::of(&Type::TSQUERY, &settings()).unwrap();
    let mut raw = 200_001_i32.to_be_bytes().to_vec();
    raw.extend([2, 1].repeat(200_000));
    raw.extend([1, 0, 0, b'a', 0]);
    let mut out = Vec::new();
    assert!(codec.render(&raw, &mut out));
    assert_eq!(out.len(), 200_005);
}
