//! The paths that the console asks.

use crate::world::{Console, answered, version};
use airlock_tests::world::digest;
use reqwest::Method;
use serde_json::{Value, json};

const RUN: &str = "/v1/connectors/postgres_v2/commands/DoSQL/run";
const PLAN: &str = "/v1/connectors/postgres_v2/commands/DoSQL/plan";

fn sql(text: &str) -> Value {
    json!({"database_connection_str": "orders", "schema": {"sql": text, "fetch_results": true}})
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_told_nothing() {
    let console = Console::start("", &[]).await;
    for (method, path) in [
        (Method::GET, "/v1/connectors/postgres_v2/description"),
        (Method::GET, "/v1/connectors/postgres_v2/compare/sha256:00"),
        (Method::POST, PLAN),
        (Method::POST, RUN),
    ] {
        let response = console.stranger(method, path).send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_has_commands_policy_and_databases() {
    let config = "[connectors.postgres_v2]\naccess = \"write\"\ndatabases = [\"orders\"]\naffected_rows = 7\nraw_sql = [\"select\"]\n";
    let console = Console::start(config, &[]).await;
    let path = "/v1/connectors/postgres_v2/description";
    let response = console.request(Method::GET, path).send().await.unwrap();
    let (status, described) = answered(response).await;
    assert_eq!(status, 200);
    assert_eq!(described["policy"]["access"], "write");
    assert_eq!(described["policy"]["affected_rows"], 7);
    assert_eq!(described["policy"]["raw_sql"], json!(["select"]));
    assert_eq!(described["policy"]["limits"]["plan_ms"], 2_000);
    assert_eq!(described["databases"], json!(["orders"]));
    assert_eq!(described["connection_strings"], false);
    let select = described["commands"].as_array().unwrap().iter();
    let select = select.filter(|command| command["name"] == "SelectValuesV2");
    let [select] = select.collect::<Vec<_>>()[..] else {
        panic!("{described}");
    };
    let example: Value = serde_json::from_str(select["example"].as_str().unwrap()).unwrap();
    assert_eq!(example["table_name"], "users");
    assert_eq!(select["parameters"][0]["kind"], "connection");
    assert!(
        select["parameters"][2]["schema"]
            .as_str()
            .unwrap()
            .contains("order_by")
    );
    let nobody = console.request(Method::GET, "/v1/connectors/nobody/description");
    assert_eq!(nobody.send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_needs_no_database_and_tells_the_verdict() {
    let config = "[connectors.postgres_v2]\naccess = \"read\"\n";
    let console = Console::start(config, &[]).await;
    let call = json!({"schema": {"sql": "SELECT %s", "values": [1], "fetch_results": true}});
    let (status, planned) = console.post(PLAN, &call).await;
    assert_eq!(status, 200);
    assert_eq!(planned["plan"]["statements"][0]["sql"], "SELECT $1");
    let argument = &planned["plan"]["statements"][0]["arguments"]["once"][0]["input"];
    assert_eq!(argument, "/schema/values/0");
    assert!(planned["verdict"]["allowed"].is_object(), "{planned}");
    let path = "/v1/connectors/postgres_v2/commands/DropTableV2/plan";
    let call = json!({"table_name": "users"});
    let (status, refused) = console.post(path, &call).await;
    assert_eq!(status, 200);
    assert_eq!(refused["verdict"]["refused"]["error_code"], "PolicyDenied");
    let call = json!({"schema": {"sql": "SELECT %s"}});
    let (_, failed) = console.post(PLAN, &call).await;
    assert!(failed["error"]["error_code"].is_string(), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_through_the_checks_of_every_call() {
    let config = "[connectors.postgres_v2]\naccess = \"read\"\nreply_rows = 2\n[limits]\nconcurrent_calls = 1\nbody_bytes = 1000\n";
    let console = Console::start(config, &[]).await;
    let (status, reply) = console.post(RUN, &sql("SELECT 1")).await;
    assert_eq!(
        (status, &reply["command_response"]["body"]),
        (200, &json!([[1]]))
    );
    let (status, denied) = console.post(RUN, &sql("CREATE TABLE t (a int)")).await;
    assert_eq!(
        (status, &denied["error"]["error_code"]),
        (403, &json!("PolicyDenied"))
    );
    let many = "SELECT generate_series(1, 3)";
    let (_, capped) = console.post(RUN, &sql(many)).await;
    assert_eq!(capped["error"]["error_code"], "ProgramLimitExceeded");
    for path in [RUN, PLAN] {
        let (status, _) = console.post(path, &sql(&"x".repeat(1_000))).await;
        assert_eq!(status, 413, "{path}");
    }
    // A lock is held until another connection lets go of it; the call waits and fills the room for calls.
    console
        .orders
        .execute("SELECT pg_advisory_lock(1)", &[])
        .await
        .unwrap();
    let waiting = sql("SELECT pg_advisory_lock_shared(1)");
    let waiting = console.request(Method::POST, RUN).json(&waiting);
    let waiting = tokio::spawn(waiting.send());
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    while console
        .orders
        .query_one(waits, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 0
    {
        tokio::task::yield_now().await;
    }
    for path in [RUN, PLAN] {
        let (status, refused) = console.post(path, &sql("SELECT 1")).await;
        assert_eq!(
            (status, &refused["error"]["error_code"]),
            (503, &json!("TooManyRequests")),
            "{path}"
        );
    }
    console
        .orders
        .execute("SELECT pg_advisory_unlock(1)", &[])
        .await
        .unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_what_was_planned() {
    let (one, two) = (version("1.0.0", "one"), version("2.0.0", "two"));
    let console = Console::start("", &[("a.wasm", &one)]).await;
    let path = |what: &str| format!("/v1/connectors/a/commands/C/{what}");
    let (_, planned) = console.post(&path("plan"), &json!({})).await;
    let tag = format!("\"{}\"", planned["planned_by"].as_str().unwrap());
    let run = || {
        let request = console.request(Method::POST, &path("run"));
        let call = json!({"database_connection_str": "orders"});
        request.header("if-match", &tag).json(&call).send()
    };
    let (status, reply) = answered(run().await.unwrap()).await;
    assert_eq!(
        (status, &reply["command_response"]["body"]),
        (200, &json!([["one"]]))
    );
    console.world.put("a.wasm", &two);
    let live = digest(&two);
    console
        .world
        .until("a", |status| status["live"]["digest"] == *live)
        .await;
    let (status, refused) = answered(run().await.unwrap()).await;
    assert_eq!(
        (status, &refused["error"]["error_code"]),
        (412, &json!("PlanOutdated"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_compared_by_recorded_calls_or_else_by_examples() {
    let (one, two) = (version("1.0.0", "one"), version("2.0.0", "two"));
    let config = "[recording]\nfile = \"calls.jsonl\"\n";
    let console = Console::start(config, &[("a.wasm", &one)]).await;
    console.world.put("a.wasm", &two);
    let live = digest(&two);
    console
        .world
        .until("a", |status| status["live"]["digest"] == *live)
        .await;
    let compare = |before: String| {
        let path = format!("/v1/connectors/a/compare/{before}");
        console.request(Method::GET, &path).send()
    };
    let (status, compared) = answered(compare(digest(&one)).await.unwrap()).await;
    assert_eq!(status, 200, "{compared}");
    assert_eq!(
        (
            &compared["source"],
            &compared["calls"],
            &compared["differing"]
        ),
        (&json!("examples"), &json!(1), &json!(1))
    );
    let difference = &compared["differences"][0];
    assert_eq!(
        difference["old"]["plan"]["statements"][0]["sql"],
        "SELECT 'one'"
    );
    assert_eq!(
        difference["new"]["plan"]["statements"][0]["sql"],
        "SELECT 'two'"
    );
    console.world.call("a").await;
    let (_, compared) = answered(compare(digest(&one)).await.unwrap()).await;
    assert_eq!(
        (&compared["source"], &compared["calls"]),
        (&json!("recorded"), &json!(1))
    );
    for unknown in [digest(&two), digest(b"another"), "sha256:short".into()] {
        let (status, refused) = answered(compare(unknown).await.unwrap()).await;
        assert_eq!(
            (status, &refused["error"]["code"]),
            (404, &json!("not_found"))
        );
    }
}
