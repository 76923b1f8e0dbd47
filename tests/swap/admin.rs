//! The admin surface: who may use it, what it shows, rollback, and changes of the configuration.

use crate::world::serving;
use airlock_tests::world::{TOKEN, World, admin_base, answering, digest};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::Value;
use std::process::{Command, Output};

/// Runs `airlock` against the admin surface of a server.
fn airlock(world: &World, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_airlock"))
        .args(arguments)
        .args(["--admin", &admin_base(&world.server)])
        .env("AIRLOCK_ADMIN_TOKEN", TOKEN)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_learn_nothing() {
    let world = serving(&[]).await;
    let base = admin_base(&world.server);
    let http = &world.server.http;
    for path in ["/v1/status", "/v1/connectors/postgres_v2", "/nowhere"] {
        let url = format!("{base}{path}");
        for request in [
            http.get(&url),
            http.get(&url).bearer_auth("wrong"),
            http.get(&url).bearer_auth(""),
            http.get(&url).header("authorization", TOKEN),
            http.get(&url).basic_auth("Bearer", Some(TOKEN)),
        ] {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{path}");
            let body = response.text().await.unwrap();
            assert!(!body.contains("postgres_v2"), "{body}");
        }
    }
    for path in ["/v1/status", "/v1/connectors/postgres_v2/rollback"] {
        let url = format!("{}{path}", world.server.base);
        let response = http.post(url).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path} is served to callers");
    }
    assert!(!world.server.log().contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_what_goes_on() {
    let a = answering("a", "one").component();
    let world = serving(&[("a.wasm", &a)]).await;
    for _ in 0..3 {
        world.call("a").await;
    }
    let bad = serde_json::json!({"unknown": 1});
    assert_eq!(world.server.call("a/C", &bad).await.0, 400);
    let (code, status) = world.admin(Method::GET, "/v1/status").await;
    assert_eq!(code, 200);
    let names: Vec<_> = status["connectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(names, ["a", "postgres_v2"]);
    let live = &status["connectors"][0]["live"];
    assert_eq!(live["digest"], *digest(&a));
    let usage = &live["usage"];
    assert_eq!(
        (&usage["calls"], &usage["faults"]["caller"]),
        (&4.into(), &1.into())
    );
    assert_eq!(
        (&usage["plan_misses"], &usage["plan_hits"]),
        (&1.into(), &2.into())
    );
    assert!(usage["fuel"]["p50"].as_u64().unwrap() > 0, "{usage}");
    assert!(
        usage["memory_bytes"]["p99"].as_u64().unwrap() >= 1 << 16,
        "{usage}"
    );
    assert_eq!(live["limits"]["plan_ms"], 2_000);
    let shown = stdout(&airlock(&world, &["status"]));
    assert!(
        shown.contains(&digest(&a)) && shown.contains("calls     4;"),
        "{shown}"
    );
    let json: Value =
        serde_json::from_str(&stdout(&airlock(&world, &["status", "--json"]))).unwrap();
    assert_eq!(json["connectors"][0]["name"], "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_holds_until_something_new_comes() {
    let [one, two, three] = ["one", "two", "three"].map(|text| answering("a", text).component());
    let world = serving(&[("a.wasm", &one)]).await;
    let is_live = |component: &[u8]| {
        let digest = digest(component);
        move |status: &Value| status["live"]["digest"] == *digest
    };
    let none = airlock(&world, &["swap", "a", "--rollback"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(
        String::from_utf8(none.stderr)
            .unwrap()
            .contains("no version of a to go back to")
    );
    world.put("a.wasm", &two);
    world.until("a", is_live(&two)).await;
    let back = airlock(&world, &["swap", "a", "--rollback"]);
    assert!(
        stdout(&back).contains(&format!("{}) is live", digest(&one))),
        "{back:?}"
    );
    assert_eq!(world.call("a").await, ("one".to_owned(), digest(&one)));
    // The same file again is no reason to have it back; that somebody asks for it is one.
    world.put("a.wasm", &two);
    let b = answering("b", "b").component();
    world.put("b.wasm", &b);
    world.until("b", is_live(&b)).await;
    let status = world.status("a").await;
    assert_eq!(
        (&status["live"]["digest"], &status["withdrawn"]),
        (&digest(&one).into(), &digest(&two).into())
    );
    assert!(airlock(&world, &["swap", "a"]).status.success());
    assert_eq!(world.call("a").await.0, "two");
    assert!(
        airlock(&world, &["swap", "a", "--rollback"])
            .status
            .success()
    );
    world.put("a.wasm", &three);
    let status = world.until("a", is_live(&three)).await;
    assert!(status["withdrawn"].is_null());
    let unknown = airlock(&world, &["swap", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_swap_is_told_to_who_asked_for_it() {
    let world = serving(&[]).await;
    std::fs::write(world.at("a.wasm"), "garbage").unwrap();
    let refused = airlock(&world, &["swap", "a"]);
    assert_eq!(refused.status.code(), Some(1));
    let reason = String::from_utf8(refused.stderr).unwrap();
    assert!(reason.contains("not WebAssembly"), "{reason}");
    let wrong = Command::new(env!("CARGO_BIN_EXE_airlock"))
        .args(["status", "--admin", &admin_base(&world.server)])
        .env("AIRLOCK_ADMIN_TOKEN", "wrong")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(!String::from_utf8(wrong.stderr).unwrap().contains("wrong"));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_configuration_take_hold() {
    let a = answering("a", "one").component();
    let world = serving(&[("a.wasm", &a)]).await;
    let fuel = |fuel: u64| move |status: &Value| status["live"]["limits"]["plan_fuel"] == fuel;
    world.configure("[connectors.a.limits]\nplan_fuel = 1000000\n");
    let status = world.until("a", fuel(1_000_000)).await;
    assert_eq!(status["previous"], serde_json::json!([]), "{status}");
    // What cannot be read changes nothing.
    world.configure("[connectors.a.limits]\nplan_fool = 5\n");
    while !world.server.log().contains("plan_fool") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(fuel(1_000_000)(&world.status("a").await));
    // What the connector does not keep within is refused, and the old policy holds.
    world.configure("[connectors.a.limits]\nplan_fuel = 1\n");
    world
        .until("a", |status| {
            status["rejected"]["reason"]
                .as_str()
                .is_some_and(|told| told.contains("plan_fuel"))
        })
        .await;
    assert!(fuel(1_000_000)(&world.status("a").await));
    assert_eq!(world.call("a").await.0, "one");
    // A connector that is disabled is out of service until it is enabled.
    world.configure("[connectors.a]\nenabled = false\n");
    world.until("a", |status| status["live"].is_null()).await;
    let call = serde_json::json!({"database_connection_str": world.database.dsn});
    assert_eq!(world.server.call("a/C", &call).await.0, 404);
    assert_eq!(airlock(&world, &["swap", "a"]).status.code(), Some(1));
    assert_eq!(
        airlock(&world, &["swap", "a", "--rollback"]).status.code(),
        Some(1)
    );
    // Another component by its digest, whose file comes first.
    let two = answering("a", "two").component();
    world.put("a.wasm", &two);
    world.configure(&format!("[connectors.a]\nsha256 = \"{}\"\n", digest(&a)));
    world
        .until("a", |status| status["rejected"]["digest"] == *digest(&two))
        .await;
    world.configure(&format!("[connectors.a]\nsha256 = \"{}\"\n", digest(&two)));
    world
        .until("a", |status| status["live"]["digest"] == *digest(&two))
        .await;
    world.configure(&format!("[connectors.a]\nsha256 = \"{}\"\n", digest(&a)));
    world
        .until("a", |status| {
            status["rejected"]["reason"]
                .as_str()
                .is_some_and(|told| told.contains("its policy wants"))
        })
        .await;
    assert_eq!(world.call("a").await.0, "two");
    // A signal has it read again, changed or not.
    let process = Pid::from_raw(i32::try_from(world.server.id()).unwrap());
    let read = || world.server.log().matches("configuration read").count();
    let before = read();
    kill(process, Signal::SIGHUP).unwrap();
    while read() == before {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(world.call("a").await.0, "two");
}
