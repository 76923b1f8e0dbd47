//! Swaps while many clients call: no call fails, and each reply is of the version that it names.

use crate::world::serving;
use airlock_tests::world::{answering, digest};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const CLIENTS: usize = 16;

const SWAPS: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn swaps_fail_no_call_and_mix_no_reply() {
    let versions = ["one", "two"].map(|text| (text, answering("a", text).component()));
    let digests = versions
        .each_ref()
        .map(|(text, component)| (*text, digest(component)));
    let world = serving(&[("a.wasm", &versions[0].1)]).await;
    let (stop, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    let client = async || {
        let mut seen = [0, 0];
        while !stop.load(Ordering::Relaxed) {
            let (text, planned_by) = world.call("a").await;
            let version = digests
                .iter()
                .position(|(known, _)| *known == text)
                .unwrap();
            assert_eq!(digests[version].1, planned_by);
            seen[version] += 1;
            calls.fetch_add(1, Ordering::Relaxed);
        }
        seen
    };
    let swaps = async {
        for (_, component) in versions.iter().cycle().skip(1).take(SWAPS) {
            let before = calls.load(Ordering::Relaxed);
            world.put("a.wasm", component);
            world
                .until("a", |status| status["live"]["digest"] == *digest(component))
                .await;
            // A call that begins now is planned by the new version.
            assert_eq!(world.call("a").await.1, digest(component));
            while calls.load(Ordering::Relaxed) < before + CLIENTS {
                tokio::task::yield_now().await;
            }
        }
        stop.store(true, Ordering::Relaxed);
    };
    let clients = (0..CLIENTS).map(|_| client());
    let (seen, ()) = tokio::join!(join_all(clients), swaps);
    let sum = seen
        .iter()
        .fold([0, 0], |sum, seen| [sum[0] + seen[0], sum[1] + seen[1]]);
    assert!(sum[0] > SWAPS && sum[1] > SWAPS, "{sum:?}");
}

/// A call that waits for the database finishes on the version that it began with.
#[tokio::test(flavor = "multi_thread")]
async fn calls_under_way_finish_on_the_old_version() {
    let slow = |text: &str| {
        answering(
            "a",
            &format!(
                "{text}' FROM pg_advisory_lock(7), pg_advisory_unlock(7) AS done WHERE 'x' = 'x"
            ),
        )
    };
    let [old, new] = ["old", "new"].map(|text| slow(text).component());
    let world = serving(&[("a.wasm", &old)]).await;
    world
        .database
        .batch_execute("SELECT pg_advisory_lock(7)")
        .await
        .unwrap();
    let under_way = world.call("a");
    let swap = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'";
        while world
            .database
            .query_one(waiting, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
            == 0
        {
            tokio::task::yield_now().await;
        }
        world.put("a.wasm", &new);
        world
            .until("a", |status| status["live"]["digest"] == *digest(&new))
            .await;
        world
            .database
            .batch_execute("SELECT pg_advisory_unlock(7)")
            .await
            .unwrap();
    };
    let (finished, ()) = tokio::join!(under_way, swap);
    assert_eq!(finished, ("old".to_owned(), digest(&old)));
    assert_eq!(world.call("a").await, ("new".to_owned(), digest(&new)));
    let usage: Value = world.status("a").await["live"]["usage"].clone();
    assert_eq!(usage["calls"], json!(1));
}
