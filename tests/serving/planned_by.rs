//! Which component a reply is owed to: every reply to a call of a live connector says so.

use crate::AIRLOCK;
use airlock_tests::hostile::Guest;
use airlock_tests::world::{World, digest};
use serde_json::{Value, json};

/// What the connector of a test breaks, when it is given something.
const TRAP: &str = "(if (i32.gt_u (local.get $input_bytes) (i32.const 10)) (then unreachable))";

const CONFIG: &str = "[limits]\nbody_bytes = 2000\n[connectors.postgres_v2]\naccess = \"read\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn replies_name_their_component_however_calls_end() {
    let component = Guest::planning(TRAP).component();
    let components = [("hostile.wasm", &*component)];
    let world = World::start(AIRLOCK, CONFIG, &components, &[]).await;
    let embedded = world.status("postgres_v2").await;
    let embedded = format!(
        "postgres_v2@{}",
        embedded["live"]["digest"].as_str().unwrap()
    );
    let hostile = format!("hostile@{}", digest(&component));
    let sql = |text: &str| {
        let schema = json!({"sql": text, "fetch_results": true});
        json!({"database_connection_str": world.database.dsn, "schema": schema}).to_string()
    };
    let json = ("content-type", "application/json");
    let do_sql = "postgres_v2/DoSQL";
    let rows = "SELECT repeat('x', 1000) FROM generate_series(1, 1000)";
    let dsn = &world.database.dsn;
    let p = json!({"database_connection_str": dsn, "p": {"a": 1}}).to_string();
    for (command, header, body, status, code, component) in [
        (do_sql, json, sql("SELECT 1"), 200, "", &embedded),
        (do_sql, json, sql(rows), 200, "", &embedded),
        (
            do_sql,
            json,
            sql("SELECT 1/0"),
            200,
            "DivisionByZero",
            &embedded,
        ),
        (
            do_sql,
            ("x-airlock-deadline-ms", "50"),
            sql("SELECT pg_sleep(60)"),
            200,
            "QueryCanceled",
            &embedded,
        ),
        (
            do_sql,
            ("x-airlock-deadline-ms", "soon"),
            sql("SELECT 1"),
            400,
            "BadRequest",
            &embedded,
        ),
        (do_sql, json, "{".into(), 400, "BadRequest", &embedded),
        (do_sql, json, "{}".into(), 400, "TypeError", &embedded),
        (
            do_sql,
            json,
            sql("DROP TABLE t"),
            403,
            "PolicyDenied",
            &embedded,
        ),
        (
            "postgres_v2/NoSuch",
            json,
            "{}".into(),
            404,
            "command_not_found",
            &embedded,
        ),
        (
            do_sql,
            json,
            sql(&"x".repeat(2_000)),
            413,
            "RequestEntityTooLarge",
            &embedded,
        ),
        (
            do_sql,
            ("content-type", "text/plain"),
            "{}".into(),
            415,
            "UnsupportedMediaType",
            &embedded,
        ),
        ("hostile/C", json, p, 500, "ConnectorFault", &hostile),
    ] {
        let url = format!("{}/v1/do/{command}", world.server.base);
        let mut request = world.server.http.post(url).body(body);
        if header.0 != json.0 {
            request = request.header(json.0, json.1);
        }
        let response = request.header(header.0, header.1).send().await.unwrap();
        let headers = response.headers().clone();
        assert_eq!(response.status(), status, "{command}");
        let reply: Value = response.json().await.unwrap();
        assert_eq!(
            reply["error"]["error_code"].as_str().unwrap_or_default(),
            code
        );
        let named = headers.get("x-airlock-connector");
        let named = named.unwrap_or_else(|| panic!("nobody is named: {reply}"));
        assert_eq!(named, component, "{reply}");
    }
    // Nobody is there to be named.
    let url = format!("{}/v1/do/nobody/C", world.server.base);
    let response = world.server.http.post(url).json(&json!({})).send().await;
    let response = response.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers().get("x-airlock-connector"), None);
}
