//! What connectors see of WASI: a world that is closed, bounded and the same for each call.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::plan::Reply;
use airlock::{ConnectorLimits, Fault, Imports, Limits, Parameters, Policy, Runtime};
use airlock_tests::{RECORDER, Server, WASI_PROBE};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn granted() -> Policy {
    Policy {
        imports: Imports::VirtualWasi,
        ..Policy::default()
    }
}

/// A runtime with the probe.
fn runtime(policy: Policy) -> Runtime {
    let runtime = Runtime::empty(Limits::default()).unwrap();
    runtime.load(WASI_PROBE, policy).unwrap();
    runtime
}

/// What the probe answers to a command.
async fn ask(runtime: &Runtime, command: &str) -> Result<Value, Fault> {
    let command = runtime.command("wasi_probe", command)?;
    let call = json!({"database_connection_str": ""});
    let parameters = Parameters::from(call.as_object().unwrap().clone());
    match runtime.plan(&command, parameters).await?.reply {
        Reply::Json(text) => Ok(serde_json::from_str(&text).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn wasi_is_refused_without_the_grant() {
    let runtime = Runtime::empty(Limits::default()).unwrap();
    let fault = runtime.load(WASI_PROBE, Policy::default()).err().unwrap();
    assert!(fault.message.contains("imports wasi:"), "{fault}");
    assert!(
        fault.message.contains(r#"imports = "virtual-wasi""#),
        "{fault}"
    );
}

#[test]
fn what_is_imported_is_told() {
    let probe = Runtime::empty(Limits::default())
        .unwrap()
        .load(WASI_PROBE, granted())
        .unwrap();
    let needs = |name: &str| {
        let mut imports = probe.imports().iter();
        imports
            .find(|import| import.name.starts_with(name))
            .map(|import| import.needs)
    };
    assert_eq!(needs("airlock:connector/types@"), Some(Imports::None));
    for name in [
        "cli/",
        "clocks/",
        "filesystem/",
        "http/",
        "io/",
        "random/",
        "sockets/",
    ] {
        let needs = needs(&format!("wasi:{name}"));
        assert_eq!(needs, Some(Imports::VirtualWasi), "{name}");
    }
    assert!(!probe.is_pure());
}

#[test]
fn the_grant_changes_nothing_for_those_who_do_not_need_it() {
    let runtime = Runtime::empty(Limits::default()).unwrap();
    assert!(runtime.load(RECORDER, granted()).unwrap().is_pure());
}

#[tokio::test]
async fn every_call_sees_the_same() {
    let (first, second) = (runtime(granted()), runtime(granted()));
    for command in ["Time", "Chance", "World", "Poll", "Streams", "Numbers"] {
        let seen = ask(&first, command).await.unwrap();
        assert_eq!(ask(&first, command).await.unwrap(), seen, "{command}");
        assert_eq!(ask(&second, command).await.unwrap(), seen, "{command}");
    }
    // Written down, so that another process and another machine see the same.
    assert_eq!(
        ask(&first, "Numbers").await.unwrap(),
        json!({
            "bytes": [
                [187, 223, 61, 166, 101, 235, 104, 10, 24],
                [123, 8, 218, 76, 36, 23, 231, 101, 58],
            ],
            "numbers": [14_532_966_325_467_755_788_u64, 428_824_866_622_658_106_u64],
            "seed": [11_102_290_343_457_536_695_u64, 1_718_383_172_040_733_041_u64],
            "wall": [946_684_800, 0],
            "resolution": 1,
        })
    );
}

#[tokio::test]
async fn plans_are_made_afresh() {
    let runtime = runtime(granted());
    let command = runtime.command("wasi_probe", "Time").unwrap();
    for _ in 0..2 {
        let call = json!({"database_connection_str": ""});
        let call = command.call(Parameters::from(call.as_object().unwrap().clone()));
        runtime.cached_plan(&command, &call.unwrap()).await.unwrap();
    }
    assert_eq!(runtime.plan_cache().entries, 0);
}

#[tokio::test]
async fn time_passes_only_by_waiting() {
    let seen = ask(&runtime(granted()), "Time").await.unwrap();
    assert_eq!(
        seen,
        json!({"wall_s": 946_684_800, "standing_ns": 0, "slept_ns": 3_600_000_000_000_u64})
    );
}

#[tokio::test]
async fn polling_waits_for_the_first() {
    let days = 300_000_000_000_000_u64;
    assert_eq!(
        ask(&runtime(granted()), "Poll").await.unwrap(),
        json!({
            "before": [false, false], "first": [1], "between": days, "both": [0, 1],
            "end": 2 * days, "resolution": 1, "last": u64::MAX,
        })
    );
}

#[tokio::test]
async fn the_world_is_closed() {
    let seen = ask(&runtime(granted()), "World").await.unwrap();
    assert_eq!(seen["variables"], 0);
    assert_eq!(seen["arguments"], 0);
    assert_eq!(seen["input_bytes"], "done: 0");
    for attempt in ["open", "write", "list", "remove", "tcp", "udp", "name"] {
        let told = seen[attempt].as_str().unwrap();
        assert!(told.starts_with("refused: "), "{attempt}: {told}");
    }
}

#[tokio::test]
async fn streams_are_captured_or_at_their_end() {
    assert_eq!(
        ask(&runtime(granted()), "Streams").await.unwrap(),
        json!({
            "ready": [true, true], "closed": vec![true; 6], "written": vec![true; 6],
            "terminals": vec![false; 3], "permit": true,
        })
    );
}

#[tokio::test]
async fn what_ends_a_program_is_the_connectors_fault() {
    let runtime = runtime(granted());
    for (command, reason) in [
        ("Exit", "exited with the code"),
        ("ExitWell", "exited with the code 0"),
        ("Panic", "failed while planning"),
        ("Flood", "log_bytes"),
        ("PollNothing", "empty list"),
        ("Http", "wasi:http/types@"),
    ] {
        let fault = ask(&runtime, command).await.unwrap_err();
        assert_eq!(fault.code, "ConnectorFault", "{command}: {fault}");
        assert!(fault.message.contains(reason), "{command}: {fault}");
        // The next call is none the worse for it.
        ask(&runtime, "Print").await.unwrap();
    }
}

#[tokio::test]
async fn output_is_bounded_by_name() {
    for (log_bytes, fits) in [(100, true), (10, false)] {
        let limits = ConnectorLimits {
            log_bytes,
            ..ConnectorLimits::default()
        };
        let printed = ask(
            &runtime(Policy {
                limits,
                ..granted()
            }),
            "Print",
        )
        .await;
        assert_eq!(printed.is_ok(), fits, "{log_bytes}: {printed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_goes_to_the_log_escaped_and_cut() {
    let directory = tempfile::tempdir().unwrap();
    let (config, components) = (directory.path().join("airlock.toml"), directory.path());
    std::fs::write(components.join("wasi_probe.wasm"), WASI_PROBE).unwrap();
    let table = "[connectors.wasi_probe]\nimports = \"virtual-wasi\"\n";
    std::fs::write(&config, table).unwrap();
    let arguments = [
        "--config",
        config.to_str().unwrap(),
        "--connectors",
        components.to_str().unwrap(),
    ];
    let variables = [("RUST_LOG", "airlock=debug")];
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &arguments, &variables);
    let call = json!({"database_connection_str": ""});
    let (status, reply) = server.call("wasi_probe/Print", &call).await;
    assert_eq!(status, 200, "{reply}");
    let (_, reply) = server.call("wasi_probe/Flood", &call).await;
    assert_eq!(reply["error"]["error_code"], "ConnectorFault", "{reply}");
    let deadline = Instant::now() + Duration::from_secs(60);
    let lines = loop {
        let log = server.log();
        let lines = log
            .lines()
            .filter(|line| line.contains("the connector wrote"));
        let lines: Vec<_> = lines.map(str::to_owned).collect();
        if lines.len() == 2 {
            break lines;
        }
        assert!(Instant::now() < deadline, "{log}");
        tokio::task::yield_now().await;
    };
    let printed = r#""to standard output\nto standard error \u{1b}[31m\n""#;
    assert!(lines[0].contains(printed), "{}", lines[0]);
    assert!(lines[1].contains(r"and again\nand again\n"), "{}", lines[1]);
    assert!(lines[1].len() < 6_000, "{} bytes", lines[1].len());
}
