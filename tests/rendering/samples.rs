//! Values of many types: those at the edges, and random ones that are the same in each run.

/// The values of one type.
pub(crate) struct Sample {
    /// Type of the column.
    pub(crate) of: &'static str,
    /// Literals.
    edges: &'static [&'static str],
    /// SQL that gives another value for each row `g`.
    random: &'static str,
}

/// Types and functions that the samples use.
pub(crate) const DEFINITIONS: &str = include_str!("samples.sql");

impl Sample {
    /// SQL that makes `table` with `rows` values; the first is NULL.
    pub(crate) fn fill(&self, table: &str, rows: usize) -> String {
        let literals: Vec<String> = self
            .edges
            .iter()
            .map(|edge| format!("'{}'", edge.replace('\'', "''")))
            .collect();
        let (of, random, edges) = (self.of, self.random, literals.join(", "));
        let known = literals.len();
        format!(
            "SET timezone = 'UTC'; SELECT setseed(0.25); CREATE TABLE {table} (id int, v {of}); \
             INSERT INTO {table} SELECT g, CASE WHEN g = 0 THEN NULL \
             WHEN g <= {known} THEN (ARRAY[{edges}]::text[])[g]::{of} ELSE ({random})::{of} END \
             FROM generate_series(0, {rows} - 1) g"
        )
    }

    /// What is expected here for what `to_json` gives. The one deviation: `oid` is a number.
    pub(crate) fn expected(&self, rendered: &str) -> String {
        match self.of {
            "oid" | "oidvector" | "oid[]" => rendered.replace('"', ""),
            _ => rendered.to_owned(),
        }
    }
}

const fn sample(of: &'static str, edges: &'static [&'static str], random: &'static str) -> Sample {
    Sample { of, edges, random }
}

/// Every type that is rendered here, and some that are left to the server.
pub(crate) const SAMPLES: &[Sample] = &[
    sample("bool", &["true", "false"], "random() < 0.5"),
    sample("int2", &["0", "-32768", "32767"], "ri(-32768, 32767)"),
    sample(
        "int4",
        &["0", "-2147483648", "2147483647"],
        "ri(-2147483648, 2147483647) >> ri(0, 31)::int",
    ),
    sample(
        "int8",
        &["0", "-9223372036854775808", "9223372036854775807"],
        "(rnumeric() % 9223372036854775807)::int8",
    ),
    sample("oid", &["0", "4294967295"], "ri(0, 4294967295)"),
    sample(
        "float4",
        &[
            "0",
            "-0",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e-45",
            "3.4028235e38",
            "1.17549435e-38",
            "16777216",
            "1e6",
            "1e5",
            "0.0001",
            "0.00001",
            "8.589973e9",
            "5.877472e-39",
        ],
        "greatest(least(rfloat() * (1 + random() * ri(0, 1)), 1e38), -1e38)",
    ),
    sample(
        "float8",
        &[
            "0",
            "-0",
            "NaN",
            "Infinity",
            "-Infinity",
            "5e-324",
            "1.7976931348623157e308",
            "2.2250738585072014e-308",
            "1e23",
            "-1e23",
            "9007199254740993",
            "9007199254740991",
            "1e15",
            "1e14",
            "999999999999999.9",
            "0.0001",
            "0.00001",
            "9.5367431640625e-7",
            "4.35e-14",
            "8.5e22",
            "5e-7",
            "144115188075855872",
            "1.8014398509481984e16",
        ],
        "rfloat() * CASE ri(0, 2) WHEN 0 THEN random() WHEN 1 THEN power(2.0::float8, ri(-1000, 900)::float8) ELSE 1 END",
    ),
    sample(
        "numeric",
        &[
            "0",
            "0.00",
            "-0.0",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e1000",
            "1e-1000",
            "-1.5",
            "10000",
            "9999.9999",
            "100000000.00000001",
            "0.00010000",
        ],
        "rnumeric()",
    ),
    sample(
        "numeric(20,8)",
        &["0", "123456789012.12345678", "NaN"],
        "ri(-999999999, 999999999) * random()",
    ),
    sample(
        "money",
        &[
            "0",
            "-0.01",
            "-92233720368547758.08",
            "92233720368547758.07",
            "999.99",
            "1000",
            "-1000",
            "1000000",
        ],
        "(rnumeric() % 90000000000000000)::money",
    ),
    sample(
        "text",
        &[
            "",
            "\u{fffd}\u{10ffff}\u{80}",
            "12345678",
            "1234567\"",
            "12345678\\",
        ],
        "rtext()",
    ),
    sample("varchar(400)", &["", "é"], "rtext()"),
    sample("char(300)", &["", "é"], "rtext()"),
    sample("name", &["", "a\"b"], "left(rtext(), 15)"),
    sample(
        "\"char\"",
        &["", "a", "\"", "\\", "\n", " "],
        "ri(-128, 127)::int",
    ),
    sample("refcursor", &["", "c"], "rtext()"),
    sample(
        "bytea",
        &["", "\\x00", "\\x5c22275c", "\\x7f80ff201f"],
        "rbytes(ri(0, 30))",
    ),
    sample(
        "date",
        &[
            "infinity",
            "-infinity",
            "4714-11-24 BC",
            "0001-12-31 BC",
            "0001-01-01",
            "9999-12-31",
            "10000-01-01",
            "5874897-12-31",
            "2000-02-29",
            "1900-03-01",
        ],
        "rdate()",
    ),
    sample(
        "time",
        &["00:00", "24:00", "23:59:59.999999", "00:00:00.1"],
        "rtime()",
    ),
    sample("time(2)", &["00:00"], "rtime()"),
    sample(
        "timetz",
        &[
            "00:00+00",
            "24:00-15:59:59",
            "00:00+15:59:59",
            "12:00-05:30",
        ],
        "timezone(rzone(), rtime()::timetz)",
    ),
    sample(
        "timestamp",
        &[
            "infinity",
            "-infinity",
            "4714-11-24 00:00:00 BC",
            "0001-12-31 23:59:59.999999 BC",
            "294276-12-31 23:59:59.999999",
            "10000-01-01",
            "1999-12-31 23:59:59.999999",
            "2000-01-01",
        ],
        "rtimestamp()",
    ),
    sample("timestamptz", INSTANTS, "rtimestamp() AT TIME ZONE 'UTC'"),
    sample(
        "interval",
        &[
            "0",
            "-178956970 years -7 mons -2147483648 days -2562047788:00:54.775807",
            "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807",
            "1 sec",
            "-1 sec",
            "0.000001 sec",
            "-0.000001 sec",
            "1 mon -1 day",
            "-1 mon +1 day",
            "1 day -1 sec",
            "59.999999 sec",
            "1 hour",
            "-1 hour",
            "1 year",
            "1 mon",
            "1 day",
            "-1 day",
            "100 hours",
        ],
        "rinterval()",
    ),
    sample(
        "uuid",
        &[
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ],
        "gen_random_uuid()",
    ),
    sample(
        "json",
        &[
            "null",
            " 1 ",
            "\"\\ud83c\\udf89\\u0001\"",
            "{\"b\": 1,\n \"a\": [1.0]}",
        ],
        "rjson()",
    ),
    sample(
        "jsonb",
        &[
            "null",
            "{\"b\": 1,  \"a\": [1.0, 1e400]}",
            "\"\\ud83c\\udf89\\u0001\"",
        ],
        "rjson()",
    ),
    sample(
        "jsonpath",
        &[
            "$",
            "strict $.a[*] ? (@ > 1 && @.b like_regex \"^x\\\\d\")",
            "$.\"a b\"",
        ],
        "'$.' || to_json(rword())",
    ),
    sample(
        "xml",
        &[
            "<a/>",
            "x &amp; y",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"é\"/>",
            "<?xml version=\"1.1\" standalone=\"yes\"?><a/>",
        ],
        "'<a b=\"' || ri(0, 99) || '\">' || rword() || '</a>'",
    ),
    sample(
        "inet",
        &[
            "0.0.0.0/0",
            "255.255.255.255",
            "10.0.0.1/8",
            "::",
            "::1",
            "::/0",
            "::ffff:1.2.3.4",
            "::1.2.3.4",
            "::1:1.2.3.4",
            "1::",
            "::2",
            "fe80::1/64",
            "0:0:1::",
            "1:0:0:2::3",
            "0:0:0:0:0:ffff:0:0",
            "1:2:3:4:5:6:7:8",
            "0:2:3:4:5:6:7:0",
            "::ffff:0:0:0",
        ],
        "rinet()",
    ),
    sample(
        "cidr",
        &[
            "0.0.0.0/0",
            "10.0.0.0/8",
            "255.255.255.255",
            "::/0",
            "::1",
            "::ffff:1.2.3.0/120",
        ],
        "network(rinet())",
    ),
    sample(
        "macaddr",
        &["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"],
        "encode(rbytes(6 + g - g), 'hex')::macaddr",
    ),
    sample(
        "macaddr8",
        &["00:00:00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff:ff:ff"],
        "encode(rbytes(8 + g - g), 'hex')::macaddr8",
    ),
    sample(
        "bit(13)",
        &["1111111111111", "0000000000000"],
        "rbits(13 + g - g)",
    ),
    sample(
        "varbit",
        &["", "1", "11111111", "111111110"],
        "rbits(ri(0, 40))",
    ),
    sample(
        "point",
        &["(0,-0)", "(NaN,Infinity)", "(1e300,-1e-300)"],
        "rpoint()",
    ),
    sample(
        "lseg",
        &["[(0,0),(0,0)]", "[(NaN,1),(Infinity,-Infinity)]"],
        "lseg(rpoint(), rpoint())",
    ),
    sample(
        "path",
        &["[(0,0)]", "((0,0))", "((1,2),(3,4))"],
        "CASE ri(0, 1) WHEN 0 THEN '[' || rpoints() || ']' ELSE '(' || rpoints() || ')' END",
    ),
    sample(
        "box",
        &["(0,0),(0,0)", "(1,2),(3,4)"],
        "box(rpoint(), rpoint())",
    ),
    sample(
        "polygon",
        &["((0,0))", "((1,2),(3,4))"],
        "'(' || rpoints() || ')'",
    ),
    sample(
        "line",
        &["{1,2,3}", "{0,-1,0.1}"],
        "line(point(rfloat(), 1.5e30), point(rfloat(), -2e31))",
    ),
    sample(
        "circle",
        &["<(0,0),0>", "<(1,2),Infinity>"],
        "circle(rpoint(), abs(rfloat()))",
    ),
    sample(
        "int4range",
        &["empty", "(,)", "[1,1]", "[,5)", "(-2147483648,)"],
        "int4range(maybe(-abs(ri(0, 99999)))::int, maybe(ri(0, 2147483646))::int, bounds())",
    ),
    sample(
        "int8range",
        &["empty", "(,)"],
        "int8range(maybe(-abs(ri(0, 9999999999))), maybe(ri(0, 9999999999)), bounds())",
    ),
    sample(
        "numrange",
        &["empty", "(,)", "[NaN,NaN]", "(-Infinity,Infinity]"],
        "numrange(maybe(-abs(rnumeric())), maybe(abs(rnumeric())), bounds())",
    ),
    sample(
        "tsrange",
        &["empty", "(,)", "[-infinity,infinity]"],
        "rtsrange()",
    ),
    sample(
        "tstzrange",
        &[
            "empty",
            "(,)",
            "[-infinity,infinity]",
            "[2024-07-01 12:00:00+00,2024-12-01 00:00:00.5+00)",
        ],
        "rtstzrange()",
    ),
    sample(
        "daterange",
        &[
            "empty",
            "(,)",
            "[-infinity,infinity]",
            "[2024-01-01,2024-01-01]",
        ],
        "rdaterange()",
    ),
    sample(
        "int4multirange",
        &["{}", "{(,)}", "{[1,2),[5,9)}"],
        "int4multirange(int4range(-ri(1, 99)::int, 0), int4range(ri(1, 9)::int, 10), int4range(20, maybe(30)))",
    ),
    sample(
        "int8multirange",
        &["{}", "{(,)}"],
        "int8multirange(int8range(-ri(1, 99999999999), 0), int8range(ri(1, 9), 10))",
    ),
    sample(
        "nummultirange",
        &["{}", "{(,)}"],
        "nummultirange(numrange(-abs(rnumeric()), 0), numrange(1.5, 1.5 + abs(rnumeric())))",
    ),
    sample(
        "tsmultirange",
        &["{}", "{(,)}"],
        "tsmultirange(tsrange(NULL, '4000-01-01 BC'), tsrange(rtimestamp() , NULL, '()'))",
    ),
    sample(
        "tstzmultirange",
        &["{}", "{(,)}"],
        "tstzmultirange(rtstzrange(), rtstzrange(), rtstzrange())",
    ),
    sample(
        "datemultirange",
        &["{}", "{(,)}"],
        "datemultirange(daterange(NULL, '4000-01-01 BC'), daterange(rdate(), NULL))",
    ),
    sample(
        "textrange",
        &["empty", "(,)", "[\"\",\"\"]", "[\"\\\"\\\\\",b]"],
        "rtextrange()",
    ),
    sample(
        "floatrange",
        &["empty", "[NaN,NaN]", "(-Infinity,0]"],
        "floatrange(maybe(-abs(rfloat())), maybe(abs(rfloat())), bounds())",
    ),
    sample(
        "timerange",
        &["empty", "[00:00,24:00]"],
        "timerange(maybe('00:00'::time), maybe(rtime()), bounds())",
    ),
    sample(
        "spanrange",
        &["empty", "[-1 day,1 day 00:00:01]"],
        "rspanrange()",
    ),
    sample(
        "tsvector",
        &["", "a", "'a''b':1A,2B,3C,4D 'c\\\\d'"],
        "rvector()",
    ),
    sample(
        "tsquery",
        &[
            "",
            "a",
            "!a",
            "!(a & b)",
            "!!a",
            "a & !b | c",
            "(a | b) & c",
            "a <-> (b <-> c)",
            "(a <-> b) <-> c",
            "a <3> b",
            "a <0> b",
            "(a & b) <-> !c",
            "a:*AB & 'it''s':D",
        ],
        "rquery()",
    ),
    sample(
        "pg_lsn",
        &["0/0", "FFFFFFFF/FFFFFFFF", "16/B374D848", "0/10"],
        "('0/0'::pg_lsn + (abs(rnumeric()) % 18446744073709551615)::numeric(20,0))",
    ),
    sample("xid", &["0", "4294967295"], "ri(0, 4294967295)::text"),
    sample(
        "xid8",
        &["0", "18446744073709551615"],
        "ri(0, 4294967296000)::text",
    ),
    sample("cid", &["0", "4294967295"], "ri(0, 4294967295)::text"),
    sample(
        "tid",
        &["(0,0)", "(4294967295,65535)"],
        "'(' || ri(0, 4294967295) || ',' || ri(0, 65535) || ')'",
    ),
    sample(
        "pg_snapshot",
        &["1:1:", "10:20:10,14,15"],
        "ri(1, 9) || ':' || ri(99, 999) || ':' || ri(9, 20) || ',' || ri(21, 98)",
    ),
    sample(
        "int2vector",
        &["", "1", "-1 2 32767"],
        "ri(0, 9) || ' ' || ri(-9, 9)",
    ),
    sample(
        "oidvector",
        &["", "1", "1 2 4294967295"],
        "ri(0, 9) || ' ' || ri(0, 4294967295)",
    ),
    sample(
        "mood",
        &["", "so \"so\"", "a\\b"],
        "pick(enum_range(NULL::mood)::text[])",
    ),
    sample("positive", &["1", "2147483647"], "ri(1, 99999)"),
    sample(
        "numbers",
        &["{}", "{{1,NULL},{3,4}}"],
        "ARRAY[ri(0, 9), ri(0, 99)]",
    ),
    sample("pair", &["(,)", "(1,\"\")"], "rpair()"),
    sample(
        "nest",
        &["(,,,,,,,)", "(\"(,)\",{},infinity,0,,y,1,{})"],
        "ROW(maybe(rpair()), maybe(ARRAY[rpair(), maybe(rpair())]), maybe(rtimestamp() AT TIME ZONE 'UTC'), maybe(rinterval()), maybe(rbytes(ri(0, 9))), 'x', ri(1, 99), ARRAY[rtstzrange()])::nest",
    ),
    sample("shrunk", &["(,)"], "ROW(ri(0, 9), rtext())::shrunk"),
    sample(
        "bool[]",
        &["{}", "{NULL}", "{{t},{f}}"],
        "ARRAY[maybe(random() < 0.5), true]",
    ),
    sample(
        "int4[]",
        ARRAYS,
        "array_fill(maybe(ri(-9, 9)::int), ARRAY[ri(1, 3), ri(1, 2), ri(1, 2)]::int[], ARRAY[ri(-9, 9), ri(-9, 9), 0]::int[])",
    ),
    sample(
        "int8[]",
        ARRAYS,
        "ARRAY(SELECT maybe(ri(-9999999999, 9999999999)) FROM generate_series(1, g % 7))",
    ),
    sample(
        "oid[]",
        &["{}", "{1,NULL,4294967295}"],
        "ARRAY[maybe(ri(0, 4294967295)::oid)]",
    ),
    sample(
        "float8[]",
        ARRAYS,
        "ARRAY(SELECT maybe(rfloat()) FROM generate_series(1, g % 7))",
    ),
    sample(
        "numeric[]",
        ARRAYS,
        "ARRAY[[maybe(rnumeric()), rnumeric()], [rnumeric(), NULL]]",
    ),
    sample(
        "text[]",
        &["{}", "{\"\",NULL,\"NULL\"}", "[-3:-2]={a,b}"],
        "ARRAY(SELECT maybe(rtext()) FROM generate_series(1, g % 5))",
    ),
    sample(
        "timestamptz[]",
        &["{}", "{infinity,NULL,-infinity}"],
        "ARRAY[maybe(rtimestamp() AT TIME ZONE 'UTC')]",
    ),
    sample(
        "interval[]",
        &["{}"],
        "ARRAY[maybe(rinterval()), rinterval()]",
    ),
    sample(
        "bytea[]",
        &["{}", "{NULL,\"\"}"],
        "ARRAY[maybe(rbytes(ri(0, 5)))]",
    ),
    sample(
        "json[]",
        &["{}", "{NULL,\"null\"}"],
        "ARRAY[maybe(rjson())]",
    ),
    sample(
        "jsonb[]",
        &["{}", "{NULL,\"null\"}"],
        "ARRAY[maybe(rjson()::jsonb)]",
    ),
    sample("inet[]", &["{}"], "ARRAY[maybe(rinet()), rinet()]"),
    sample(
        "box[]",
        &["{}"],
        "ARRAY[box(rpoint(), rpoint()), box(rpoint(), rpoint())]",
    ),
    sample(
        "tstzrange[]",
        &["{}", "{empty,NULL}"],
        "ARRAY[maybe(rtstzrange()), rtstzrange()]",
    ),
    sample(
        "pair[]",
        &["{}", "{NULL,\"(,)\"}"],
        "ARRAY[maybe(rpair()), rpair()]",
    ),
    sample(
        "mood[]",
        &["{}", "{NULL,x,\"\"}"],
        "ARRAY[pick(enum_range(NULL::mood)::text[])::mood]",
    ),
    sample(
        "regclass",
        &["pg_class", "pg_catalog.pg_type"],
        "'pg_class'",
    ),
    sample(
        "aclitem[]",
        &["{}"],
        "ARRAY[makeaclitem(10, 10, pick(ARRAY['SELECT', 'INSERT']), random() < 0.5)]",
    ),
];

const ARRAYS: &[&str] = &[
    "{}",
    "{NULL}",
    "[5:5]={1}",
    "[0:1][-1:0]={{1,2},{3,4}}",
    "{{{{{{1}}}}}}",
    "{{NULL,1},{2,NULL}}",
];

/// Around changes of zones, and at the ends of what is known.
const INSTANTS: &[&str] = &[
    "infinity",
    "-infinity",
    "4714-11-24 00:00:00+00 BC",
    "4714-11-25 00:00:00+00 BC",
    "0001-12-31 23:59:59.999999+00 BC",
    "0001-01-01 00:00:00+00",
    "1880-01-01 00:00:00+00",
    "1883-11-18 16:59:59+00",
    "1883-11-18 17:00:00+00",
    "1916-05-21 02:25:20+00",
    "1919-03-01 00:43:08+00",
    "1919-03-01 00:43:07+00",
    "1941-10-01 00:00:00+00",
    "1972-01-07 00:44:29+00",
    "1972-01-07 00:44:30+00",
    "1969-12-31 23:59:59.999999+00",
    "2024-03-10 06:59:59.999999+00",
    "2024-03-10 07:00:00+00",
    "2024-11-03 05:59:59+00",
    "2024-11-03 06:00:00+00",
    "2024-03-31 01:00:00+00",
    "2024-10-27 01:00:00+00",
    "2037-11-01 06:00:00+00",
    "2038-01-19 03:14:08+00",
    "2500-07-01 00:00:00+00",
    "9999-12-30 21:59:59+00",
    "9999-12-30 22:00:01+00",
    "9999-12-31 23:59:59.999999+00",
    "10000-07-01 00:00:00+00",
    "294276-07-01 00:00:00+00",
    "294276-12-31 23:59:59.999999+00",
];
