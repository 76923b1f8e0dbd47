//! Labels stay few, whatever callers, connectors and databases make up.

use crate::exposition::Exposition;
use crate::world::{figures, scrape, serving, sql};
use airlock::plan::Access;
use airlock_tests::hostile::{Guest, command, manifest};
use airlock_tests::world::World;
use serde_json::{Value, json};

/// Whatever is made up holds this.
const MADE_UP: &str = "canary";

/// Commands of each connector.
const COMMANDS: usize = 40;

/// What makes its commands fail.
fn parameters() -> Value {
    json!({"p": [1]})
}

/// A connector with many commands. They plan their examples well and fail for other calls, with a code
/// that is made up.
fn prolific(name: &str, first: usize) -> Vec<u8> {
    let mut manifest = manifest();
    manifest.name = name.into();
    let commands = (first..first + COMMANDS).map(|n| command(&format!("C{n}"), Access::Read));
    manifest.commands = commands.collect();
    // In the place of the plan, a failure whose code and message are the first bytes of memory.
    let plan = format!(
        r#"(if (i32.gt_u (local.get $input_bytes) (i32.const 2)) (then
             (i64.store (i32.const 0) (i64.const {}))
             (i32.store (global.get $answer) (i32.const 1))
             (i64.store offset=4 (global.get $answer) (i64.const 0x600000000))
             (i64.store offset=12 (global.get $answer) (i64.const 0x600000000))
             (i32.store offset=20 (global.get $answer) (i32.const 0))))"#,
        i64::from_le_bytes(*b"canary\0\0")
    );
    Guest {
        plan,
        ..Guest::described_by(manifest)
    }
    .component()
}

/// Calls in ways that could make labels, all of them new with each `round`.
async fn make_up(world: &World, round: usize) {
    let server = &world.server;
    let nothing = parameters();
    let (_, failed) = server.call("a/C1", &nothing).await;
    assert_eq!(failed["error"]["error_code"], MADE_UP, "{failed}");
    for n in 0..20 {
        let made_up = format!("{MADE_UP}_{round}_{n}");
        for path in [
            format!("{made_up}/C"),
            format!("postgres_v2/{made_up}"),
            format!("a/{made_up}%22%7D%0A"),
        ] {
            assert_eq!(server.call(&path, &nothing).await.0, 404, "{path}");
        }
        let url = format!("{}/v1/do/a/C1", server.base);
        let request = server.http.post(url).json(&nothing);
        let request = request.header("x-request-id", format!("{made_up}\"}}"));
        let request = request.header("traceparent", made_up.clone());
        request.send().await.unwrap();
        // A connection string of its own, and so a pool of its own.
        let dsn = format!("{} application_name={made_up}", world.database.dsn);
        let schema = json!({"sql": "SELECT 1", "fetch_results": true});
        let call = json!({"database_connection_str": dsn, "schema": schema});
        assert_eq!(server.call("postgres_v2/DoSQL", &call).await.0, 200);
        let code = format!("Y{round:02}{n:02}");
        let raise = format!("DO $$ BEGIN RAISE '{made_up}' USING ERRCODE = '{code}'; END $$");
        let (_, raised) = sql(world, &raise).await;
        assert_eq!(raised["error"]["sqlstate"], code, "{raised}");
    }
}

fn series_of(told: &Exposition) -> Vec<String> {
    let lines = told.text.lines().filter(|line| !line.starts_with('#'));
    let mut series: Vec<_> = lines
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, _)| series.to_owned())
        .collect();
    series.sort();
    series
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_made_up_becomes_a_label() {
    let world = serving("", &[("a.wasm", &prolific("a", 0))], &[]).await;
    make_up(&world, 0).await;
    let before = scrape(&world).await;
    assert!(!before.text.contains(MADE_UP), "{}", before.text);
    make_up(&world, 1).await;
    let after = scrape(&world).await;
    assert_eq!(series_of(&before), series_of(&after));
    assert_eq!(after.complaints(), [] as [String; 0]);
    assert_eq!(after.sum("airlock_unknown_commands_total", &[]), 120.0);
    let databases = ["other".to_owned()];
    assert!(after.values("database").into_iter().eq(databases));
    let figures = figures(&world).await.to_string();
    assert!(!figures.contains(MADE_UP), "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_beyond_metric_labels_count_together() {
    let config = "[limits]\nmetric_labels = 30\n";
    let world = serving(config, &[("a.wasm", &prolific("a", 0))], &[]).await;
    let call = parameters();
    for n in 0..COMMANDS {
        world.server.call(&format!("a/C{n}"), &call).await;
    }
    let told = scrape(&world).await;
    assert_eq!(told.complaints(), [] as [String; 0]);
    let of = |connector| told.sum("airlock_calls_total", &[("connector", connector)]);
    let (own, other) = (of("a"), of("other"));
    assert_eq!(own + other, COMMANDS as f64);
    assert!(own > 0.0 && other >= 10.0, "{own} {other}");
    assert_eq!(told.values("command").len(), 31);
    let most = told.series();
    // However many versions with commands of their own come, those that are gone make room.
    for version in 1..6 {
        let component = prolific("a", version * COMMANDS);
        world.put("a.wasm", &component);
        let digest = airlock_tests::world::digest(&component);
        let live = |status: &Value| status["live"]["digest"] == *digest;
        world.until("a", live).await;
        let first = format!("a/C{}", version * COMMANDS);
        world.server.call(&first, &call).await;
    }
    let told = scrape(&world).await;
    assert!(told.series() <= most, "{} > {most}", told.series());
    assert_eq!(told.sum("airlock_swaps_total", &[("result", "live")]), 7.0);
}
