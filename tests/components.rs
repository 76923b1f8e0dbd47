//! Components that are refused, each with a reason, and the embedded one, which is not.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::fault::Culprit;
use airlock::{Compiler, ConnectorLimits, Limits, Parameters, Policy, Runtime};
use airlock_tests::RECORDER;

/// Why `bytes` are refused.
fn refusal(bytes: &[u8]) -> String {
    let fault = Runtime::empty(Limits::default())
        .unwrap()
        .load(bytes, Policy::default())
        .err()
        .expect("it was loaded");
    assert_eq!(fault.culprit(), Culprit::Connector);
    fault.message
}

#[test]
fn what_is_no_connector_is_refused_with_the_reason() {
    let component = |text: &str| wat::parse_str(text).unwrap();
    for (bytes, reason) in [
        (b"hello".to_vec(), "not WebAssembly"),
        (Vec::new(), "not WebAssembly"),
        (component("(module)"), "core WebAssembly module"),
        (b"\0asm\x0c\0\x01\0".to_vec(), "unknown version"),
        (
            RECORDER[..RECORDER.len() / 2].to_vec(),
            "not a valid component",
        ),
        (component("(component)"), "does not export the world"),
        (
            component(
                r#"(component (import "wasi:clocks/wall-clock@0.2.0" (instance (export "now" (func)))))"#,
            ),
            "wasi:clocks/wall-clock",
        ),
        (
            component(
                r#"(component (import "airlock:connector/types@0.1.0" (instance (export "open" (func)))))"#,
            ),
            "not granted",
        ),
        (component(r#"(component (import "f" (func)))"#), "imports f"),
    ] {
        let message = refusal(&bytes);
        assert!(message.contains(reason), "{message} does not say {reason}");
    }
    let small = Policy {
        limits: ConnectorLimits {
            component_bytes: 1000,
            ..ConnectorLimits::default()
        },
        ..Policy::default()
    };
    let runtime = Runtime::empty(Limits::default()).unwrap();
    let fault = runtime.load(RECORDER, small).err().unwrap();
    assert!(fault.message.contains("component_bytes"), "{fault}");
}

#[tokio::test]
async fn planning_is_bounded_by_name() {
    let usual = ConnectorLimits::default();
    for (limits, statements, name) in [
        (
            ConnectorLimits {
                plan_fuel: 20_000_000,
                ..usual
            },
            200_000,
            "plan_fuel",
        ),
        (
            ConnectorLimits {
                memory_bytes: 4 << 20,
                ..usual
            },
            200_000,
            "memory_bytes",
        ),
        (
            ConnectorLimits {
                input_bytes: 1000,
                ..usual
            },
            200,
            "input_bytes",
        ),
        (
            ConnectorLimits {
                statement_bytes: 8,
                ..usual
            },
            1,
            "statement_bytes",
        ),
        (
            ConnectorLimits {
                plan_statements: 1,
                ..usual
            },
            2,
            "plan_statements",
        ),
    ] {
        let runtime = Runtime::empty(Limits::default()).unwrap();
        let policy = Policy {
            limits,
            ..Policy::default()
        };
        runtime.load_embedded(policy).unwrap();
        let command = runtime.command("postgres_v2", "DoSQL").unwrap();
        let plan = |sql: &str| {
            let call = serde_json::json!({"database_connection_str": "", "schema": {"sql": sql}});
            runtime.plan(
                &command,
                Parameters::from(call.as_object().unwrap().clone()),
            )
        };
        let fault = plan(&"SELECT 100; ".repeat(statements)).await.unwrap_err();
        assert!(fault.message.contains(name), "{fault}");
        // The next call is none the worse for it.
        let next = plan("SELECT 1").await;
        assert!(next.is_ok(), "{name}: {next:?}");
    }
}

/// How the process that compiles ended is told as it was, and a limit is named only where it was reached.
#[test]
fn a_compiler_that_breaks_off_is_told_as_it_ended() {
    let no_memory = "echo 'memory allocation of 5 bytes failed' >&2; kill -ABRT $$";
    for (script, culprit, told) in [
        ("exit 101", Culprit::Connector, "exit status: 101"),
        ("kill -SEGV $$", Culprit::Connector, "signal: 11 (SIGSEGV)"),
        ("kill -ABRT $$", Culprit::Connector, "signal: 6 (SIGABRT)"),
        ("kill -KILL $$", Culprit::Connector, "signal: 9 (SIGKILL)"),
        ("kill -XCPU $$", Culprit::Connector, "limit compile_ms"),
        (no_memory, Culprit::Connector, "limit compile_memory_bytes"),
        ("echo no >&2; exit 3", Culprit::Connector, "component: no"),
        ("echo no >&2; exit 1", Culprit::Host, "see its log"),
    ] {
        let compiler = Compiler::Child {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
        };
        let runtime = Runtime::compiling_by(compiler, Limits::default()).unwrap();
        let fault = runtime.load(RECORDER, Policy::default()).err().unwrap();
        assert_eq!(fault.culprit(), culprit, "{script}: {fault}");
        let limit = fault.message.contains("limit ");
        assert_eq!(limit, told.contains("limit "), "{script}: {fault}");
        assert!(fault.message.contains(told), "{script}: {fault}");
    }
}
