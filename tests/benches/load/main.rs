//! The load benchmark: Airlock beside a hand-written service for the same queries.
//!
//! ```sh
//! cargo bench --bench load                      # everything; about five minutes once built
//! cargo bench --bench load -- --only select     # one part
//! cargo bench --bench load -- --write           # and write the tables down
//! ```
//!
//! It starts a throw-away PostgreSQL, `airlock serve` and the [`baseline`], which is this program
//! again in a process of its own, and measures them in turns: the machine's moods then meet both.
//! Before a case is measured, both must answer it with the same bytes and store the same rows. Where
//! PostgreSQL has a program for the same work, `pgbench` or `psql \copy`, it shows how much is left
//! to gain.
//!
//! The load comes from this process, on one thread. It shares the processors with all servers, so
//! the figures compare; they are not what a machine can do.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod baseline;
mod client;
mod database;
mod large;
mod memory;
mod options;
mod pressure;
mod process;
mod report;
mod request;
mod setup;
mod small;

use options::{Options, Part};
use setup::Setup;
use std::{env, fs, thread};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// The variable with the connection string for the baseline.
const BASELINE_DSN: &str = "LOAD_BASELINE_DSN";

fn main() {
    let options = Options::read();
    if options.serve_baseline {
        // The same runtime as Airlock's.
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(baseline::serve(&env::var(BASELINE_DSN).unwrap()));
    } else {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(until_stopped(options));
    }
}

/// Measures, or ends early when told to; the servers are ended in both cases.
async fn until_stopped(options: Options) {
    let mut interrupt = signal(SignalKind::interrupt()).unwrap();
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    tokio::select! {
        () = measure(options) => {}
        _ = interrupt.recv() => println!("interrupted"),
        _ = terminate.recv() => println!("stopped"),
    }
}

async fn measure(options: Options) {
    let mut setup = Setup::start().await;
    let conditions = conditions(&setup, &options).await;
    println!("{conditions}");
    let mut tables = Vec::new();
    if options.wants(Part::Small) {
        tables.push(small::measure(&setup, &options).await);
    }
    if options.wants(Part::Insert) {
        tables.push(large::measure_inserts(&setup, &options).await);
    }
    if options.wants(Part::Select) {
        tables.push(large::measure_selects(&setup, &options).await);
        tables.push(memory::measure(&mut setup).await);
    }
    if options.write {
        report::write(&conditions, &tables);
    }
}

/// What the figures hold for.
async fn conditions(setup: &Setup, options: &Options) -> String {
    let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu_info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let setting = async |name| setup.database.setting(name).await;
    format!(
        "{cores} cores ({model}) for clients, servers and PostgreSQL {} together, over loopback. \
         PostgreSQL runs with fsync = {} and synchronous_commit = {}, so that work shows rather than the disk. \
         Medians of {} rounds in which the servers take turns, {} s for each measurement of small calls; \
         ratios as median (least–most).",
        setting("server_version").await,
        setting("fsync").await,
        setting("synchronous_commit").await,
        options.rounds,
        options.seconds,
    )
}
