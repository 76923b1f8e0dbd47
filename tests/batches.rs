//! A batch means one INSERT for each row, in whatever form its rows go in.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_tests::{Database, Server};
use serde_json::{Value, json};

/// Rows that are enough for a form faster than one statement for each row.
const ROWS: usize = 40;

fn server() -> Server {
    Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[])
}

async fn insert(server: &Server, dsn: &str, table: &str, columns: &Value, rows: &[Value]) -> Value {
    let call = json!({"database_connection_str": dsn, "table_name": table, "schema": {"columns": columns, "values": rows}});
    let (_, reply) = server.call("postgres_v2/InsertValuesV2", &call).await;
    reply
}

/// How many statements stored the rows: those of one statement carry the same command number.
async fn statements(database: &Database, table: &str) -> i64 {
    let sql = format!("SELECT count(DISTINCT cmin::text) FROM {table}");
    database.query_one(&sql, &[]).await.unwrap().get(0)
}

async fn text(database: &Database, sql: &str) -> String {
    let row = database.query_one(sql, &[]).await.unwrap();
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

/// Values that the forms could take for different things.
fn hostile_values() -> Vec<Value> {
    let numbers = [
        "0",
        "-0",
        "-0.0",
        "5",
        "-5",
        "1.5",
        "2.5",
        "-2.5",
        "1e2",
        "1E-2",
        "1e400",
        "1e-400",
        "0e5",
        "32768",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "123.456",
        "0.1",
        "16777217",
        "1234567890123456789012345678901234567890",
    ];
    let texts = [
        "",
        " ",
        "5",
        " 5 ",
        "-0",
        "0x10",
        "1_000",
        "\\N",
        "\\.",
        "\\",
        "a\\tb",
        "a\tb",
        "a\nb",
        "a\r\nb",
        "NULL",
        "null",
        "a\u{0}b",
        "é",
        "💥",
        "abcde",
        "abc   ",
        "ab",
        "t",
        "yes",
        "on",
        "true",
        "2024-01-31",
        "infinity",
        "epoch",
        "2024-02-30",
        "12:34:56",
        "1 day",
        "P1D",
        "{1,2}",
        "{a,NULL}",
        "{\"a\": 1}",
        "[1, 2]",
        "\\x00ff",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "NaN",
        "Infinity",
        "1e5",
        "$12.34",
        "10.0.0.1",
        "(1,2)",
        "[1,5)",
        "101",
    ];
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!([1, 2]),
        json!([1.5, 2]),
        json!(["a", null]),
        json!([[1], [2]]),
        json!([[1], [2, 3]]),
        json!([true]),
        json!([{"a": 1}]),
        json!({}),
        json!({"a": "\\\t\n"}),
    ];
    let numbers = numbers
        .iter()
        .map(|text| serde_json::from_str(text).unwrap());
    numbers
        .chain(texts.iter().map(|text| json!(text)))
        .chain(others)
        .collect()
}

const TYPES: &[&str] = &[
    "int2",
    "int4",
    "int8",
    "oid",
    "numeric",
    "numeric(5,2)",
    "float4",
    "float8",
    "money",
    "bool",
    "text",
    "varchar(3)",
    "char(4)",
    "\"char\"",
    "name",
    "bytea",
    "date",
    "time(1)",
    "timestamp(0)",
    "timestamptz",
    "interval",
    "json",
    "jsonb",
    "uuid",
    "int4[]",
    "text[]",
    "numeric[]",
    "jsonb[]",
    "inet",
    "int4range",
    "point",
    "bit(3)",
    "varbit",
    "xml",
    "mood",
    "small",
    "pair",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_form_stores_the_same_and_fails_the_same() {
    let database = Database::fresh().await;
    database
        .batch_execute(
            "CREATE TYPE mood AS ENUM ('a', 't'); CREATE DOMAIN small AS int CHECK (VALUE < 10); CREATE TYPE pair AS (a int, b text);
             CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
        )
        .await
        .unwrap();
    let server = server();
    let (mut at_once, mut refused) = (0, 0);
    for (number, kind) in TYPES.iter().enumerate() {
        let (fast, slow) = (&format!("fast{number}"), &format!("slow{number}"));
        database
            .batch_execute(&format!(
                "CREATE TABLE {fast} (id int, v {kind}); CREATE TABLE {slow} (LIKE {fast});
                 CREATE TRIGGER nothing BEFORE INSERT ON {slow} FOR EACH ROW EXECUTE FUNCTION nothing()"
            ))
            .await
            .unwrap();
        for value in hostile_values() {
            let mut rows: Vec<Value> = (0..ROWS).map(|at| json!([at, null])).collect();
            rows[30][1] = value.clone();
            let columns = json!(["id", "v"]);
            let reply = insert(&server, &database.dsn, fast, &columns, &rows).await;
            let mut expected = insert(&server, &database.dsn, slow, &columns, &rows).await;
            // The message may name the table.
            if let Some(message) = expected["error"]["message"].as_str() {
                let renamed = message.replace("slow", "fast");
                expected["error"]["message"] = renamed.into();
                if let Some(table) = expected["error"].get_mut("table") {
                    *table = fast.as_str().into();
                }
                refused += 1;
            }
            assert_eq!(reply, expected, "{value} into {kind}");
            let contents = |table| {
                format!("SELECT string_agg(concat(id, '=', v::text), ',' ORDER BY id) FROM {table}")
            };
            let stored = text(&database, &contents(fast)).await;
            assert_eq!(
                stored,
                text(&database, &contents(slow)).await,
                "{value} into {kind}"
            );
            if !stored.is_empty() {
                assert_eq!(statements(&database, slow).await, ROWS as i64);
                at_once += usize::from(statements(&database, fast).await == 1);
            }
            database
                .batch_execute(&format!("TRUNCATE {fast}, {slow}"))
                .await
                .unwrap();
        }
    }
    assert!(
        at_once > 500 && refused > 500,
        "{at_once} batches at once, {refused} refused"
    );
}

/// What is said of a table, and in how many statements its rows go in.
const RELATIONS: &[(&str, &str, i64)] = &[
    ("a plain table", "CREATE TABLE t (a int, b text)", 1),
    (
        "a table with keys, checks and defaults",
        "CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (7);
         CREATE TABLE t (a int PRIMARY KEY CHECK (a >= 0), b text NOT NULL, c int DEFAULT 7 REFERENCES other, d serial, e timestamptz DEFAULT now())",
        1,
    ),
    (
        "an identity column that is not listed, and a generated one",
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a int, b text, c int GENERATED ALWAYS AS (a * 2) STORED)",
        1,
    ),
    (
        "a partitioned table",
        "CREATE TABLE t (a int, b text) PARTITION BY RANGE (a);
         CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (20); CREATE TABLE t2 PARTITION OF t DEFAULT",
        1,
    ),
    (
        "a partition with a trigger",
        "CREATE TABLE t (a int, b text) PARTITION BY RANGE (a);
         CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (20); CREATE TABLE t2 PARTITION OF t DEFAULT;
         CREATE TRIGGER r BEFORE INSERT ON t2 FOR EACH ROW EXECUTE FUNCTION nothing()",
        40,
    ),
    (
        "a statement trigger",
        "CREATE TABLE t (a int, b text); CREATE TRIGGER s AFTER INSERT ON t EXECUTE FUNCTION nothing()",
        40,
    ),
    (
        "a rule",
        "CREATE TABLE t (a int, b text); CREATE TABLE log (a int);
         CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (new.a)",
        40,
    ),
    (
        "a check that calls a function",
        "CREATE TABLE t (a int, b text); CREATE FUNCTION few() RETURNS bool LANGUAGE sql AS 'SELECT count(*) < 100 FROM t';
         ALTER TABLE t ADD CHECK (few())",
        40,
    ),
    (
        "a default that calls a function",
        "CREATE TABLE t (a int, b text); CREATE FUNCTION next() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM t';
         ALTER TABLE t ADD c bigint DEFAULT next()",
        40,
    ),
    (
        "a foreign key to itself",
        "CREATE TABLE t (a int PRIMARY KEY, b text, up int REFERENCES t)",
        40,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_form_follows_the_relation() {
    let server = server();
    for (what, sql, expected) in RELATIONS {
        let database = Database::fresh().await;
        database
            .batch_execute("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
            .await
            .unwrap();
        database.batch_execute(sql).await.unwrap();
        let rows: Vec<Value> = (0..ROWS)
            .map(|at| json!([at, format!("row {at}")]))
            .collect();
        let reply = insert(&server, &database.dsn, "t", &json!(["a", "b"]), &rows).await;
        assert_eq!(
            reply["command_response"]["body"],
            json!({"result": "40 rows affected"}),
            "{what}: {reply}"
        );
        assert_eq!(statements(&database, "t").await, *expected, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_copy_reads_differently_go_in_by_statements_of_many_rows() {
    let database = Database::fresh().await;
    let server = server();
    database
        .batch_execute("CREATE TABLE t (a int, b text)")
        .await
        .unwrap();
    let rows: Vec<Value> = (0..ROWS).map(|at| json!([at as f64 + 0.5, at])).collect();
    let reply = insert(&server, &database.dsn, "t", &json!(["a", "b"]), &rows).await;
    assert_eq!(reply["error"], Value::Null, "{reply}");
    assert_eq!(statements(&database, "t").await, 1);
    assert_eq!(
        text(
            &database,
            "SELECT string_agg(concat(a, b), ' ' ORDER BY b::int) FROM t WHERE b < '2'"
        )
        .await,
        "10 21 1110 1211 1312 1413 1514 1615 1716 1817 1918 2019"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_column_refuses_values() {
    let database = Database::fresh().await;
    let server = server();
    database
        .batch_execute("CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY, b text)")
        .await
        .unwrap();
    let rows: Vec<Value> = (0..ROWS).map(|at| json!([at, "x"])).collect();
    let reply = insert(&server, &database.dsn, "t", &json!(["a", "b"]), &rows).await;
    assert_eq!(reply["error"]["error_code"], "GeneratedAlways", "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_refer_to_later_rows_are_refused() {
    let database = Database::fresh().await;
    let server = server();
    database
        .batch_execute("CREATE TABLE t (a int PRIMARY KEY, up int REFERENCES t)")
        .await
        .unwrap();
    let rows: Vec<Value> = (0..ROWS).map(|at| json!([at, (at + 1) % ROWS])).collect();
    let reply = insert(&server, &database.dsn, "t", &json!(["a", "up"]), &rows).await;
    assert_eq!(
        reply["error"]["error_code"], "ForeignKeyViolation",
        "{reply}"
    );
    assert_eq!(reply["error"]["pointer"], "/schema/values/0");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_and_row_security_hold() {
    let database = Database::fresh().await;
    let server = server();
    database
        .batch_execute(
            "CREATE ROLE tenant LOGIN PASSWORD 'x'; CREATE TABLE t (a int, b text); CREATE VIEW v AS SELECT * FROM t WHERE a < 1000 WITH CHECK OPTION;
             ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t USING (b = current_user) WITH CHECK (b = current_user);
             GRANT ALL ON t, v TO tenant",
        )
        .await
        .unwrap();
    let port = database.cluster().port();
    let name = text(&database, "SELECT current_database()::text").await;
    let tenant = format!("dbname={name} user=tenant password=x host=127.0.0.1 port={port}");
    let columns = json!(["a", "b"]);
    let mut rows: Vec<Value> = (0..ROWS).map(|at| json!([at, "tenant"])).collect();
    for table in ["t", "v"] {
        let reply = insert(&server, &tenant, table, &columns, &rows).await;
        assert_eq!(reply["error"], Value::Null, "{table}: {reply}");
    }
    assert_eq!(text(&database, "SELECT count(*)::text FROM t").await, "80");
    rows[33] = json!([1000, "tenant"]);
    let reply = insert(&server, &tenant, "v", &columns, &rows).await;
    assert_eq!(
        (&reply["error"]["error_code"], &reply["error"]["pointer"]),
        (
            &json!("WithCheckOptionViolation"),
            &json!("/schema/values/33")
        ),
        "{reply}"
    );
    rows[33] = json!([33, "other"]);
    let reply = insert(&server, &tenant, "t", &columns, &rows).await;
    assert_eq!(
        (&reply["error"]["error_code"], &reply["error"]["pointer"]),
        (&json!("InsufficientPrivilege"), &json!("/schema/values/33")),
        "{reply}"
    );
    assert_eq!(text(&database, "SELECT count(*)::text FROM t").await, "80");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_value_in_a_hundred_thousand_rows_is_named() {
    let database = Database::fresh().await;
    let server = server();
    database
        .batch_execute("CREATE TABLE t (a int PRIMARY KEY, b text, c numeric)")
        .await
        .unwrap();
    let mut rows: Vec<Value> = (0..100_000)
        .map(|at| json!([at, format!("row {at}"), at as f64 / 8.0]))
        .collect();
    let columns = json!(["a", "b", "c"]);
    for (at, bad, code, pointer) in [
        (
            99_999,
            json!([99_999, "x", "no number"]),
            "InvalidTextRepresentation",
            "/schema/values/99999/2",
        ),
        (
            77_777,
            json!([5, "x", 1]),
            "UniqueViolation",
            "/schema/values/77777",
        ),
    ] {
        let good = std::mem::replace(&mut rows[at], bad);
        let reply = insert(&server, &database.dsn, "t", &columns, &rows).await;
        assert_eq!(
            (&reply["error"]["error_code"], &reply["error"]["pointer"]),
            (&json!(code), &json!(pointer)),
            "{}",
            reply["error"]
        );
        assert_eq!(text(&database, "SELECT count(*)::text FROM t").await, "0");
        rows[at] = good;
    }
    let reply = insert(&server, &database.dsn, "t", &columns, &rows).await;
    assert_eq!(
        reply["command_response"]["body"],
        json!({"result": "100000 rows affected"}),
        "{reply}"
    );
    assert_eq!(statements(&database, "t").await, 1);
    let sum = "SELECT concat(count(*), ' ', sum(a), ' ', sum(c), ' ', count(*) FILTER (WHERE b = 'row ' || a)) FROM t";
    assert_eq!(
        text(&database, sum).await,
        "100000 4999950000 624993750.000 100000"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_the_server_renders_do_not_stand_in_each_others_way() {
    let database = Database::fresh().await;
    let server = server();
    database
        .batch_execute("CREATE TABLE t (a int, b regtype[], c text)")
        .await
        .unwrap();
    let rows: Vec<Value> = (0..200)
        .map(|at| json!([at, ["int4", "text"], "x".repeat(50_000)]))
        .collect();
    let call = json!({"database_connection_str": database.dsn, "table_name": "t",
        "schema": {"columns": ["a", "b", "c"], "values": rows, "returning": ["a", "b", "c"]}});
    let (_, reply) = server.call("postgres_v2/InsertValuesV2", &call).await;
    assert_eq!(reply["error"], Value::Null, "{}", reply["error"]);
    let body = reply["command_response"]["body"].as_array().unwrap();
    assert_eq!(
        (body.len(), &body[199][1]),
        (200, &json!(["integer", "text"]))
    );
}
