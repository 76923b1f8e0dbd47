//! What is not fit never displaces what is live, and the reason is told.

use crate::world::serving;
use airlock_tests::hostile::Guest;
use airlock_tests::world::{answering, digest};
use std::fs;
use std::os::unix::fs::symlink;

/// A file that is not fit, and what is said of it.
struct Unfit {
    name: &'static str,
    contents: Vec<u8>,
    reason: &'static str,
}

fn unfit() -> Vec<Unfit> {
    let good = answering("a", "good").component();
    let half = good[..good.len() / 2].to_vec();
    let mut corrupt = good.clone();
    corrupt[40..104].fill(0xff);
    let planning = |code: &str| Guest {
        plan: code.into(),
        ..answering("a", "bad")
    };
    let describing = |code: &str| Guest {
        describe: code.into(),
        ..answering("a", "bad")
    };
    let mut no_example = answering("a", "bad");
    no_example.manifest.commands[0].example = "[1]".into();
    let mut foreign = answering("a", "bad");
    foreign.fields =
        r#"(import "wasi:cli/environment@0.2.0" "get-arguments" (func (param i32)))"#.into();
    let row = |name, contents: Vec<u8>, reason| Unfit {
        name,
        contents,
        reason,
    };
    vec![
        row("nothing", Vec::new(), "is not WebAssembly"),
        row("text", b"#!/bin/sh\n".to_vec(), "is not WebAssembly"),
        row(
            "a core module",
            wat::parse_str("(module)").unwrap(),
            "is a core WebAssembly module",
        ),
        row("half of a file", half, "not a valid component"),
        row("a corrupt file", corrupt, "not a valid component"),
        row(
            "another name",
            answering("b", "bad").component(),
            "calls itself b",
        ),
        row(
            "another world",
            wat::parse_str("(component)").unwrap(),
            "does not export",
        ),
        row(
            "a trap that describes",
            describing("unreachable").component(),
            "failed",
        ),
        row(
            "a trap that plans",
            planning("unreachable").component(),
            "the example of C cannot be planned",
        ),
        row(
            "a loop that plans",
            planning("(loop (br 0))").component(),
            "stopped at the limit plan_",
        ),
        row(
            "a loop that describes",
            describing("(loop (br 0))").component(),
            "stopped at the limit plan_",
        ),
        row(
            "an example that is none",
            no_example.component(),
            "the example of C cannot be planned",
        ),
        row(
            "a plan that may not run",
            Guest {
                answer: airlock_tests::hostile::Answer::Plan(airlock_tests::hostile::plan(
                    "COMMIT",
                )),
                ..answering("a", "bad")
            }
            .component(),
            "it needs define access",
        ),
        row(
            "a file that is too long",
            vec![0; (4 << 20) + 1],
            "limit component_bytes",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unfit_never_displace_what_is_live() {
    let good = answering("a", "good").component();
    let world = serving(&[("a.wasm", &good)]).await;
    let live = digest(&good);
    for Unfit {
        name,
        contents,
        reason,
    } in unfit()
    {
        world.put("a.wasm", &contents);
        let told = |status: &serde_json::Value| {
            let told = status["rejected"]["reason"].as_str();
            let whose = &status["rejected"]["digest"];
            let read = contents.len() <= 4 << 20;
            told.is_some_and(|told| told.contains(reason))
                && (!read || *whose == *digest(&contents))
        };
        let status = world.until("a", told).await;
        assert_eq!(status["live"]["digest"], *live, "{name}");
        assert_eq!(
            world.call("a").await,
            ("good".to_owned(), live.clone()),
            "{name}"
        );
        assert!(
            world.server.log().contains(reason),
            "{name} is not in the log"
        );
    }
    let better = answering("a", "better").component();
    world.put("a.wasm", &better);
    let status = world
        .until("a", |status| status["live"]["digest"] == *digest(&better))
        .await;
    assert_eq!(status["previous"][0]["digest"], *live);
    assert_eq!(world.call("a").await.0, "better");
}

/// A pipe would hold whoever opens it, and a device never ends.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_is_not_read() {
    let good = answering("a", "good").component();
    let world = serving(&[("a.wasm", &good)]).await;
    let replace = |make: &dyn Fn(&std::path::Path)| {
        let new = world.at("new");
        make(&new);
        fs::rename(new, world.at("a.wasm")).unwrap();
    };
    let rejected = |status: &serde_json::Value, reason: &str| {
        status["rejected"]["reason"]
            .as_str()
            .is_some_and(|told| told.contains(reason))
    };
    replace(&|path| {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    });
    world
        .until("a", |status| rejected(status, "not a regular file"))
        .await;
    replace(&|path| symlink("/dev/zero", path).unwrap());
    world
        .until("a", |status| rejected(status, "not a regular file"))
        .await;
    replace(&|path| symlink("nowhere", path).unwrap());
    assert_eq!(world.call("a").await.0, "good");
    // A directory of that name, and its end.
    fs::remove_file(world.at("a.wasm")).unwrap();
    fs::create_dir(world.at("a.wasm")).unwrap();
    assert_eq!(world.call("a").await.0, "good");
    fs::remove_dir(world.at("a.wasm")).unwrap();
    let better = answering("a", "better").component();
    world.put("a.wasm", &better);
    world
        .until("a", |status| status["live"]["digest"] == *digest(&better))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unfit_keep_nobody_from_starting() {
    let good = answering("a", "good").component();
    let postgres = b"not postgres_v2 at all".as_slice();
    let world = serving(&[
        ("a.wasm", &good),
        ("b.wasm", b"\0asm"),
        ("postgres_v2.wasm", postgres),
    ])
    .await;
    assert_eq!(world.call("a").await.0, "good");
    let status = world.status("b").await;
    assert!(status["live"].is_null(), "{status}");
    assert!(
        status["rejected"]["reason"]
            .as_str()
            .unwrap()
            .contains("WebAssembly")
    );
    let parameters = serde_json::json!({"database_connection_str": world.database.dsn, "schema": {"sql": "SELECT 1", "fetch_results": true}});
    let (code, _) = world.server.call("b/C", &parameters).await;
    assert_eq!(code, 404);
    // The one that the program contains serves where the file is not fit.
    let (code, reply) = world.server.call("postgres_v2/DoSQL", &parameters).await;
    assert_eq!(
        (code, &reply["command_response"]["body"]),
        (200, &serde_json::json!([[1]]))
    );
}
