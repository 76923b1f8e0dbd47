//! The swap benchmark: what callers notice of a swap, and how long one takes.
//!
//! ```sh
//! cargo bench --bench swap                           # everything; a few minutes once built
//! cargo bench --bench swap -- --swaps 100 --times 5  # less of it
//! cargo bench --bench swap -- --only start           # one part: load, live or start
//! ```
//!
//! It starts `airlock serve` over a directory of components and a throw-away PostgreSQL. Under load,
//! clients call without a pause while a file is moved into the place of another one again and again;
//! the process ends with code 1 where a call failed, or a reply was not of the version that it had to
//! be of. Then it times how long a new `postgres_v2` takes to answer from the moment that its file is
//! in place, and how long a server takes to start, both without compiled components and with them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod live;
mod load;
mod start;

use clap::{Parser, ValueEnum};
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;

/// The server that is measured.
const BINARY: &str = env!("CARGO_BIN_EXE_airlock");

/// Measures what callers notice of a swap, and how long one takes.
#[derive(Parser)]
#[command(name = "cargo bench --bench swap --")]
struct Options {
    /// Swaps under load.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    swaps: u32,
    /// Clients that call meanwhile.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    clients: u32,
    /// How often that is timed which takes a while.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Measure one part only.
    #[arg(long)]
    only: Option<Part>,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Swaps under load.
    Load,
    /// From a file in place to the first reply.
    Live,
    /// From a process to the first reply.
    Start,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let wants = |part| options.only.is_none_or(|only| only == part);
    let tasks = Builder::new_multi_thread().enable_all().build().unwrap();
    let mut clean = true;
    if wants(Part::Load) {
        clean = tasks.block_on(load::measure(&options));
    }
    if wants(Part::Live) {
        tasks.block_on(live::measure(&options));
    }
    if wants(Part::Start) {
        start::measure(&options);
    }
    match clean {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Prints times as a row: median and most, in milliseconds.
fn print_times(name: &str, times: &[Duration], most_wanted: &str) {
    let mut millis: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    millis.sort_by(f64::total_cmp);
    let last = millis.len() - 1;
    let median = (millis[last / 2] + millis[last.div_ceil(2)]) / 2.0;
    println!(
        "| {name} | {median:.1} | {:.1} | {most_wanted} |",
        millis[last]
    );
}
