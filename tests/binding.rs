//! Values are bound with the types that their SQL literals would have. The oracle is the server, which
//! is given both.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod binding {
    mod misfits;
    mod round_trip;
}

use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use tokio_postgres::SimpleQueryMessage;

/// What the recorded literals are, as JSON text and as SQL.
fn literals() -> Vec<(String, String)> {
    let recorded: Vec<Value> = serde_json::from_str(include_str!("data/literals.json")).unwrap();
    recorded
        .iter()
        .filter_map(|literal| {
            let json = to_json(literal["value"].as_str().unwrap())?;
            Some((json, literal["sql"].as_str().unwrap().to_owned()))
        })
        .collect()
}

/// Python's notation as JSON; none for what JSON cannot say.
fn to_json(python: &str) -> Option<String> {
    let text = python
        .replace("None", "null")
        .replace("True", "true")
        .replace("False", "false");
    let requoted = if text.contains('"') {
        text.clone()
    } else {
        text.replace('\'', "\"")
    };
    [text, requoted]
        .into_iter()
        .find(|text| serde_json::from_str::<Value>(text).is_ok())
}

/// The first row that the server gives, as text; else the SQLSTATE.
async fn first_row(database: &Database, sql: &str) -> Result<Vec<Option<String>>, String> {
    let messages = database
        .simple_query(sql)
        .await
        .map_err(|error| error.code().unwrap().code().to_owned())?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = row.unwrap();
    Ok((0..row.len())
        .map(|at| row.get(at).map(str::to_owned))
        .collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_have_the_types_of_their_literals() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let mut compared = 0;
    for (json, sql) in literals() {
        let value: Value = serde_json::from_str(&json).unwrap();
        // A literal of unknown type becomes text when something must be chosen for it.
        let ask =
            format!("SELECT replace(pg_typeof({sql})::text, 'unknown', 'text'), ({sql})::text");
        let expected = first_row(&database, &ask).await;
        let sql = "SELECT replace(pg_typeof(%s)::text, 'unknown', 'text'), (%s)::text";
        let call = json!({"database_connection_str": database.dsn, "schema": {"sql": sql, "values": [value, value], "fetch_results": true}});
        let (_, reply) = server.call("postgres_v2/DoSQL", &call).await;
        let Ok(expected) = expected else {
            // ARRAY[ARRAY[]] is no SQL; what is sent instead is an empty array.
            continue;
        };
        assert_eq!(
            reply["command_response"]["body"][0],
            json!(expected),
            "{json}: {reply}"
        );
        compared += 1;
    }
    assert!(compared >= 35, "only {compared} literals were compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_objects_follow_the_column() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    database
        .batch_execute(
            "CREATE TYPE pair AS (a int, b text); CREATE DOMAIN tags AS text[];
             CREATE TABLE t (id int, dates date[], uuids uuid[], j jsonb, js jsonb[], grid int[], p pair, d tags, n numeric, r int4range)",
        )
        .await
        .unwrap();
    let row = json!([
        1, ["2024-01-31", null], ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], [1, {"a": null}], [{"a": 1}, [2], 3],
        [[1, 2], [3, 4.5]], {"b": "x, \"y\"", "a": 5}, ["a b", "c\\d"], 1234.5,
        "[1,5)"
    ]);
    let columns = [
        "id", "dates", "uuids", "j", "js", "grid", "p", "d", "n", "r",
    ];
    let call = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": columns, "values": [row]}});
    let (_, reply) = server.call("postgres_v2/InsertValuesV2", &call).await;
    assert_eq!(reply["error"], Value::Null, "{reply}");
    let call = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": columns}});
    let (_, reply) = server.call("postgres_v2/SelectValuesV2", &call).await;
    let expected: Value = serde_json::from_str(
        r#"[[1, ["2024-01-31", null], ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], [1, {"a": null}], [{"a": 1}, [2], 3],
            [[1, 2], [3, 5]], {"a": 5, "b": "x, \"y\""}, ["a b", "c\\d"], 1234.5, "[1,5)"]]"#,
    )
    .unwrap();
    assert_eq!(reply["command_response"]["body"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_value_is_named_by_its_pointer() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    database
        .batch_execute("CREATE TABLE t (a int PRIMARY KEY, b date)")
        .await
        .unwrap();
    let mut rows: Vec<Value> = (0..500).map(|at| json!([at, "2024-01-31"])).collect();
    for (bad, code, pointer) in [
        (
            json!([333, "no date"]),
            "InvalidDatetimeFormat",
            "/schema/values/333/1",
        ),
        (
            json!(["x", null]),
            "InvalidTextRepresentation",
            "/schema/values/333/0",
        ),
        (json!([5, null]), "UniqueViolation", "/schema/values/333"),
        (
            json!([1_i64 << 40, null]),
            "NumericValueOutOfRange",
            "/schema/values/333",
        ),
        (
            json!([333, "a\u{0}b"]),
            "ValueError",
            "/schema/values/333/1",
        ),
        (json!([333]), "IndexError", "/schema/values/333"),
        (json!([333, null, 1]), "TypeError", "/schema/values/333"),
    ] {
        rows[333] = bad;
        let call = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["a", "b"], "values": rows}});
        let (status, reply) = server.call("postgres_v2/InsertValuesV2", &call).await;
        let error = &reply["error"];
        assert_eq!(
            (status, &error["error_code"], &error["pointer"]),
            (200, &json!(code), &json!(pointer)),
            "{error}"
        );
        let count: i64 = database
            .query_one("SELECT count(*) FROM t", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(count, 0, "rows of a failed batch stayed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_without_parameters_are_filled_by_the_server() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let sql = "CREATE TABLE t (a text DEFAULT %s, b int DEFAULT %s, c text DEFAULT 'x%%', d text DEFAULT %s); \
               COMMENT ON TABLE t IS %s; ALTER TABLE t ALTER b SET DEFAULT %s";
    let values = json!([
        "it's \\ 'quoted'; DROP TABLE t; --",
        -5,
        null,
        "100 %s $1 {x}",
        7
    ]);
    let call =
        json!({"database_connection_str": database.dsn, "schema": {"sql": sql, "values": values}});
    let (_, reply) = server.call("postgres_v2/DoSQL", &call).await;
    assert_eq!(reply["error"], Value::Null, "{reply}");
    let row = database
        .query_one(
            "INSERT INTO t DEFAULT VALUES RETURNING a, b, c, d, obj_description('t'::regclass)",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(
        row.get::<_, String>(0),
        "it's \\ 'quoted'; DROP TABLE t; --"
    );
    assert_eq!(
        (row.get::<_, i32>(1), row.get::<_, String>(2)),
        (7, "x%".into())
    );
    assert_eq!(
        (row.get::<_, Option<String>>(3), row.get::<_, String>(4)),
        (None, "100 %s $1 {x}".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_fill_composites_in_order() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let define = "CREATE TYPE pair AS (a int, b text); CREATE TYPE holder AS (p pair, ps pair[], j jsonb);
         CREATE TABLE t (p pair, ps pair[], grid pair[], h holder, v int2vector, n numeric[], s text[])";
    database.batch_execute(define).await.unwrap();
    let row = json!([
        [1, "x"], [[2, "\"y\""], {"b": "z"}, null], [[{"a": 1}], [null]], [[3, "(,)"], [[4, "w"]], "a string"], [5, 6],
        ["NaN", "-Infinity", 1.50], [true, 1.25, {"a": ["\\"]}]
    ]);
    let call = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["p", "ps", "grid", "h", "v", "n", "s"], "values": [row]}});
    let (_, reply) = server.call("postgres_v2/InsertValuesV2", &call).await;
    assert_eq!(reply["error"], Value::Null, "{reply}");
    let stored = first_row(&database, "SELECT to_json(t) FROM t")
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    let expected = json!({
        "p": {"a": 1, "b": "x"}, "ps": [{"a": 2, "b": "\"y\""}, {"a": null, "b": "z"}, null], "grid": [[{"a": 1, "b": null}], [null]],
        "h": {"p": {"a": 3, "b": "(,)"}, "ps": [{"a": 4, "b": "w"}], "j": "a string"}, "v": [5, 6],
        "n": ["NaN", "-Infinity", 1.5], "s": ["true", "1.25", "{\"a\": [\"\\\\\"]}"]
    });
    assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn extension_types_take_their_json() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let values = [
        (
            "hstore",
            json!({"a b": "1", "\"": null, "c": "x\\,=>\"", "": "NULL"}),
        ),
        ("hstore[]", json!([{"a": "1"}, {}, null])),
        ("citext", json!("A \"b\"")),
        ("citext[]", json!(["A", "NULL", null, ""])),
        ("ltree", json!("a.b")),
        ("cube[]", json!(["(1, 2),(3, 4)"])),
    ];
    for (at, (name, value)) in values.into_iter().enumerate() {
        let extension = name.trim_end_matches("[]");
        let available =
            format!("SELECT count(*) FROM pg_available_extensions WHERE name = '{extension}'");
        if first_row(&database, &available).await.unwrap() != [Some("1".into())] {
            continue;
        }
        let define =
            format!("CREATE EXTENSION IF NOT EXISTS {extension}; CREATE TABLE t{at} (v {name})");
        database.batch_execute(&define).await.unwrap();
        let call = json!({"database_connection_str": database.dsn, "table_name": format!("t{at}"), "schema": {"columns": ["v"], "values": [[value]]}});
        let (_, reply) = server.call("postgres_v2/InsertValuesV2", &call).await;
        assert_eq!(reply["error"], Value::Null, "{name}: {reply}");
        let stored = first_row(&database, &format!("SELECT to_json(v) FROM t{at}"))
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&stored).unwrap(),
            value,
            "{name}"
        );
    }
}
