//! Values that do not fit their column are refused by the server and named by their pointers.

use crate::first_row;
use airlock_tests::{Database, Server, types};
use serde_json::{Value, json};

/// Type of the column, value, error code.
type Misfit = (&'static str, Value, &'static str);

/// What is refused. The second list is refused only when a row is stored, where the server does not say
/// for which of its values.
fn misfits() -> (Vec<Misfit>, Vec<Misfit>) {
    let named = vec![
        ("bool", json!("maybe"), "InvalidTextRepresentation"),
        ("bool", json!(1), "DatatypeMismatch"),
        ("int2", json!("40000"), "NumericValueOutOfRange"),
        ("int4", json!("1.5"), "InvalidTextRepresentation"),
        ("int4", json!([1]), "DatatypeMismatch"),
        ("int8", json!(""), "InvalidTextRepresentation"),
        ("oid", json!("-1x"), "InvalidTextRepresentation"),
        ("float8", json!("1e999"), "NumericValueOutOfRange"),
        ("numeric", json!("1,5"), "InvalidTextRepresentation"),
        ("money", json!("a lot"), "InvalidTextRepresentation"),
        ("bytea", json!("\\xzz"), "InvalidParameterValue"),
        ("date", json!("2024-02-30"), "DatetimeFieldOverflow"),
        ("date", json!("soon"), "InvalidDatetimeFormat"),
        ("date", json!(5), "DatatypeMismatch"),
        ("time", json!("25:00"), "DatetimeFieldOverflow"),
        ("timetz", json!("x"), "InvalidDatetimeFormat"),
        ("timestamp", json!("2024-13-01"), "DatetimeFieldOverflow"),
        (
            "timestamptz",
            json!("2024-01-01 00:00 Nowhere/Land"),
            "InvalidParameterValue",
        ),
        ("interval", json!("1 fortnite"), "InvalidDatetimeFormat"),
        ("uuid", json!("a0ee"), "InvalidTextRepresentation"),
        ("json", json!("{bad"), "InvalidTextRepresentation"),
        ("jsonb", json!(5), "DatatypeMismatch"),
        ("jsonb", json!({"k": "\u{0}"}), "UntranslatableCharacter"),
        ("xml", json!("<a>"), "InvalidXmlContent"),
        ("inet", json!("300.0.0.1"), "InvalidTextRepresentation"),
        ("cidr", json!("10.0.0.1/8"), "InvalidTextRepresentation"),
        ("macaddr", json!("08"), "InvalidTextRepresentation"),
        ("bit(5)", json!("2"), "InvalidTextRepresentation"),
        ("point", json!("(1)"), "InvalidTextRepresentation"),
        ("point", json!({"x": 1}), "InvalidTextRepresentation"),
        ("polygon", json!("x"), "InvalidTextRepresentation"),
        ("int4range", json!("[5,1]"), "DataException"),
        ("int4range", json!("1-5"), "InvalidTextRepresentation"),
        ("tstzrange", json!([1, 2]), "DatatypeMismatch"),
        (
            "int4multirange",
            json!("[1,2)"),
            "InvalidTextRepresentation",
        ),
        ("tsquery", json!("a b"), "SyntaxError"),
        ("pg_lsn", json!("x"), "InvalidTextRepresentation"),
        ("jsonpath", json!("$."), "SyntaxError"),
        ("mood", json!("sad"), "InvalidTextRepresentation"),
        ("positive", json!("-1"), "CheckViolation"),
        ("pair", json!({"a": "x"}), "InvalidTextRepresentation"),
        ("pair", json!([1]), "InvalidTextRepresentation"),
        ("pair", json!([1, "b", 3]), "InvalidTextRepresentation"),
        ("pair", json!("(1"), "InvalidTextRepresentation"),
        (
            "nested",
            json!({"pairs": [{"a": 1.5}]}),
            "InvalidTextRepresentation",
        ),
        ("nested", json!({"size": 0}), "CheckViolation"),
        ("int4[]", json!("1,2"), "InvalidTextRepresentation"),
        ("int4[]", json!([1, "x"]), "InvalidTextRepresentation"),
        ("int4[]", json!([[1], [2, 3]]), "InvalidTextRepresentation"),
        ("int4[]", json!({"a": 1}), "InvalidTextRepresentation"),
        (
            "date[]",
            json!(["2024-01-31", "x"]),
            "InvalidDatetimeFormat",
        ),
        ("mood[]", json!(["sad"]), "InvalidTextRepresentation"),
        ("jsonb[]", json!("{x}"), "InvalidTextRepresentation"),
        ("pair[]", json!([{"a": []}]), "InvalidTextRepresentation"),
        ("positive[]", json!([1, -1]), "CheckViolation"),
        ("text", json!("a\u{0}b"), "ValueError"),
        ("text[]", json!(["a\u{0}b"]), "ValueError"),
    ];
    let in_a_row = vec![
        ("int4", json!(1_i64 << 40), "NumericValueOutOfRange"),
        (
            "varchar(10)",
            json!("12345678901"),
            "StringDataRightTruncation",
        ),
        ("numeric(20,8)", json!(1e15), "NumericValueOutOfRange"),
    ];
    (named, in_a_row)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_do_not_fit_are_named() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    database.batch_execute(types::DEFINITIONS).await.unwrap();
    let (named, in_a_row) = misfits();
    let mut named_in_conditions = 0;
    for (at, (name, value, code)) in named.iter().chain(&in_a_row).enumerate() {
        let table = format!("t{at}");
        let define = format!("CREATE TABLE {table} (id int, v {name})");
        database.batch_execute(&define).await.unwrap();
        let refused = async |command: &str, schema: Value| {
            let call = json!({"database_connection_str": database.dsn, "table_name": table, "schema": schema});
            let (_, mut reply) = server.call(&format!("postgres_v2/{command}"), &call).await;
            let error = reply["error"].take();
            (error["error_code"].clone(), error["pointer"].clone())
        };
        let insert = async |rows: Value| {
            refused(
                "InsertValuesV2",
                json!({"columns": ["id", "v"], "values": rows}),
            )
            .await
        };
        let mut rows: Vec<_> = (0..100).map(|id| json!([id, null])).collect();
        rows[70] = json!([70, value]);
        let set = json!({"set": {"v": value}, "where": [["id", "=", 1]]});
        let pointers = match at < named.len() {
            true => json!(["/schema/values/0/1", "/schema/values/70/1", "/schema/set/v"]),
            false => json!(["/schema/values/0", "/schema/values/70", null]),
        };
        database
            .batch_execute(&format!("INSERT INTO {table} VALUES (1, NULL)"))
            .await
            .unwrap();
        for (found, pointer) in [
            (insert(json!([[1, value]])).await, &pointers[0]),
            (insert(json!(rows)).await, &pointers[1]),
            (refused("UpdateValuesV2", set).await, &pointers[2]),
        ] {
            assert_eq!(found, (json!(code), pointer.clone()), "{value} as {name}");
        }
        let condition = json!({"columns": ["id"], "where": [["v", "=", value]]});
        let (found, pointer) = refused("SelectValuesV2", condition).await;
        // Where a type has no such operator, or any number can be compared, the reply is another one.
        if found == json!(code) {
            assert_eq!(pointer, json!("/schema/where/0/2"), "{value} as {name}");
            named_in_conditions += 1;
        }
        let stored = first_row(&database, &format!("SELECT count(v) FROM {table}")).await;
        assert_eq!(stored, Ok(vec![Some("0".into())]));
    }
    assert!(
        named_in_conditions > 30,
        "only {named_in_conditions} in conditions"
    );
}
