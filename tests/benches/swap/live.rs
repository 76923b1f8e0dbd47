//! From a file in place to the first reply of the version in it.

use crate::{BINARY, Options, print_times};
use airlock_tests::Database;
use airlock_tests::world::{World, digest};
use serde_json::json;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The connector that is swapped.
const POSTGRES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/postgres_v2.wasm"));

const FILE: &str = "postgres_v2.wasm";

/// How long a file may take to go live.
const PATIENCE: Duration = Duration::from_secs(120);

/// Time between two calls.
const PAUSE: Duration = Duration::from_millis(1);

/// Times and prints.
pub(crate) async fn measure(options: &Options) {
    println!(
        "**From a file in place to the first reply.** postgres_v2, {} files; milliseconds\n",
        options.times
    );
    println!("| compiled before | median | most | at most wanted |");
    println!("| --- | --- | --- | --- |");
    let files: Vec<_> = (0..options.times).map(distinct).collect();
    let caches = tempfile::tempdir().unwrap();
    // The first server compiles each file, the second one finds what the first one compiled.
    let cold = times(&caches, &files).await;
    print_times("no", &cold, "1,000");
    let warm = times(&caches, &files).await;
    print_times("yes, by another server", &warm, "150");
    println!();
}

/// The connector with a section of its own behind it, which changes nothing but the digest.
fn distinct(number: u32) -> Vec<u8> {
    const CUSTOM: u8 = 0;
    let name = b"copy";
    let number = number.to_le_bytes();
    // All lengths are below 128, which is one byte of LEB128.
    let size = (1 + name.len() + number.len()) as u8;
    [POSTGRES, &[CUSTOM, size, name.len() as u8], name, &number].concat()
}

/// Puts one file after the other into place of a new server.
async fn times(caches: &TempDir, files: &[Vec<u8>]) -> Vec<Duration> {
    let caches = caches.path().to_str().unwrap();
    let world = World::start(BINARY, "", &[], &[("XDG_CACHE_HOME", caches)]).await;
    let mut times = Vec::new();
    for file in files {
        let digest = digest(file);
        world.put(FILE, file);
        let began = Instant::now();
        while planned_by(&world, &world.database).await != digest {
            assert!(began.elapsed() < PATIENCE, "{}", world.server.log());
            // Or asking would take the processor from who compiles.
            tokio::time::sleep(PAUSE).await;
        }
        times.push(began.elapsed());
    }
    times
}

/// The digest of who plans a call that begins now.
async fn planned_by(world: &World, database: &Database) -> String {
    let url = format!("{}/v1/do/postgres_v2/DoSQL", world.server.base);
    let call = json!({
        "database_connection_str": database.dsn,
        "schema": {"sql": "SELECT 1", "fetch_results": true},
    });
    let response = world
        .server
        .http
        .post(url)
        .json(&call)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let planned_by = response.headers()["x-airlock-connector"].to_str().unwrap();
    let (_, digest) = planned_by.split_once('@').unwrap();
    let digest = digest.to_owned();
    response.bytes().await.unwrap();
    digest
}
