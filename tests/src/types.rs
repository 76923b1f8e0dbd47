//! Values of every type, made by the server.
//!
//! A table of them, the same at every run:
//! ```text
//! <DEFINITIONS>; SELECT setseed(0.5);
//! CREATE TABLE source (id int, v <name>);
//! INSERT INTO source SELECT id, <value> FROM generate_series(1, 1000) AS id;
//! ```

/// A type and how to make values of it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The type, as it stands in the definition of a column.
    pub name: String,
    /// An SQL expression that gives another value, edge case or NULL each time, by `random()`.
    pub value: String,
}

/// What the expressions need: functions, and the types that are not built in.
pub const DEFINITIONS: &str = r#"
CREATE FUNCTION pick(VARIADIC anyarray) RETURNS anyelement LANGUAGE sql VOLATILE
    AS $$ SELECT $1[1 + floor(random() * cardinality($1))::int] $$;
CREATE FUNCTION pick(VARIADIC text[]) RETURNS text LANGUAGE sql VOLATILE
    AS $$ SELECT $1[1 + floor(random() * cardinality($1))::int] $$;
CREATE FUNCTION whole(low numeric, high numeric) RETURNS numeric LANGUAGE sql VOLATILE
    AS $$ SELECT floor(low + random()::numeric * (high - low + 1)) $$;
CREATE FUNCTION word() RETURNS text LANGUAGE sql VOLATILE
    AS $$ SELECT string_agg(pick('a', 'Z', '0', ' ', '"', '\', '''', ',', ';', '{', '}', '(', ')', '[', ']', '<', '&', '=', '>',
        '%', '$1', ':', E'\n', E'\t', E'\r', E'\x01', E'\x7f', 'é', 'ß', '漢', '🎉', '/', 'NULL', '-'), '')
        FROM generate_series(1, whole(1, 8)::int) $$;
CREATE FUNCTION letters() RETURNS text LANGUAGE sql VOLATILE
    AS $$ SELECT translate(whole(1, 1e9)::text, '0123456789', 'abcdefghij') $$;
CREATE FUNCTION hex(bytes int) RETURNS text LANGUAGE sql VOLATILE
    AS $$ SELECT COALESCE(string_agg(lpad(to_hex(whole(0, 255)::int), 2, '0'), ''), '') FROM generate_series(1, bytes) $$;
CREATE FUNCTION bits(count int) RETURNS text LANGUAGE sql VOLATILE
    AS $$ SELECT COALESCE(string_agg(pick('0', '1'), ''), '') FROM generate_series(1, count) $$;
CREATE FUNCTION coordinate() RETURNS float8 LANGUAGE sql VOLATILE
    AS $$ SELECT pick((random() - 0.5) * 2000, whole(-9, 9)::float8, random() * 1e-7, random() * 1e20) $$;
CREATE FUNCTION a_point() RETURNS point LANGUAGE sql VOLATILE AS $$ SELECT point(coordinate(), coordinate()) $$;
CREATE FUNCTION points(count int) RETURNS text LANGUAGE sql VOLATILE
    AS $$ SELECT string_agg(a_point()::text, ',') FROM generate_series(1, count) $$;
CREATE FUNCTION document(depth int) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
    DECLARE kind int := whole(0, CASE WHEN depth > 0 THEN 6 ELSE 4 END);
    BEGIN
        RETURN CASE
            WHEN kind = 0 THEN to_jsonb(word())
            WHEN kind = 1 THEN to_jsonb(whole(-1e12, 1e12) / 1000)
            WHEN kind = 2 THEN to_jsonb(random() < 0.5)
            WHEN kind = 3 THEN 'null'
            WHEN kind = 4 THEN pick('[]', '{}', '0', '""', '1.50', '"NULL"', '1e30', '"\u001f\b\f"')::jsonb
            WHEN kind = 5 THEN jsonb_build_array(document(depth - 1), document(depth - 1))
            ELSE jsonb_build_object('a', document(depth - 1), word(), document(depth - 1))
        END;
    END $$;
CREATE FUNCTION container() RETURNS jsonb LANGUAGE sql VOLATILE
    AS $$ SELECT CASE WHEN random() < 0.5 THEN jsonb_build_array(document(2), document(1)) ELSE jsonb_build_object(word(), document(2), 'b', document(1)) END $$;
CREATE FUNCTION span(low numeric, high numeric) RETURNS numrange LANGUAGE sql VOLATILE
    AS $$ SELECT numrange(low, high, pick('[]', '[)', '(]', '()')) $$;

CREATE TYPE mood AS ENUM ('happy', 'so so', 'a,"b"', '(x)', 'NULL', '\');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN label AS varchar(12);
CREATE DOMAIN numbers AS int[];
CREATE TYPE pair AS (a int, "B c" text);
CREATE DOMAIN some_pair AS pair;
CREATE TYPE nested AS (id int8, inner_pair pair, pairs pair[], tags text[], doc jsonb, kind mood, size positive, span int4range, at timestamptz, flag bool, numbers numbers, raw bytea, other some_pair, docs json[]);
CREATE TYPE outermost AS (n nested, ns nested[], x text);
"#;

/// Types with values in the form of text (edge cases) and an expression for the others.
const SCALARS: &[(&str, &[&str], &str)] = &[
    ("bool", &["true", "false"], "random() < 0.5"),
    (
        "int2",
        &["-32768", "32767", "0", "-1"],
        "whole(-32768, 32767)",
    ),
    (
        "int4",
        &["-2147483648", "2147483647", "0", "-1", "65536"],
        "whole(-2147483648, 2147483647)",
    ),
    (
        "int8",
        &[
            "-9223372036854775808",
            "9223372036854775807",
            "0",
            "-1",
            "2147483648",
            "-2147483649",
        ],
        "whole(-9007199254740993, 9007199254740993) * 1000",
    ),
    (
        "oid",
        &["0", "4294967295", "2147483648"],
        "whole(0, 4294967295)::int8",
    ),
    (
        "float4",
        &[
            "0",
            "-0",
            "NaN",
            "Infinity",
            "-Infinity",
            "3.4028235e38",
            "1e-45",
            "16777216",
            "1e5",
            "1e6",
            "0.1",
        ],
        "(random() - 0.5) * 10 ^ whole(-30, 30)::float8",
    ),
    (
        "float8",
        &[
            "0",
            "-0",
            "NaN",
            "Infinity",
            "-Infinity",
            "1.7976931348623157e308",
            "5e-324",
            "2.2250738585072014e-308",
            "9007199254740993",
            "1e15",
            "1e14",
            "1e-4",
            "1e-5",
            "0.1",
            "123456.789",
        ],
        "(random() - 0.5) * 10 ^ whole(-300, 300)::float8",
    ),
    (
        "numeric",
        &[
            "0",
            "0.0",
            "0.00000",
            "NaN",
            "Infinity",
            "-Infinity",
            "1.50",
            "10000",
            "99999999",
            "1e100",
            "-1e-100",
            "123456789012345678901234567890.123456789",
            "9223372036854775808",
            "0.1",
            "1e-7",
            "100000000000000000000",
        ],
        "round(whole(-1e18, 1e18) / (10::numeric ^ whole(0, 18)), whole(0, 20)::int)",
    ),
    (
        "numeric(20,8)",
        &[
            "0",
            "NaN",
            "999999999999.99999999",
            "-0.00000001",
            "12345678.9",
        ],
        "whole(-1e19, 1e19) / 1e8",
    ),
    (
        "money",
        &[
            "0",
            "-0.01",
            "92233720368547758.07",
            "-92233720368547758.08",
        ],
        "whole(-1e12, 1e12) / 100",
    ),
    (
        "text",
        &[
            "", " ", "NULL", "null", "\\", "\"", "{}", "{a,b}", "()", "(,)", "[]", "a\"b\\c",
            "\\N", "\\.", " a ", ",", "\\x00", "'; --",
        ],
        "repeat(word(), whole(0, 3)::int)",
    ),
    ("varchar", &["", " ", "NULL"], "word()"),
    (
        "varchar(10)",
        &["", "          ", "1234567890"],
        "left(word(), 10)",
    ),
    ("char(5)", &["", "ab", "abcde", "é"], "left(word(), 5)"),
    (
        "\"char\"",
        &["", "a", "\\", "\"", ",", "{", "(", "1"],
        "chr(whole(32, 126)::int)",
    ),
    ("name", &["", "pg_class", "A b"], "left(word(), 12)"),
    (
        "bytea",
        &["", "\\x00", "\\xff00", "\\x5c22", "\\xdeadbeef"],
        "decode(hex(whole(0, 40)::int), 'hex')",
    ),
    (
        "date",
        &[
            "infinity",
            "-infinity",
            "0044-03-15 BC",
            "4713-01-01 BC",
            "5874897-12-31",
            "2024-02-29",
            "0001-01-01",
            "10000-01-01",
            "1999-12-31",
            "2000-01-01",
        ],
        "date '2000-01-01' + whole(-800000, 800000)::int",
    ),
    (
        "time",
        &[
            "00:00:00",
            "24:00:00",
            "23:59:59.999999",
            "00:00:00.000001",
            "12:30:00.1",
        ],
        "time '00:00' + whole(0, 86399999999) * interval '1 microsecond'",
    ),
    (
        "time(3)",
        &["00:00:00", "24:00:00", "23:59:59.999"],
        "time '00:00' + whole(0, 86399999) * interval '1 millisecond'",
    ),
    (
        "timetz",
        &[
            "00:00:00+00",
            "24:00:00-15:59",
            "23:59:59.999999+15:59:59",
            "12:00:00-03:15:30",
        ],
        "(time '00:00' + whole(0, 86399999999) * interval '1 microsecond')::text || pick('+00', '+05:30', '-08', '-03:15:30')",
    ),
    (
        "timestamp",
        &[
            "infinity",
            "-infinity",
            "0044-03-15 00:00:01 BC",
            "4713-01-01 00:00:00 BC",
            "294276-12-31 23:59:59.999999",
            "2000-01-01 00:00:00",
            "1999-12-31 23:59:59.999999",
            "10000-01-01 00:00:00.1",
        ],
        "timestamp '2000-01-01' + whole(-6e16, 6e16) * interval '1 microsecond'",
    ),
    (
        "timestamp(0)",
        &[
            "infinity",
            "0044-03-15 00:00:01 BC",
            "294276-12-31 23:59:59",
        ],
        "timestamp '2000-01-01' + whole(-6e10, 6e10) * interval '1 second'",
    ),
    (
        "timestamptz",
        &[
            "infinity",
            "-infinity",
            "0044-03-15 00:00:01+00 BC",
            "4713-01-02 00:00:00+00 BC",
            "294276-12-30 23:59:59.999999+00",
            "2024-03-10 07:30:00+00",
            "2024-11-03 05:30:00+00",
            "2024-11-03 06:30:00+00",
            "1883-11-18 16:59:59+00",
            "2000-01-01 00:00:00+00",
        ],
        "timestamptz '2000-01-01 00:00:00+00' + whole(-6e16, 6e16) * interval '1 microsecond'",
    ),
    (
        "interval",
        &[
            "0",
            "1 day 02:03:04.5",
            "-1 year -2 mons +3 days -04:05:06",
            "1 mon -1 day",
            "-00:00:00.000001",
            "100000000 hours",
            "178000000 years",
            "-178000000 years",
            "2147483647 days",
            "-1 mon +1 day",
            "1 year -1 day +00:00:01",
        ],
        "make_interval(months => whole(-30, 30)::int, days => whole(-40, 40)::int, secs => (whole(-1e12, 1e12) / 1e6)::float8)",
    ),
    (
        "uuid",
        &[
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ],
        "hex(16)",
    ),
    (
        "xml",
        &["", "text", "<a/>", "<a b=\"c\">&lt;\\é</a>", "<a/><b/>"],
        "'<a x=\"' || whole(0, 9) || '\"><![CDATA[' || replace(letters(), 'j', '\"\\{,') || ']]></a>'",
    ),
    (
        "inet",
        &[
            "10.0.0.1",
            "10.0.0.1/8",
            "::1",
            "::ffff:1.2.3.4/128",
            "2001:db8::/32",
            "0.0.0.0/0",
        ],
        "pick(concat_ws('.', whole(0, 255), whole(0, 255), whole(0, 255), whole(0, 255)) || '/' || whole(0, 32), '2001:db8:' || hex(2) || '::' || hex(2) || '/' || whole(0, 128))",
    ),
    (
        "cidr",
        &[
            "10.0.0.0/8",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/32",
            "1.2.3.4/32",
        ],
        "pick(concat_ws('.', whole(1, 255), whole(0, 255), '0.0/16'), '2001:' || hex(2) || '::/32')",
    ),
    (
        "macaddr",
        &["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"],
        "hex(6)",
    ),
    (
        "macaddr8",
        &["00:00:00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff:ff:ff"],
        "hex(8)",
    ),
    ("bit(5)", &["00000", "11111"], "bits(5)"),
    (
        "varbit",
        &["", "0", "1", "10110"],
        "bits(whole(0, 70)::int)",
    ),
    (
        "point",
        &["(0,0)", "(-0,1e300)", "(1e-300,-5)", "(NaN,Infinity)"],
        "a_point()",
    ),
    ("lseg", &["[(0,0),(0,0)]"], "lseg(a_point(), a_point())"),
    (
        "path",
        &["((0,0))", "[(0,0)]"],
        "pick('[' || points(whole(1, 5)::int) || ']', '(' || points(whole(1, 5)::int) || ')')",
    ),
    ("box", &["(0,0),(0,0)"], "box(a_point(), a_point())"),
    (
        "polygon",
        &["((0,0))"],
        "'(' || points(whole(1, 5)::int) || ')'",
    ),
    (
        "line",
        &["{1,0,0}", "{0,-1,5}", "{-1,1,0}"],
        "line(point(coordinate(), 0), point(coordinate() + 1e21, random() + 1))",
    ),
    (
        "circle",
        &["<(0,0),0>"],
        "circle(a_point(), abs(coordinate()))",
    ),
    (
        "int4range",
        &["empty", "(,)", "[1,)", "(,5]", "[1,5)"],
        "span(whole(-100, 0), whole(0, 100))",
    ),
    (
        "int8range",
        &["empty", "(,)", "[-9223372036854775808,9223372036854775807)"],
        "span(whole(-1e15, 0), whole(0, 1e15))",
    ),
    (
        "numrange",
        &["empty", "(,)", "[0.5,)", "(-Infinity,Infinity]", "[,NaN]"],
        "span(whole(-1e9, 0) / 100, whole(0, 1e9) / 1000)",
    ),
    (
        "daterange",
        &[
            "empty",
            "(,)",
            "[-infinity,infinity]",
            "[0044-03-15 BC,2024-02-29)",
        ],
        "daterange(date '2000-01-01' - whole(0, 9999)::int, date '2000-01-01' + whole(0, 9999)::int, pick('[]', '()'))",
    ),
    (
        "tsrange",
        &[
            "empty",
            "(,)",
            "[-infinity,infinity]",
            "[\"0044-03-15 00:00:01 BC\",)",
        ],
        "tsrange(timestamp '2000-01-01' - random() * interval '9 years', timestamp '2000-01-01' + random() * interval '9 years', pick('[]', '()', '[)'))",
    ),
    (
        "tstzrange",
        &[
            "empty",
            "(,)",
            "[-infinity,infinity]",
            "(,\"2024-11-03 05:30:00+00\"]",
        ],
        "tstzrange(timestamptz '2000-01-01' - random() * interval '9 years', timestamptz '2000-01-01' + random() * interval '9 years', pick('[]', '()', '[)'))",
    ),
    (
        "int4multirange",
        &["{}", "{(,)}", "{(,1),[5,)}"],
        "int4multirange(span(whole(-9, 0), whole(0, 9))::text::int4range, span(whole(10, 20), whole(20, 30))::text::int4range)",
    ),
    (
        "datemultirange",
        &[
            "{}",
            "{(,)}",
            "{[2024-01-01,2024-02-01),[2024-03-01,infinity)}",
        ],
        "datemultirange(daterange(date '2000-01-01', date '2000-01-01' + whole(0, 99)::int), daterange(date '2010-01-01', date '2010-01-01' + whole(0, 99)::int))",
    ),
    (
        "nummultirange",
        &["{}", "{(,)}", "{(,1.50),[5.0,)}"],
        "nummultirange(span(whole(-9, 0), whole(0, 9)), span(whole(10, 20), whole(20, 30) / 0.7))",
    ),
    (
        "tsvector",
        &["", "'a b':1A,2B 'c''d':3", "'\\\\x' '\"'"],
        "to_tsvector('simple', letters() || ' ' || letters() || ' x') || setweight(array_to_tsvector(ARRAY[word(), word()]), 'A')",
    ),
    (
        "tsquery",
        &["", "'a b' & !'c''d':AB* | e <-> f", "'\\\\x' <2> '\"'"],
        "phraseto_tsquery('simple', letters() || ' ' || letters()) || quote_literal(letters() || ' ,\"x')::tsquery",
    ),
    (
        "pg_lsn",
        &["0/0", "FFFFFFFF/FFFFFFFF", "16/B374D848"],
        "upper(ltrim(hex(3), '0') || '0/1' || ltrim(hex(3), '0'))",
    ),
    (
        "xid8",
        &["0", "18446744073709551615", "5"],
        "whole(0, 1e18)",
    ),
    (
        "jsonpath",
        &[
            "$",
            "strict $.a[*]",
            "$.\"a\\\"b\".c ? (@ > 1 && @.x == \"y\")",
        ],
        "'$.' || to_json(word())::text || '[' || whole(0, 99) || ' to last].b'",
    ),
    (
        "json",
        &[
            "[]",
            "{}",
            "[null]",
            "{\"a\": 1.50, \"b\": [1e+2, -0.0]}",
            "{\"z\": 1, \"a\": 2}",
        ],
        "container()",
    ),
    (
        "jsonb",
        &[
            "[]",
            "{}",
            "[null]",
            "{\"a\": 1.50, \"b\": [1e2]}",
            "[[[[1]]]]",
        ],
        "container()",
    ),
    (
        "mood",
        &["happy", "so so", "a,\"b\"", "(x)", "NULL", "\\"],
        "pick(VARIADIC enum_range(NULL::mood))",
    ),
    ("positive", &["1", "2147483647"], "whole(1, 2147483647)"),
    ("label", &["", "NULL", "\"\\,{}"], "left(word(), 12)"),
    (
        "pair",
        &[
            "(,)",
            "(1,)",
            "(,\"\")",
            "(-5,NULL)",
            "(0,\"a \"\"b\"\" \\\\ (c)\")",
        ],
        "ROW(whole(-99, 99)::int, word())",
    ),
    (
        "some_pair",
        &["(,)", "(7,\"\")"],
        "ROW(whole(-99, 99)::int, word())",
    ),
];

/// Elements of arrays.
const ELEMENTS: &[&str] = &[
    "int4",
    "text",
    "numeric",
    "float8",
    "timestamptz",
    "date",
    "uuid",
    "bool",
    "inet",
    "int4range",
    "point",
    "box",
    "mood",
    "bytea",
    "interval",
    "positive",
    "pair",
    "some_pair",
    "money",
    "varchar(10)",
    "\"char\"",
    "xml",
    "tsvector",
    "int4multirange",
];

/// All types: scalars, then what is made of them.
pub fn types() -> Vec<Sample> {
    let mut samples: Vec<Sample> = SCALARS
        .iter()
        .map(|(name, edges, random)| Sample {
            name: (*name).into(),
            value: either(name, edges, random),
        })
        .collect();
    let arrays: Vec<Sample> = ELEMENTS
        .iter()
        .map(|name| samples.iter().find(|sample| sample.name == *name).unwrap())
        .map(|element| array(&element.name, &element.value))
        .collect();
    samples.extend(arrays);
    // A JSON array in an array of json is one value, so these have one dimension.
    for json in ["jsonb", "json"] {
        let element = "CASE WHEN random() < 0.9 THEN NULLIF(document(2), 'null') END";
        samples.push(flat_array(json, &format!("{element}::{json}")));
    }
    samples.push(Sample {
        name: "numbers".into(),
        value: samples
            .iter()
            .find(|sample| sample.name == "int4[]")
            .unwrap()
            .value
            .clone(),
    });
    let nested = nested();
    samples.push(flat_array(
        "numbers",
        "pick(NULL, '{}', '{1}', '{2,NULL}', '{{3,4},{5,6}}')::numbers",
    ));
    samples.push(array("nested", &nested));
    samples.push(Sample {
        name: "outermost".into(),
        value: format!("CASE WHEN random() < 0.9 THEN ROW({nested}, ARRAY[{nested}, {nested}]::nested[], word())::outermost END"),
    });
    samples.push(Sample {
        name: "nested".into(),
        value: nested,
    });
    samples
}

fn either(name: &str, edges: &[&str], random: &str) -> String {
    let quoted: Vec<String> = edges
        .iter()
        .map(|edge| format!("'{}'", edge.replace('\'', "''")))
        .collect();
    // By way of text, what has no cast of its own is read as its literal would be.
    format!(
        "CASE WHEN random() < 0.25 THEN pick(NULL, {})::text::{name} ELSE ({random})::text::{name} END",
        quoted.join(", ")
    )
}

fn flat_array(name: &str, element: &str) -> Sample {
    Sample {
        name: format!("{name}[]"),
        value: format!(
            "CASE floor(random() * 8)::int WHEN 0 THEN NULL WHEN 1 THEN '{{}}' WHEN 2 THEN ARRAY[NULL]::{name}[] \
             ELSE (ARRAY[{element}, {element}, {element}]::{name}[])[1:whole(1, 3)::int] END"
        ),
    }
}

fn array(name: &str, element: &str) -> Sample {
    let flat = flat_array(name, element);
    let row = format!("ARRAY[{element}, {element}]::{name}[]");
    Sample {
        value: format!(
            "CASE WHEN random() < 0.8 THEN {} WHEN random() < 0.5 THEN ARRAY[{row}, {row}] ELSE ARRAY[ARRAY[{row}], ARRAY[{row}]] END",
            flat.value
        ),
        ..flat
    }
}

/// Every kind of field that a composite can have.
fn nested() -> String {
    let pair = "pick(NULL, ROW(NULL, NULL)::pair, ROW(whole(0, 99)::int, word())::pair, ROW(NULL, '')::pair)";
    [
        "CASE WHEN random() < 0.95 THEN ROW(pick(NULL, whole(-1e15, 1e15))::int8",
        pair,
        &format!("pick(NULL, '{{}}', ARRAY[{pair}]::text, ARRAY[{pair}, {pair}]::text, ARRAY[[{pair}], [{pair}]]::text)::pair[]"),
        "pick(NULL, '{}', ARRAY[word()]::text, ARRAY[word(), NULL, 'NULL', '']::text, ARRAY[[word()], [word()]]::text)::text[]",
        "NULLIF(document(2), 'null')",
        "pick(VARIADIC enum_range(NULL::mood))",
        "pick(NULL, whole(1, 99))::positive",
        "span(whole(-9, 0), whole(0, 9))::text::int4range",
        "pick(NULL, timestamptz 'infinity', timestamptz '2000-01-01 00:00:00+00' + whole(-6e16, 6e16) * interval '1 microsecond')",
        "pick(NULL, true, false)",
        "pick(NULL, '{}', '{1,NULL}', '{{1,2},{3,4}}')::numbers",
        "decode(hex(whole(0, 9)::int), 'hex')",
        "pick(NULL, ROW(1, word())::pair)::some_pair",
        "ARRAY[NULLIF(document(1), 'null'), NULLIF(document(2), 'null')]::json[])::nested END",
    ]
    .join(", ")
}
