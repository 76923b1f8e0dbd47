//! The scripts that drive the page in Chromium.

use crate::world::{Console, version};
use airlock::plan::{Access, ParameterKind};
use airlock_tests::Node;
use airlock_tests::hostile::{Guest, command, manifest, parameter};
use airlock_tests::world::{TOKEN, digest};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Directory for pictures of every view; none are taken where it is not set.
const SCREENSHOTS: &str = "AIRLOCK_CONSOLE_SCREENSHOTS";

/// Longest time for one test of a script in milliseconds: a guard against those that hang.
const GUARD_MS: u32 = 300_000;

/// Markup that would show itself by what it does, if anything took it for markup.
const MARKUP: &str =
    "<img src=x onerror=\"console.error('markup')\"><script>console.error('markup')</script>";

/// The directory of the scripts.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/console")
}

/// Runs a script with what it has to know of the server.
async fn drive(script: &str, console: &Console, more: Value) {
    let mut world = json!({
        "base": console.base(),
        "token": TOKEN,
        "directory": console.world.at(""),
        "markup": MARKUP,
        "screenshots": std::env::var(SCREENSHOTS).ok(),
    });
    world
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let script = scripts().join(script);
    let run = move || {
        let packages = Node::with(env!("CARGO_TARGET_TMPDIR"), &scripts());
        Command::new("node")
            .args(["--test", "--test-reporter=spec"])
            .arg(format!("--test-timeout={GUARD_MS}"))
            .arg(script)
            .env("CONSOLE_PACKAGES", packages.directory())
            .env("CONSOLE_WORLD", world.to_string())
            .output()
            .expect("node runs the scripts of these tests")
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        console.world.server.log()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_planned_and_run() {
    let console = Console::start("", &[]).await;
    // A reply of twenty million bytes.
    let long = "CREATE VIEW generate_series_of_text AS SELECT repeat('x', 1000) AS text FROM generate_series(1, 20000)";
    console.orders.batch_execute(long).await.unwrap();
    drive("calls.mjs", &console, json!({"dsn": console.orders.dsn})).await;
    let rows = console
        .orders
        .query("SELECT name FROM users ORDER BY id", &[])
        .await
        .unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(names, ["Ann", "Bob", MARKUP]);
    // Who stops a call stops it in the database, too.
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state = 'active' AND pid <> pg_backend_pid()";
    while console
        .orders
        .query_one(asleep, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        > 0
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_seen_compared_and_changed() {
    let versions = [
        version("1.0.0", "one"),
        version("2.0.0", "two"),
        version("3.0.0", "three"),
    ];
    let [one, two, three] = &versions;
    let console = Console::start("", &[("a.wasm", one)]).await;
    for (name, component) in [("two.bin", two), ("three.bin", three)] {
        std::fs::write(console.world.at(name), component).unwrap();
    }
    let digests = versions.each_ref().map(|component| digest(component));
    drive("versions.mjs", &console, json!({"digests": digests})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_stays_text() {
    let mut described = manifest();
    described.version = MARKUP.into();
    described.summary = MARKUP.into();
    let mut c = command("C", Access::Read);
    c.summary = MARKUP.into();
    c.errors = vec![(MARKUP.into(), MARKUP.into())];
    c.parameters
        .push(parameter(MARKUP, ParameterKind::Any, &[]));
    let mut proto = parameter("__proto__", ParameterKind::Any, &[]);
    let properties = json!({
        "constructor": {"enum": [MARKUP]},
        (MARKUP): {"$ref": "#", "description": MARKUP},
    });
    proto.schema = Some(json!({"type": "object", "properties": properties}).to_string());
    c.parameters.push(proto);
    c.example = json!({"p": MARKUP}).to_string();
    described.commands = vec![c];
    let hostile = Guest::described_by(described).component();
    let config = "[connectors.postgres_v2]\naccess = \"read\"\n";
    let console = Console::start(config, &[("hostile.wasm", &hostile)]).await;
    drive("hostile.mjs", &console, json!({"digest": digest(&hostile)})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_is_accessible_and_fits_a_phone() {
    let (one, two) = (version("1.0.0", "one"), version("2.0.0", "two"));
    let console = Console::start("", &[("a.wasm", &one)]).await;
    console.world.put("a.wasm", &two);
    let live = digest(&two);
    console
        .world
        .until("a", |status| status["live"]["digest"] == *live)
        .await;
    drive("views.mjs", &console, json!({})).await;
}
