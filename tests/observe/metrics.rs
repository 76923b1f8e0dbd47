//! What is counted, who may read it, and that figures tell the same.

use crate::world::{figures, scrape, select, serving, sql, table};
use airlock::reply::Body;
use airlock::runtime::FoundCommand;
use airlock::{Limits, Parameters, Runtime};
use airlock_tests::Database;
use airlock_tests::world::{TOKEN, admin_base};
use serde_json::{Value, json};
use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};

const SELECT: [(&str, &str); 2] = [("connector", "postgres_v2"), ("command", "SelectValuesV2")];

#[tokio::test(flavor = "multi_thread")]
async fn metrics_keep_the_rules_and_count_what_happens() {
    let world = serving("", &[], &[]).await;
    table(&world).await;
    for _ in 0..3 {
        assert_eq!(select(&world).await.0, 200);
    }
    let (_, refused) = sql(&world, "SELECT 1 / 0").await;
    assert_eq!(refused["error"]["error_code"], "DivisionByZero");
    assert_eq!(sql(&world, "SELECT 1").await.0, 200);
    let told = scrape(&world).await;
    assert_eq!(told.complaints(), [] as [String; 0], "{}", told.text);

    let ended = |outcome| [SELECT[0], SELECT[1], ("outcome", outcome)];
    assert_eq!(told.sum("airlock_calls_total", &ended("ok")), 3.0);
    assert_eq!(told.sum("airlock_calls_total", &ended("database")), 0.0);
    let database = [("command", "DoSQL"), ("outcome", "database")];
    assert_eq!(told.sum("airlock_calls_total", &database), 1.0);
    for name in ["call", "plan", "sql"] {
        let name = format!("airlock_{name}_duration_seconds");
        assert_eq!(told.sum(&name, &SELECT), 3.0, "{name}");
    }
    assert_eq!(told.sum("airlock_plan_cache_misses_total", &SELECT), 1.0);
    assert_eq!(told.sum("airlock_plan_cache_hits_total", &SELECT), 2.0);
    assert!(told.sum("airlock_planning_fuel_total", &SELECT) > 1_000.0);
    assert!(told.sum("airlock_request_bytes_total", &SELECT) > 300.0);
    assert_eq!(told.sum("airlock_reply_bytes_total", &SELECT), 15.0);
    assert_eq!(told.sum("airlock_calls_in_progress", &[]), 0.0);
    let other = [("database", "other")];
    assert_eq!(told.sum("airlock_pool_wait_duration_seconds", &other), 5.0);
    let connects = told.sum("airlock_connect_duration_seconds", &other);
    assert!((1.0..=2.0).contains(&connects), "{connects}");
    assert_eq!(told.sum("airlock_connectors", &[]), 1.0);
    assert!(told.sum("airlock_http_connections", &[("listener", "calls")]) >= 1.0);
    assert!(told.sum("process_resident_memory_bytes", &[]) > 1e6);

    let figures = figures(&world).await;
    let select = &figures["commands"][5];
    assert_eq!(select["command"], "SelectValuesV2", "{figures:#}");
    assert_eq!(
        (&select["calls"], &select["faults"], &select["plan_hits"]),
        (&json!(3), &json!(0), &json!(2))
    );
    assert_eq!(select["outcomes"], json!({"ok": 3}));
    let duration = &select["duration"];
    let buckets: u64 = duration["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!((buckets, &duration["count"]), (3, &json!(3)));
    let (p50, p99) = (duration["p50_us"].as_u64(), duration["p99_us"].as_u64());
    assert!(Some(0) < p50 && p50 <= p99, "{duration}");
    assert_eq!(
        (&figures["calls"]["ended"], &figures["calls"]["faults"]),
        (&json!(5), &json!(1))
    );
    assert_eq!(figures["databases"][0]["database"], "other");
    assert_eq!(figures["databases"][0]["wait"]["count"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_those_with_the_token_unless_they_are_opened() {
    let world = serving("", &[], &[]).await;
    let base = admin_base(&world.server);
    let http = &world.server.http;
    let status = async |path: &str| {
        let response = http.get(format!("{base}{path}")).send().await.unwrap();
        response.status().as_u16()
    };
    assert_eq!(status("/metrics").await, 401);
    let elsewhere = format!("{}/metrics", world.server.base);
    let elsewhere = http.get(elsewhere).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404, "callers are served metrics");
    // World writes the table [admin] behind this.
    let opened = "[admin]\nmetrics_without_token = true\nlisten = \"127.0.0.1:0\"\n";
    world.put("airlock.toml", opened.as_bytes());
    while status("/metrics").await != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for path in ["/v1/figures", "/v1/status", "/metrics/", "/"] {
        assert_eq!(status(path).await, 401, "{path}");
    }
    let post = http.post(format!("{base}/metrics")).send().await.unwrap();
    assert_eq!(post.status(), 401);
}

fn found(runtime: &Runtime, command: &str) -> FoundCommand {
    runtime.command("postgres_v2", command).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn embedders_have_metrics_and_calls_that_nobody_waits_for_count() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let database = Database::fresh().await;
    let call = json!({
        "database_connection_str": database.dsn,
        "schema": {"sql": "SELECT pg_sleep(60)", "fetch_results": true},
    })
    .to_string();
    let command = found(&runtime, "DoSQL");
    {
        let parameters = Parameters::parse(call.as_bytes()).unwrap();
        let mut run = pin!(runtime.run(&command, parameters));
        let polled = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        assert_eq!(runtime.metrics().calls_in_progress(), 1);
    }
    assert!(runtime.command("postgres_v2", "Nothing").is_err());
    let told = crate::exposition::Exposition::read(runtime.metrics_text().unwrap());
    assert_eq!(told.complaints(), [] as [String; 0]);
    let gone = [("command", "DoSQL"), ("outcome", "client_gone")];
    assert_eq!(told.sum("airlock_calls_total", &gone), 1.0);
    assert_eq!(told.sum("airlock_calls_in_progress", &[]), 0.0);
    assert_eq!(told.sum("airlock_unknown_commands_total", &[]), 1.0);
    runtime.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_reply_counts_when_its_last_row_is_out_or_nobody_takes_it() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let database = Database::fresh().await;
    let call = json!({
        "database_connection_str": database.dsn,
        "schema": {"sql": "SELECT n FROM generate_series(1, 300000) n", "fetch_results": true},
    })
    .to_string();
    let command = found(&runtime, "DoSQL");
    let run = || runtime.run(&command, Parameters::parse(call.as_bytes()).unwrap());
    let ended = |outcome: &str| {
        let told = crate::exposition::Exposition::read(runtime.metrics_text().unwrap());
        told.sum("airlock_calls_total", &[("outcome", outcome)])
    };
    let reply = run().await.unwrap();
    assert!(matches!(reply.body, Body::Streaming(..)));
    assert_eq!(
        (runtime.metrics().calls_in_progress(), ended("ok")),
        (1, 0.0)
    );
    reply.body.collect().await.unwrap();
    assert_eq!(
        (runtime.metrics().calls_in_progress(), ended("ok")),
        (0, 1.0)
    );
    drop(run().await.unwrap());
    assert_eq!((ended("ok"), ended("client_gone")), (1.0, 1.0));
    runtime.settle().await;
    assert_eq!(runtime.metrics().calls_in_progress(), 0);
}
