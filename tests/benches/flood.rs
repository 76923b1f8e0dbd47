//! The flood benchmark: what callers of one database notice of a caller that floods another one.
//!
//! ```sh
//! cargo bench --bench flood                # about two minutes once built
//! cargo bench --bench flood -- --factor 20 # a smaller flood
//! ```
//!
//! `airlock serve` runs with its defaults. Calm callers select one row of one database at a time, with
//! pauses, in rounds of equal time. In every second round somebody else calls for statements of one second
//! on another database, so many times a second as options say, in multiples of what that database can do
//! with the connections of its pool. What it cannot take is turned away.
//!
//! What counts is the 99th percentile of the calm callers' latency with the flood ÷ without, for each pair
//! of rounds that follow each other, and what the server takes in memory.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use airlock::Limits;
use airlock_tests::{Database, Server, resident_bytes};
use clap::Parser;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// The 99th percentile with the flood ÷ without that is to be kept.
const TARGET: f64 = 2.0;

/// How often the flood gets new calls.
const TICK: Duration = Duration::from_millis(1);

/// Measures what callers notice of one that floods another database.
#[derive(Parser)]
#[command(name = "cargo bench --bench flood --")]
struct Options {
    /// Pairs of rounds: one without the flood, one with.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of each round.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Calm callers.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    callers: u32,
    /// Milliseconds that a calm caller rests between two calls.
    #[arg(long, default_value_t = 2)]
    pause_ms: u64,
    /// How many times what the flooded database can do.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    factor: u32,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    let tasks = Builder::new_multi_thread().enable_all().build().unwrap();
    tasks.block_on(measure(&options));
}

/// What became of the calls of the flood.
#[derive(Default)]
struct Flooded {
    answered: AtomicU64,
    turned_away: AtomicU64,
    other: AtomicU64,
}

async fn measure(options: &Options) {
    let (calm, flooded) = (Database::fresh().await, Database::fresh().await);
    calm.batch_execute(
        "CREATE TABLE t AS SELECT n AS id, 'x' AS name FROM generate_series(1, 1000) n",
    )
    .await
    .unwrap();
    calm.batch_execute("CREATE UNIQUE INDEX ON t (id)")
        .await
        .unwrap();
    let server = Arc::new(Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]));
    let capacity = u32::try_from(Limits::default().pool_connections).unwrap();
    println!(
        "{} calm callers; a flood of {} calls a second, {} times what {capacity} connections can do; highest ratio to keep: {TARGET}\n",
        options.callers,
        capacity * options.factor,
        options.factor
    );
    // To warm up.
    round(&server, &calm.dsn, options).await;
    let before = resident(&server);
    let counts = Arc::new(Flooded::default());
    let mut pairs = Vec::new();
    let mut highest = before;
    for _ in 0..options.rounds {
        let quiet = round(&server, &calm.dsn, options).await;
        let flood = Flood::begin(&server, &flooded.dsn, capacity * options.factor, &counts);
        let loud = round(&server, &calm.dsn, options).await;
        highest = highest.max(resident(&server));
        flood.end().await;
        pairs.push((quiet, loud));
    }
    report(&pairs);
    println!(
        "| flood: answered / turned away / else | {} / {} / {} |",
        counts.answered.load(SeqCst),
        counts.turned_away.load(SeqCst),
        counts.other.load(SeqCst)
    );
    println!(
        "| MiB resident before / most / after | {} / {} / {} |",
        mebibytes(before),
        mebibytes(highest),
        mebibytes(resident(&server))
    );
}

/// The 50th and the 99th percentile.
type Percentiles = [Duration; 2];

/// Without the flood, and with it.
type Pair = (Percentiles, Percentiles);

fn report(pairs: &[Pair]) {
    println!("| | without | with | ratio: median (least–most) |\n| --- | --- | --- | --- |");
    for (at, name) in ["p50", "p99"].iter().enumerate() {
        let micros = |of: &dyn Fn(&Pair) -> Duration| {
            let mut all: Vec<_> = pairs.iter().map(|pair| of(pair).as_micros()).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        let mut ratios: Vec<_> = pairs
            .iter()
            .map(|(quiet, loud)| loud[at].as_secs_f64() / quiet[at].as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "| {name}, µs | {} | {} | {:.2} ({:.2}–{:.2}) |",
            micros(&|pair| pair.0[at]),
            micros(&|pair| pair.1[at]),
            ratios[ratios.len() / 2],
            ratios[0],
            ratios[ratios.len() - 1]
        );
    }
}

/// Calls of the calm callers; gives the 50th and the 99th percentile of their latency.
async fn round(server: &Arc<Server>, dsn: &str, options: &Options) -> Percentiles {
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let pause = Duration::from_millis(options.pause_ms);
    let mut callers = JoinSet::new();
    for number in 0..options.callers {
        let (server, dsn) = (server.clone(), dsn.to_owned());
        callers.spawn(async move {
            let mut latencies = Vec::new();
            let mut id = number;
            while Instant::now() < end {
                id = id % 1000 + 1;
                let call = json!({"database_connection_str": dsn, "table_name": "t", "schema": {"columns": ["name"], "where": [["id", "=", id]]}});
                let began = Instant::now();
                let (status, reply) = server.call("postgres_v2/SelectValuesV2", &call).await;
                latencies.push(began.elapsed());
                assert_eq!(status, 200, "{reply}");
                sleep(pause).await;
            }
            latencies
        });
    }
    let mut latencies: Vec<_> = callers.join_all().await.into_iter().flatten().collect();
    latencies.sort_unstable();
    [50, 99].map(|percent| latencies[latencies.len() * percent / 100])
}

/// A flood that goes on until it is ended.
struct Flood {
    calls: Arc<Semaphore>,
    callers: JoinSet<()>,
}

impl Flood {
    /// So many calls a second. Those that wait for a connection keep a caller each; the others take turns.
    fn begin(server: &Arc<Server>, dsn: &str, rate: u32, counts: &Arc<Flooded>) -> Flood {
        let calls = Arc::new(Semaphore::new(0));
        let mut callers = JoinSet::new();
        let limits = Limits::default();
        for _ in 0..limits.pool_connections + limits.pool_waiting + 64 {
            let (server, calls, counts) = (server.clone(), calls.clone(), counts.clone());
            let call = json!({"database_connection_str": dsn, "schema": {"sql": "SELECT pg_sleep(1)", "fetch_results": true}});
            callers.spawn(async move {
                while let Ok(turn) = calls.acquire().await {
                    turn.forget();
                    let (status, _) = server.call("postgres_v2/DoSQL", &call).await;
                    let count = match status {
                        200 => &counts.answered,
                        503 => &counts.turned_away,
                        _ => &counts.other,
                    };
                    count.fetch_add(1, SeqCst);
                }
            });
        }
        let turns = calls.clone();
        callers.spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let began = Instant::now();
            let mut given = 0;
            while !turns.is_closed() {
                ticks.tick().await;
                let due = (began.elapsed().as_secs_f64() * f64::from(rate)) as usize;
                turns.add_permits(due - given);
                given = due;
            }
        });
        Flood { calls, callers }
    }

    /// Waits for all of its calls.
    async fn end(mut self) {
        self.calls.close();
        while let Some(caller) = self.callers.join_next().await {
            caller.unwrap();
        }
    }
}

fn resident(server: &Server) -> usize {
    resident_bytes(server.id()).unwrap_or(0)
}

fn mebibytes(bytes: usize) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}
