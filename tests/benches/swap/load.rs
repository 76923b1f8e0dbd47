//! Swaps while clients call.

use crate::{BINARY, Options};
use airlock_tests::resident_bytes;
use airlock_tests::world::{World, answering, digest};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Instant;

/// Two versions of one connector: what each answers, its digest and its file.
type Versions = [(&'static str, String, Vec<u8>); 2];

/// What the clients saw.
#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    /// Those of which it is known which version has to plan them: they began after one swap was seen
    /// live, and ended before the next one began.
    settled: AtomicU64,
    failed: AtomicU64,
    mixed: AtomicU64,
    late: AtomicU64,
}

/// How far the swaps are.
#[derive(Default)]
struct Progress {
    /// Files moved into place, or about to be.
    begun: AtomicU32,
    /// Swaps that were seen live.
    live: AtomicU32,
    done: AtomicBool,
}

/// Swaps and prints; false where a call did not get what it had to.
pub(crate) async fn measure(options: &Options) -> bool {
    let versions = ["one", "two"].map(|text| {
        let component = answering("a", text).component();
        (text, digest(&component), component)
    });
    let world = World::start(BINARY, "", &[("a.wasm", &versions[0].2)], &[]).await;
    let (counts, progress) = (Counts::default(), Progress::default());
    let began = Instant::now();
    let clients = (0..options.clients).map(|_| call(&world, &versions, &counts, &progress));
    let swaps = swap(&world, &versions, &counts, &progress, options);
    let (_, (early, end)) = tokio::join!(join_all(clients), swaps);
    let seconds = began.elapsed().as_secs_f64();
    let figure = |count: &AtomicU64| count.load(SeqCst);
    println!(
        "**Swaps under load.** {} swaps, {} clients\n",
        options.swaps, options.clients
    );
    println!("| | |\n| --- | --- |");
    println!(
        "| swaps a second | {:.1} |",
        f64::from(options.swaps) / seconds
    );
    println!("| calls | {} |", figure(&counts.calls));
    println!(
        "| calls a second | {:.0} |",
        figure(&counts.calls) as f64 / seconds
    );
    println!(
        "| calls that only one version could plan | {} |",
        figure(&counts.settled)
    );
    println!("| failed calls | {} |", figure(&counts.failed));
    println!("| mixed replies | {} |", figure(&counts.mixed));
    println!(
        "| calls planned by the version before | {} |",
        figure(&counts.late)
    );
    println!(
        "| MiB resident after a tenth of the swaps | {} |",
        mebibytes(early)
    );
    println!("| MiB resident at the end | {} |\n", mebibytes(end));
    [&counts.failed, &counts.mixed, &counts.late]
        .iter()
        .all(|count| figure(count) == 0)
}

/// Moves the versions into place in turns; gives the memory of the server after a tenth and at the end.
async fn swap(
    world: &World,
    versions: &Versions,
    counts: &Counts,
    progress: &Progress,
    options: &Options,
) -> (Option<usize>, Option<usize>) {
    let resident = || resident_bytes(world.server.id());
    let mut early = None;
    for number in 1..=options.swaps {
        let (_, digest, component) = &versions[number as usize % 2];
        progress.begun.store(number, SeqCst);
        world.put("a.wasm", component);
        world
            .until("a", |status| status["live"]["digest"] == **digest)
            .await;
        progress.live.store(number, SeqCst);
        // Each client can begin and end a call on this version.
        let enough = counts.settled.load(SeqCst) + u64::from(options.clients);
        while counts.settled.load(SeqCst) < enough && counts.failed.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        if number == options.swaps.div_ceil(10) {
            early = resident();
        }
    }
    let end = resident();
    progress.done.store(true, SeqCst);
    (early, end)
}

/// Calls until the swaps are done.
async fn call(world: &World, versions: &Versions, counts: &Counts, progress: &Progress) {
    while !progress.done.load(SeqCst) {
        let live = progress.live.load(SeqCst);
        let reply = try_call(world).await;
        // A version that had to be in service all the time.
        let settled = (progress.begun.load(SeqCst) == live).then(|| &versions[live as usize % 2]);
        counts.calls.fetch_add(1, SeqCst);
        let Some((text, planned_by)) = reply else {
            counts.failed.fetch_add(1, SeqCst);
            continue;
        };
        let known = versions
            .iter()
            .any(|(known, digest, _)| *known == text && *digest == planned_by);
        if !known {
            counts.mixed.fetch_add(1, SeqCst);
        }
        if let Some((_, digest, _)) = settled {
            counts.settled.fetch_add(1, SeqCst);
            if *digest != planned_by {
                counts.late.fetch_add(1, SeqCst);
            }
        }
    }
}

/// The text of a reply and the digest of who planned it; none where the call failed.
async fn try_call(world: &World) -> Option<(String, String)> {
    let url = format!("{}/v1/do/a/C", world.server.base);
    let call = json!({"database_connection_str": world.database.dsn});
    let response = world.server.http.post(url).json(&call).send().await.ok()?;
    if response.status() != 200 {
        return None;
    }
    let planned_by = response
        .headers()
        .get("x-airlock-connector")?
        .to_str()
        .ok()?;
    let (_, digest) = planned_by.split_once('@')?;
    let digest = digest.to_owned();
    let reply: Value = response.json().await.ok()?;
    let text = reply["command_response"]["body"][0][0].as_str()?;
    Some((text.to_owned(), digest))
}

fn mebibytes(bytes: Option<usize>) -> String {
    bytes.map_or("–".into(), |bytes| {
        format!("{:.1}", bytes as f64 / f64::from(1 << 20))
    })
}
