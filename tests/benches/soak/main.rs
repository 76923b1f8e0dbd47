//! The soak benchmark: a long time under load, faults, swaps and hostile calls.
//!
//! ```sh
//! cargo bench --bench soak                 # 30 minutes once built
//! cargo bench --bench soak -- --minutes 2  # a short one
//! ```
//!
//! Clients insert rows with ids of their own and read, through `airlock serve` and a proxy in front of a
//! PostgreSQL of its own. One call in twenty means harm. Every ten seconds something breaks: connections
//! are cut, the database refuses or says nothing, server processes are terminated or killed, the whole
//! server is killed and started again. Every thirty seconds a connector is swapped.
//!
//! In the end each insert is held against the table by the outcome that its reply told. Memory and open
//! files of the server are sampled all along; the slope is that of the second half.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod calls;
mod faults;
mod harm;
mod samples;

use airlock::postgres::Cluster;
use airlock_tests::Database;
use airlock_tests::proxy::Proxy;
use airlock_tests::world::{World, answering};
use calls::{Ledger, Told};
use clap::Parser;
use indicatif::ProgressBar;
use samples::Samples;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The `airlock` command.
const BINARY: &str = env!("CARGO_BIN_EXE_airlock");

/// How often something breaks.
const FAULT_EVERY: Duration = Duration::from_secs(10);

/// How often a connector is swapped.
const SWAP_EVERY: Duration = Duration::from_secs(30);

/// How often memory and files are looked at.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);

/// How long a client rests between two calls.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs a server for a long time while things break.
#[derive(Parser)]
#[command(name = "cargo bench --bench soak --")]
struct Options {
    /// How long.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Clients.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    clients: u32,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let tasks = Builder::new_multi_thread().enable_all().build().unwrap();
    match tasks.block_on(measure(&options)) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// What all clients share.
struct Soak {
    world: World,
    /// Through the proxy.
    dsn: String,
    done: AtomicBool,
}

impl Soak {
    fn is_done(&self) -> bool {
        self.done.load(SeqCst)
    }
}

/// True where no acknowledged row was lost or doubled.
async fn measure(options: &Options) -> bool {
    let cluster = Cluster::start_with(&["synchronous_commit=on", "full_page_writes=on"]).unwrap();
    let direct = cluster.connection_string().expose().to_owned();
    let own = Database::connect(&direct).await;
    own.batch_execute("CREATE TABLE t (id bigint)")
        .await
        .unwrap();
    drop(own);
    let proxy = Proxy::start(cluster.port()).await;
    let versions = ["one", "two"].map(|text| answering("a", text).component());
    let looping = harm::looping();
    let files = [("a.wasm", &*versions[0]), ("looping.wasm", &*looping)];
    let config = "[connectors.looping.limits]\nplan_ms = 50\n[limits]\ndeadline_ms = 10000\n";
    let soak = Arc::new(Soak {
        world: World::start(BINARY, config, &files, &[]).await,
        dsn: proxy.dsn(&direct),
        done: AtomicBool::new(false),
    });
    let mut clients = JoinSet::new();
    for number in 0..options.clients {
        clients.spawn(calls::client(soak.clone(), number));
    }
    let end = Instant::now() + Duration::from_secs(options.minutes * 60);
    let breaking = tokio::spawn(faults::go_on(soak.clone(), proxy, cluster, direct.clone()));
    let swapping = tokio::spawn(swap(soak.clone(), versions));
    let mut samples = Samples::of(soak.world.server.id());
    // On a terminal only.
    let progress = ProgressBar::new(options.minutes * 60);
    while Instant::now() < end {
        samples.take();
        sleep(SAMPLE_EVERY).await;
        progress.set_position(progress.elapsed().as_secs());
    }
    progress.finish_and_clear();
    soak.done.store(true, SeqCst);
    let mut ledger = Ledger::default();
    while let Some(own) = clients.join_next().await {
        ledger.add(own.unwrap());
    }
    // The server is up again when this has ended.
    let (faults, _cluster) = breaking.await.unwrap();
    let swaps = swapping.await.unwrap();
    samples.take();
    report(&ledger, &samples, faults, swaps);
    let wrong = ledger.wrong(&Database::connect(&direct).await).await;
    println!("| acknowledged rows lost or doubled | {} |", wrong.len());
    for line in wrong.iter().take(20) {
        println!("{line}");
    }
    wrong.is_empty()
}

/// Swaps one connector for its other version, over and over; gives how often.
async fn swap(soak: Arc<Soak>, versions: [Vec<u8>; 2]) -> usize {
    let mut swaps = 0;
    let mut next = Instant::now() + SWAP_EVERY;
    while !soak.is_done() {
        sleep(Duration::from_millis(200)).await;
        if Instant::now() >= next {
            swaps += 1;
            soak.world.put("a.wasm", &versions[swaps % 2]);
            next += SWAP_EVERY;
        }
    }
    swaps
}

fn report(ledger: &Ledger, samples: &Samples, faults: usize, swaps: usize) {
    println!("| | |\n| --- | --- |");
    println!("| faults, swaps | {faults}, {swaps} |");
    for (name, told) in [
        ("committed", Told::Committed),
        ("aborted", Told::Aborted),
        ("unknown", Told::Unknown),
    ] {
        println!("| inserts {name} | {} |", ledger.count(told));
    }
    println!(
        "| reads, of them failed | {}, {} |",
        ledger.reads, ledger.failed_reads
    );
    println!("| calls that mean harm | {} |", ledger.harms);
    samples.report();
}
