//! Binding is the reverse of `to_json`, for every type.

use crate::first_row;
use airlock_tests::{Database, Server, types};
use serde_json::{Value, json};

/// Values of each type that are compared.
const VALUES: usize = 1_000;

/// Types whose text may differ where the values are equal: as a literal, `-0` is an integer, which has
/// no negative zero.
const COMPARED_BY_EQUALITY: &[&str] = &["float4", "float8"];

#[tokio::test(flavor = "multi_thread")]
async fn what_to_json_gives_is_taken_back() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    database.batch_execute(types::DEFINITIONS).await.unwrap();
    let samples = types::types();
    assert!(samples.len() >= 60);
    let mut failures = Vec::new();
    for (at, sample) in samples.iter().enumerate() {
        let differences = round_trip(&database, &server, sample, &format!("stored{at}")).await;
        failures.extend(differences.map(|what| format!("{}: {what}", sample.name)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Has the server write values as JSON and Airlock store them in `table`; says what differs.
async fn round_trip(
    database: &Database,
    server: &Server,
    types::Sample { name, value }: &types::Sample,
    table: &str,
) -> Option<String> {
    let source = format!(
        "SET timezone TO 'Asia/Kolkata'; SELECT setseed(0.5); DROP TABLE IF EXISTS source; CREATE TABLE source (id int, v {name});
         INSERT INTO source SELECT id, {value} FROM generate_series(1, {VALUES}) AS id; CREATE TABLE {table} (LIKE source)"
    );
    database.batch_execute(&source).await.unwrap();
    let ask = "SELECT json_agg(json_build_array(id, v)) FROM source";
    let rows = first_row(database, ask).await.unwrap().remove(0).unwrap();
    // The values are stored in another time zone than they are written in.
    let dsn = format!("{} options='-c timezone=America/New_York'", database.dsn);
    let call = format!(
        r#"{{"database_connection_str": {}, "table_name": "{table}", "schema": {{"columns": ["id", "v"], "values": {rows}}}}}"#,
        json!(dsn)
    );
    // The JSON goes out as the server wrote it.
    let request = server
        .http
        .post(format!("{}/v1/do/postgres_v2/InsertValuesV2", server.base))
        .header("content-type", "application/json")
        .body(call);
    let reply: Value = request.send().await.unwrap().json().await.unwrap();
    // All types have a text, not all have equality; and equal texts say more than equal values.
    let cast = match COMPARED_BY_EQUALITY.contains(&name.as_str()) {
        true => "",
        false => "::text",
    };
    let compare = format!(
        "SELECT count(*) || ' stored, first difference ' || COALESCE(min(format('%L became %L', s.v, d.v))
             FILTER (WHERE s.v{cast} IS DISTINCT FROM d.v{cast}), 'none')
         FROM source s JOIN {table} d USING (id)"
    );
    let found = first_row(database, &compare)
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    (found != format!("{VALUES} stored, first difference none"))
        .then(|| format!("{found}: {}", reply["error"]))
}

/// Types that a condition does not find as a literal, for want of an operator: `real = numeric` compares
/// as `float8`, and composites are compared as `record`, which has no text.
const NOT_FOUND_BY_LITERALS: &[&str] = &["float4", "pair", "some_pair", "nested", "outermost"];

#[tokio::test(flavor = "multi_thread")]
async fn updates_and_conditions_take_what_to_json_gives() {
    let database = Database::fresh().await;
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    database.batch_execute(types::DEFINITIONS).await.unwrap();
    let mut failures = Vec::new();
    let mut found_by_value = 0;
    for (at, types::Sample { name, value }) in types::types().iter().enumerate() {
        let table = format!("t{at}");
        let define = format!(
            "SELECT setseed(0.25); CREATE TABLE {table} (id int, v {name}, copy {name});
             INSERT INTO {table} SELECT id, {value} FROM generate_series(1, 20) AS id;
             DELETE FROM {table} WHERE v IS NULL OR to_json(v)::text = 'null'"
        );
        database.batch_execute(&define).await.unwrap();
        for nth in 0..3 {
            let one = format!("FROM {table} AS one ORDER BY id OFFSET {nth} LIMIT 1");
            let ask = format!("SELECT id, to_json(v) {one}");
            let row = first_row(&database, &ask).await.unwrap();
            let value: Value = serde_json::from_str(row[1].as_ref().unwrap()).unwrap();
            let id: i32 = row[0].as_ref().unwrap().parse().unwrap();
            let count = format!("SELECT (SELECT count(*) FROM {table} t WHERE t.v = one.v) {one}");
            let (condition, count, same) = match first_row(&database, &count).await {
                Ok(row) if !NOT_FOUND_BY_LITERALS.contains(&name.as_str()) => {
                    found_by_value += 1;
                    (
                        json!(["v", "=", value]),
                        row[0].clone().unwrap(),
                        "copy = v",
                    )
                }
                _ if COMPARED_BY_EQUALITY.contains(&name.as_str()) => {
                    (json!(["id", "=", id]), "1".into(), "copy = v")
                }
                _ => (json!(["id", "=", id]), "1".into(), "copy::text = v::text"),
            };
            let call = json!({"database_connection_str": database.dsn, "table_name": table, "schema": {"set": {"copy": value}, "where": [condition]}});
            let (_, reply) = server.call("postgres_v2/UpdateValuesV2", &call).await;
            let affected = json!({"result": format!("{count} rows affected")});
            let stored = first_row(
                &database,
                &format!("SELECT {same} FROM {table} WHERE id = {id}"),
            )
            .await;
            if reply["command_response"]["body"] != affected || stored != Ok(vec![Some("t".into())])
            {
                failures.push(format!("{name}: {value}: {reply}, {stored:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(
        found_by_value > 200,
        "only {found_by_value} conditions had a value"
    );
}
