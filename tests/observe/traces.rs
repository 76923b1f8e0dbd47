//! Traces, as a collector gets them.

use crate::collector::{Collector, attributes};
use crate::world::{VALUE, scrape, select, serving, sql, table};
use airlock::plan::{Access, Plan, Reply};
use airlock_tests::hostile::{Guest, statement};
use airlock_tests::world::World;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The trace and the span that a caller is in.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Tells a server to stop, and waits until it has; gives its exit code.
async fn stop(world: World) -> Option<i32> {
    let process = Pid::from_raw(i32::try_from(world.server.id()).unwrap());
    kill(process, Signal::SIGTERM).unwrap();
    tokio::task::spawn_blocking(move || world.server.exit_code())
        .await
        .unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Calls a command as part of a trace, sampled or not.
async fn call_in(world: &World, command: &str, call: &Value, flags: &str) -> u16 {
    let url = format!("{}/v1/do/{command}", world.server.base);
    let request = world.server.http.post(url).json(call);
    let request = request
        .header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"))
        .header("tracestate", "vendor=opaque")
        .header("x-request-id", "call-1");
    request.send().await.unwrap().status().as_u16()
}

fn insert(world: &World) -> Value {
    json!({
        "database_connection_str": world.database.dsn,
        "table_name": "notes",
        "schema": {"columns": ["note"], "values": [[VALUE]]},
    })
}

/// The names of the spans below one, in the order of time.
fn below<'s>(spans: &'s [Span], parent: &Span) -> Vec<&'s Span> {
    let mut below: Vec<_> = spans
        .iter()
        .filter(|span| span.parent_span_id == parent.span_id && span.trace_id == parent.trace_id)
        .collect();
    below.sort_by_key(|span| span.start_time_unix_nano);
    below
}

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_shows_every_stage_of_a_call_below_that_of_its_caller() {
    let collector = Collector::start(false).await;
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    let world = serving("", &[], &variables).await;
    table(&world).await;
    let command = "postgres_v2/InsertValuesV2";
    assert_eq!(call_in(&world, command, &insert(&world), "01").await, 200);
    // Once more: the value is there already, and the database says so with the value.
    let (_, refused) = world.server.call(command, &insert(&world)).await;
    assert_eq!(refused["error"]["error_code"], "UniqueViolation");
    assert_eq!(select(&world).await.0, 200);
    assert_eq!(
        sql(&world, &format!("SELECT '{VALUE}' WHERE false"))
            .await
            .0,
        200
    );
    assert_eq!(stop(world).await, Some(0));

    // What waited was sent before the end, not when it was due.
    let spans = collector.spans();
    let [insert, refused] = named(&spans, command)[..] else {
        panic!("{spans:#?}");
    };
    assert_eq!(
        (hex(&insert.trace_id), hex(&insert.parent_span_id)),
        (TRACE.into(), PARENT.into())
    );
    assert_eq!(insert.trace_state, "vendor=opaque");
    assert_eq!(insert.kind, SpanKind::Server as i32);
    let told = attributes(&insert.attributes);
    assert_eq!(told["airlock.connector"], "postgres_v2");
    assert!(
        told["airlock.connector.digest"].starts_with("sha256:"),
        "{told:?}"
    );
    assert_eq!(told["airlock.command"], "InsertValuesV2");
    assert_eq!(told["airlock.request_id"], "call-1");
    assert_eq!(told["airlock.outcome"], "ok");
    let parts = below(&spans, insert);
    let names: Vec<_> = parts.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["plan", "pool wait", "INSERT", "COMMIT", "render"]);
    for pair in parts.windows(2) {
        assert!(
            pair[0].end_time_unix_nano <= pair[1].start_time_unix_nano,
            "{parts:#?}"
        );
    }
    for part in &parts {
        assert!(part.start_time_unix_nano >= insert.start_time_unix_nano);
        assert!(
            part.end_time_unix_nano <= insert.end_time_unix_nano,
            "{part:#?} {insert:#?}"
        );
        assert_eq!(part.trace_state, "vendor=opaque");
    }
    let statement = attributes(&parts[2].attributes);
    assert_eq!(parts[2].kind, SpanKind::Client as i32);
    assert_eq!(statement["db.system.name"], "postgresql");
    assert_eq!(statement["db.operation.name"], "INSERT");
    assert_eq!(statement["airlock.rows"], "1");

    assert_ne!(hex(&refused.trace_id), TRACE);
    assert!(refused.parent_span_id.is_empty());
    assert_eq!(attributes(&refused.attributes)["error.type"], "database");
    let parts = below(&spans, refused);
    let failed = parts.iter().find(|span| span.name == "INSERT").unwrap();
    let told = attributes(&failed.attributes);
    assert_eq!(told["db.response.status_code"], "23505");
    assert_eq!(failed.status.as_ref().unwrap().message, "");

    let select = named(&spans, "postgres_v2/SelectValuesV2");
    let names: Vec<_> = below(&spans, select[0])
        .iter()
        .map(|span| &span.name)
        .collect();
    assert_eq!(names, ["plan", "pool wait", "SELECT", "render"]);
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "airlock");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_decide_whether_they_are_traced_and_else_the_ratio_does() {
    for (ratio, of_its_own) in [("0.0", 0), ("1", 1)] {
        let collector = Collector::start(false).await;
        let config = format!(
            "[tracing]\nendpoint = \"{}/\"\nsample_ratio = {ratio}\n",
            collector.endpoint
        );
        let world = serving(&config, &[], &[]).await;
        table(&world).await;
        assert_eq!(select(&world).await.0, 200);
        let call = insert(&world);
        for (at, flags) in ["01", "00"].into_iter().enumerate() {
            let command = ["postgres_v2/InsertValuesV2", "postgres_v2/DeleteValuesV2"][at];
            call_in(&world, command, &call, flags).await;
        }
        assert_eq!(stop(world).await, Some(0));
        let spans = collector.spans();
        let count = |name: &str| named(&spans, name).len();
        assert_eq!(count("postgres_v2/SelectValuesV2"), of_its_own, "{ratio}");
        assert_eq!(count("postgres_v2/InsertValuesV2"), 1);
        assert_eq!(count("postgres_v2/DeleteValuesV2"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_has_no_more_spans_than_call_spans() {
    let collector = Collector::start(false).await;
    let many = Plan {
        statements: vec![statement("SELECT 1", Access::Read); 50],
        reply: Reply::Affected,
    };
    let many = Guest::answering(many).called("many");
    let config = format!(
        "[limits]\ncall_spans = 10\n[tracing]\nendpoint = \"{}\"\n",
        collector.endpoint
    );
    let world = serving(&config, &[("many.wasm", &many.component())], &[]).await;
    let call = json!({"database_connection_str": world.database.dsn});
    assert_eq!(world.server.call("many/C", &call).await.0, 200);
    assert_eq!(stop(world).await, Some(0));
    let spans = collector.spans();
    let call = named(&spans, "many/C");
    assert_eq!(below(&spans, call[0]).len(), 10);
    // Fifty statements, COMMIT, and three stages.
    let told = attributes(&call[0].attributes);
    assert_eq!(told["airlock.spans_left_out"], "44");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_stuck_holds_nobody_up() {
    let collector = Collector::start(true).await;
    let config = format!(
        "[limits]\ntrace_spans = 16\ntrace_flush_ms = 50\n[tracing]\nendpoint = \"{}\"\n",
        collector.endpoint
    );
    let world = serving(&config, &[], &[]).await;
    table(&world).await;
    for _ in 0..20 {
        assert_eq!(select(&world).await.0, 200);
    }
    let told = scrape(&world).await;
    let spans = |result| told.sum("airlock_trace_spans_total", &[("result", result)]);
    // Five of each call, and no more than 16 wait.
    assert!(spans("dropped") >= 84.0 - 16.0, "{}", spans("dropped"));
    assert_eq!(spans("exported"), 0.0);
    let before = Instant::now();
    assert_eq!(stop(world).await, Some(0));
    // The collector would be waited for ten seconds.
    assert!(before.elapsed() < Duration::from_secs(8));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_none_is_told() {
    for endpoint in [
        "https://collector.example",
        "127.0.0.1:4318",
        "http://user:pw@c.example",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("airlock.toml");
        std::fs::write(&file, "").unwrap();
        let checked = std::process::Command::new(env!("CARGO_BIN_EXE_airlock"))
            .args(["check", file.to_str().unwrap()])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .output()
            .unwrap();
        assert_eq!(checked.status.code(), Some(1));
        let told = String::from_utf8([checked.stdout, checked.stderr].concat()).unwrap();
        assert!(
            told.contains("over plain HTTP, such as http://127.0.0.1:4318"),
            "{told}"
        );
        assert!(!told.contains("user:pw"));
    }
}
