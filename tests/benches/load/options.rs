//! The command line.

use clap::{Parser, ValueEnum};

/// Fewest rounds whose figures may be written down.
const ROUNDS_TO_WRITE: u32 = 5;

/// Measures Airlock beside a hand-written service for the same queries.
#[derive(Parser)]
#[command(name = "cargo bench --bench load --")]
pub(crate) struct Options {
    /// How often everything is measured; medians are printed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Seconds for one measurement of small calls.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
    /// Measure one part only.
    #[arg(long)]
    only: Option<Part>,
    /// Put the tables in results.md beside the benchmark and in the documentation.
    #[arg(long, conflicts_with = "only")]
    pub(crate) write: bool,
    /// Be the native baseline.
    #[arg(long, hide = true)]
    pub(crate) serve_baseline: bool,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Calls of one row, by many clients.
    Small,
    /// Inserts of many rows in one call.
    Insert,
    /// Selects of many rows in one call, and memory.
    Select,
}

impl Options {
    /// Reads the command line; ends the process where it is wrong.
    pub(crate) fn read() -> Options {
        let options = Options::parse();
        assert!(
            !options.write || options.rounds >= ROUNDS_TO_WRITE,
            "--write takes at least {ROUNDS_TO_WRITE} rounds"
        );
        options
    }

    /// Whether a part is to be measured.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}
