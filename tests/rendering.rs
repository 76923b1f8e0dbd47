//! Values are rendered as the server's `to_json` renders them: the server is asked for both.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod rendering {
    pub(super) mod samples;
}

use airlock_tests::{Database, Server};
use rendering::samples::{DEFINITIONS, SAMPLES};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Expressions of every type that is decoded here, and of types that are left to the server.
const VALUES: &[&str] = &[
    "true",
    "false",
    "1::int2",
    "(-32768)::int2",
    "2147483647",
    "9223372036854775807",
    "4294967295::oid",
    "0::float8",
    "'-0'::float8",
    "0.1::float8",
    "1e15::float8",
    "1e14::float8",
    "123456.789::float8",
    "1e-4::float8",
    "1e-5::float8",
    "5e-324::float8",
    "1.7976931348623157e308::float8",
    "'NaN'::float8",
    "'-Infinity'::float8",
    "1e5::float4",
    "1e6::float4",
    "16777216::float4",
    "0.1::float4",
    "3.4028235e38::float4",
    "'Infinity'::float4",
    "0::numeric",
    "1.50::numeric",
    "-0.00012::numeric",
    "1e-30::numeric",
    "123456789012345678901234567890.123456789::numeric",
    "10000::numeric",
    "1e100::numeric",
    "'NaN'::numeric",
    "'Infinity'::numeric",
    "12345678.9::numeric(20,8)",
    "''::text",
    "'h\u{e9}llo \u{1f389}'::text",
    "E'a\\b\\f\\n\\r\\t\\x01\\x1f\\x7f\"\\\\/'::text",
    "'abc'::varchar(5)",
    "'ab'::char(5)",
    "'abc'::name",
    "'x'::\"char\"",
    "''::\"char\"",
    "'2024-02-29'::date",
    "'0044-03-15 BC'::date",
    "'5874897-12-31'::date",
    "'4713-01-01 BC'::date",
    "'infinity'::date",
    "'-infinity'::date",
    "'13:14:15.123456'::time",
    "'24:00:00'::time",
    "'00:00:00.1'::time",
    "'13:14:15+05:30'::timetz",
    "'13:14:15-03:15:30'::timetz",
    "'00:00:00Z'::timetz",
    "'2024-02-29 13:14:15.678'::timestamp",
    "'0044-03-15 00:00:01 BC'::timestamp",
    "'294276-12-31 23:59:59.999999'::timestamp",
    "'infinity'::timestamp",
    "'1999-12-31 23:59:59.999999'::timestamp",
    "'2024-02-29 13:14:15+05:30'::timestamptz",
    "'-infinity'::timestamptz",
    "'0001-01-01 00:00:00+00 BC'::timestamptz",
    "'0'::interval",
    "'1 day 02:03:04.5'::interval",
    "'-1 year -2 mons +3 days -04:05:06'::interval",
    "'1 mon -1 day'::interval",
    "'-00:00:00.000001'::interval",
    "'100000000 hours'::interval",
    "'1 year'::interval",
    "'{\"b\": 1,  \"a\": [1.0]}'::json",
    "'{\"b\": 1,  \"a\": [1.0, 1e400]}'::jsonb",
    "'null'::jsonb",
    "'\"x\"'::json",
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
    "'\\x00ff68'::bytea",
    "''::bytea",
    "ARRAY[1,NULL,3]",
    "'{}'::int[]",
    "ARRAY[[1,2],[3,4]]",
    "'[0:1]={1,2}'::int[]",
    "ARRAY['a,\"b\"',NULL,'']",
    "ARRAY[1.50,2]::numeric[]",
    "ARRAY['2024-02-29'::date]",
    "ARRAY['{\"a\":1}'::jsonb]",
    "ARRAY[true,false]",
    "ARRAY['infinity'::timestamptz]",
    "ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid]",
    "'x'::mood",
    "ARRAY['x'::mood]",
    "5::positive",
    "ARRAY[5::positive]",
    "ROW(1,'a')::pair",
    "ARRAY[ROW(1,'a')::pair]",
    "ROW(1,'a',NULL)",
    "'[1,5)'::int4range",
    "'{[1,5)}'::int4multirange",
    "'10.0.0.1/8'::inet",
    "'10.0.0.0/8'::cidr",
    "'08:00:2b:01:02:03'::macaddr",
    "B'101'",
    "B'101'::varbit",
    "'12.34'::money",
    "point(1,2)",
    "box(point(0,0),point(1,1))",
    "'a b'::tsvector",
    "'a & b'::tsquery",
    "'16/B374D848'::pg_lsn",
    "'5'::xid8",
    "'$.a'::jsonpath",
    "'<a/>'::xml",
    "'pg_class'::regclass",
    "'1 2'::int2vector",
    "(SELECT relacl FROM pg_class WHERE relname = 'pg_authid')",
    "NULL::int",
    "NULL::date",
    "NULL::pair",
];

const TYPES: &str = "CREATE TYPE mood AS ENUM ('x', 'y'); CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a int, b text)";

/// Settings that change how values are written; the rule holds under all of them.
const SETTINGS: &[&str] = &[
    "",
    "-c timezone=America/New_York",
    "-c timezone=Asia/Kolkata -c intervalstyle=iso_8601",
    "-c extra_float_digits=0 -c bytea_output=escape",
    "-c intervalstyle=sql_standard -c datestyle=German",
];

#[tokio::test(flavor = "multi_thread")]
async fn values_are_rendered_as_to_json_renders_them() {
    let database = Database::fresh().await;
    database.batch_execute(TYPES).await.unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    for settings in SETTINGS {
        let dsn = format!("{} options='{settings}'", database.dsn);
        let expected = select(
            &server,
            &dsn,
            VALUES.iter().map(|value| format!("to_json({value})::text")),
        )
        .await;
        let rendered = select(&server, &dsn, VALUES.iter().map(ToString::to_string)).await;
        for ((value, expected), rendered) in VALUES.iter().zip(&expected).zip(&rendered) {
            let expected: Value = match expected {
                Value::String(text) => serde_json::from_str(text).unwrap(),
                other => other.clone(),
            };
            // The one deviation: recorded replies have oid as a number.
            let expected = match (*value, expected) {
                ("4294967295::oid", Value::String(digits)) => {
                    serde_json::from_str(&digits).unwrap()
                }
                (_, expected) => expected,
            };
            assert_eq!(rendered, &expected, "{value} with {settings:?}");
        }
    }
}

/// One statement for each value, so that each is rendered by itself.
async fn select(server: &Server, dsn: &str, values: impl Iterator<Item = String>) -> Vec<Value> {
    let mut found = Vec::new();
    for value in values {
        let sql = format!("SELECT {value}");
        let call = json!({"database_connection_str": dsn, "schema": {"sql": sql, "fetch_results": true, "values": null}});
        let (_, mut reply) = server.call("postgres_v2/DoSQL", &call).await;
        assert_eq!(reply["error"], Value::Null, "{sql}: {reply}");
        found.push(reply["command_response"]["body"][0][0].take());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn types_that_are_not_known_here_are_never_an_error() {
    let database = Database::fresh().await;
    database.batch_execute(TYPES).await.unwrap();
    database
        .batch_execute("CREATE TABLE t (id int, p pair, r int4range, i inet)")
        .await
        .unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let row = json!([1, {"a": 1, "b": "x"}, "[1,5)", "10.0.0.1"]);
    for (sql, expected) in [
        (
            "INSERT INTO t VALUES (1, ROW(1, 'x'), '[1,5)', '10.0.0.1') RETURNING *",
            json!([row]),
        ),
        (
            "WITH x AS (UPDATE t SET id = 1 RETURNING *) SELECT * FROM x",
            json!([row]),
        ),
        (
            "SELECT * FROM t -- no line break behind this comment",
            json!([row]),
        ),
        ("SELECT t.* FROM t ORDER BY id LIMIT 1", json!([row])),
        (
            "DECLARE c CURSOR FOR SELECT * FROM t; FETCH 1 FROM c",
            json!([row]),
        ),
        ("VALUES (point(1,2))", json!([["(1,2)"]])),
        ("SELECT pg_sleep(0)", json!([[""]])),
        ("TABLE t", json!([row])),
    ] {
        let call = json!({"database_connection_str": database.dsn, "schema": {"sql": sql, "fetch_results": true}});
        let (_, reply) = server.call("postgres_v2/DoSQL", &call).await;
        assert_eq!(
            reply["command_response"]["body"], expected,
            "{sql}: {reply}"
        );
    }
}

/// The connection, and what the driver knows of the type, outlive the change.
#[tokio::test(flavor = "multi_thread")]
async fn a_composite_that_has_got_a_field_is_rendered_with_it() {
    let database = Database::fresh().await;
    database.batch_execute(TYPES).await.unwrap();
    let fill = "CREATE TABLE t (p pair); INSERT INTO t VALUES (ROW(1, 'x'))";
    database.batch_execute(fill).await.unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let call = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["p"]}});
    for (change, expected) in [
        ("SELECT", json!([[{"a": 1, "b": "x"}]])),
        (
            "ALTER TYPE pair ADD ATTRIBUTE c int",
            json!([[{"a": 1, "b": "x", "c": null}]]),
        ),
    ] {
        database.batch_execute(change).await.unwrap();
        let (_, reply) = server.call("postgres_v2/SelectValuesV2", &call).await;
        assert_eq!(reply["command_response"]["body"], expected, "{reply}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cast_to_json_takes_the_place_of_the_text_form() {
    let database = Database::fresh().await;
    database.batch_execute(TYPES).await.unwrap();
    let cast = "CREATE FUNCTION to_number(mood) RETURNS json LANGUAGE sql AS 'SELECT ''7''::json'; \
                CREATE CAST (mood AS json) WITH FUNCTION to_number(mood)";
    database.batch_execute(cast).await.unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let values = ["'x'::mood", "ARRAY['x'::mood]", "ROW(1, 'a')::pair"].map(str::to_owned);
    let rendered = select(&server, &database.dsn, values.into_iter()).await;
    assert_eq!(rendered, [json!(7), json!([7]), json!({"a": 1, "b": "a"})]);
}

/// Values of each type.
const ROWS: usize = 1_000;

/// Sessions that write in different ways; the first sees all rows, the others some.
const SESSIONS: &[&str] = &[
    "-c timezone=UTC",
    "-c timezone=America/New_York -c intervalstyle=iso_8601",
    "-c timezone=Asia/Kolkata -c intervalstyle=sql_standard -c bytea_output=escape",
    "-c timezone=Europe/Dublin -c intervalstyle=postgres_verbose -c extra_float_digits=0",
    "-c timezone=Africa/Monrovia -c lc_monetary=C.UTF-8",
    "-c timezone=-5.5 -c datestyle=German",
    "-c timezone=FOO+3 -c extra_float_digits=3",
];

/// The server is the oracle; each row is compared as text.
#[tokio::test(flavor = "multi_thread")]
async fn many_values_of_every_type_are_rendered_as_to_json_renders_them() {
    let database = Database::fresh().await;
    database.batch_execute(DEFINITIONS).await.unwrap();
    for (at, sample) in SAMPLES.iter().enumerate() {
        let filled = database.batch_execute(&sample.fill(&table(at), ROWS)).await;
        assert!(filled.is_ok(), "{}: {filled:?}", sample.of);
    }
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let mut differences = Vec::new();
    for (session, settings) in SESSIONS.iter().enumerate() {
        let rows = if session == 0 { ROWS } else { 80 };
        let dsn = format!("{} options='{settings}'", database.dsn);
        let oracle = Database::connect(&dsn).await;
        // Every session of the host has dates in ISO form; ranges show them.
        oracle
            .batch_execute("SET datestyle TO 'ISO'")
            .await
            .unwrap();
        for (at, sample) in SAMPLES.iter().enumerate() {
            let table = table(at);
            let sql = format!("SELECT to_json(v)::text FROM {table} WHERE id < {rows} ORDER BY id");
            let expected = oracle.query(&sql, &[]).await.unwrap();
            let sql = format!("SELECT v FROM {table} WHERE id < {rows} ORDER BY id");
            let rendered = fetch(&server, &dsn, &sql).await;
            assert_eq!((rendered.len(), expected.len()), (rows, rows), "{sql}");
            for (rendered, expected) in rendered.iter().zip(&expected) {
                let expected: Option<&str> = expected.get(0);
                let expected = sample.expected(expected.unwrap_or("null"));
                // JSON text keeps its spaces, except those around it.
                if rendered[0].get() != expected.trim() {
                    let of = sample.of;
                    differences.push(format!(
                        "{of} with {settings}: {} for {expected}",
                        rendered[0]
                    ));
                }
            }
        }
    }
    let some = &differences[..differences.len().min(40)];
    assert!(differences.is_empty(), "{}: {some:#?}", differences.len());
}

fn table(at: usize) -> String {
    format!("sample{at}")
}

/// Rows as they are in the reply, character by character.
async fn fetch(server: &Server, dsn: &str, sql: &str) -> Vec<Vec<Box<RawValue>>> {
    #[derive(serde::Deserialize)]
    struct Envelope {
        command_response: Response,
        error: Value,
    }
    #[derive(serde::Deserialize)]
    struct Response {
        body: Box<RawValue>,
    }
    let call =
        json!({"database_connection_str": dsn, "schema": {"sql": sql, "fetch_results": true}});
    let url = format!("{}/v1/do/postgres_v2/DoSQL", server.base);
    let response = server.http.post(url).json(&call).send().await.unwrap();
    let text = response.text().await.unwrap();
    let envelope: Envelope = serde_json::from_str(&text).unwrap();
    assert_eq!(envelope.error, Value::Null, "{sql}");
    serde_json::from_str(envelope.command_response.body.get()).unwrap()
}
