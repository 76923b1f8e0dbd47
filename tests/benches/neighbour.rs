//! The neighbour benchmark: what a connector that behaves well loses while others attack.
//!
//! ```sh
//! cargo bench --bench neighbour                  # about four minutes once built
//! cargo bench --bench neighbour -- --rounds 20   # more rounds
//! ```
//!
//! One process holds everything, as a server does: clients call the `postgres_v2` connector without a
//! pause, against a real PostgreSQL, in rounds of equal time. In every second round, attackers run the
//! whole hostile suite over and over in the same runtime: each loads a connector that means harm, calls
//! it and goes on to the next. Clients and attackers are as many as options say; an attacker has its
//! next attack ready when the last one ended.
//!
//! Then the same with one attack only: a connector that loops until its usual limits end it, which is
//! the most processor time that a call can take.
//!
//! What counts is the neighbour's calls with attacks ÷ without, for each pair of rounds that follow each
//! other. Every call of the neighbour is checked to succeed. How the attacks end is left to the test
//! `hostile`: here they take each other's place.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use airlock::{Limits, Parameters, Policy, Runtime};
use airlock_tests::attacks::{self, Attack};
use clap::Parser;
use mimalloc::MiMalloc;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;

/// What the neighbour shall keep of its calls.
const TARGET: f64 = 0.9;

/// That of the `airlock` command.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Measures what a connector that behaves well loses while others attack.
#[derive(Parser)]
#[command(name = "cargo bench --bench neighbour --")]
struct Options {
    /// Pairs of rounds: one without attacks, one with.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of each round.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Clients that call the neighbour without a pause.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    clients: u32,
    /// Attacks at the same time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    attackers: u32,
    /// Only the attacks whose name contains this: `whole suite` or `endless loops`.
    #[arg(long, default_value = "")]
    only: String,
    /// The neighbour's plans are made afresh for every call, not taken from the cache.
    #[arg(long)]
    plan_afresh: bool,
    /// Cargo's own flag.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    // The same runtime as Airlock's.
    let tasks = Builder::new_multi_thread().enable_all().build().unwrap();
    tasks.block_on(measure(&options));
}

/// What all rounds work on.
struct World {
    runtime: Runtime,
    dsn: String,
    attacks: Vec<Attack>,
    /// The next attack.
    next: AtomicUsize,
}

async fn measure(options: &Options) {
    let database = attacks::database().await;
    println!(
        "{} clients, {} attackers, {} s a round; least calls to keep: {TARGET}\n",
        options.clients, options.attackers, options.seconds
    );
    println!("| attacks | calls/s without | with | kept (least–most) | attacks/s |");
    println!("| --- | --- | --- | --- | --- |");
    let endless = vec![attacks::endless()];
    for (name, attacks) in [("whole suite", attacks::all()), ("endless loops", endless)] {
        if name.contains(&options.only) {
            println!("| {name} {}", case(options, &database.dsn, attacks).await);
        }
    }
}

/// Measures among these attacks; gives the cells of a row.
async fn case(options: &Options, dsn: &str, attacks: Vec<Attack>) -> String {
    let mut limits = Limits::default();
    if options.plan_afresh {
        limits.plan_cache_bytes = 0;
    }
    let world = Arc::new(World {
        runtime: attacks::runtime(env!("CARGO_BIN_EXE_airlock"), limits),
        dsn: dsn.to_owned(),
        attacks,
        next: AtomicUsize::new(0),
    });
    world.runtime.load_embedded(Policy::default()).unwrap();
    // To warm up.
    round(&world, options, 0).await;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for number in 0..options.rounds {
        // The order changes, so that what drifts meets both.
        let alone_first = number % 2 == 0;
        for alone in [alone_first, !alone_first] {
            match alone {
                true => without.push(round(&world, options, 0).await),
                false => with.push(round(&world, options, options.attackers).await),
            }
        }
    }
    let mut kept: Vec<f64> = with.iter().zip(&without).map(|(w, wo)| w / wo).collect();
    let (least, middle, most) = spread(&mut kept);
    let seconds = (u64::from(options.rounds) * options.seconds) as f64;
    format!(
        "| {:.0} | {:.0} | {middle:.2} ({least:.2}–{most:.2}) | {:.1} |",
        spread(&mut without).1,
        spread(&mut with).1,
        world.next.load(Ordering::Relaxed) as f64 / seconds,
    )
}

/// Least, median and most.
fn spread(values: &mut [f64]) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    let median = (values[last / 2] + values[last.div_ceil(2)]) / 2.0;
    (values[0], median, values[last])
}

/// Calls a second that the neighbour gets among so many attackers.
async fn round(world: &Arc<World>, options: &Options, attackers: u32) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let attackers: Vec<_> = (0..attackers)
        .map(|_| {
            let (world, stop, tasks) = (world.clone(), stop.clone(), Handle::current());
            // Loading takes its time on the thread that asks for it.
            thread::spawn(move || tasks.block_on(attack(&world, &stop)))
        })
        .collect();
    let time = Duration::from_secs(options.seconds);
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..options.clients {
        let world = world.clone();
        clients.spawn(async move {
            let mut calls = 0_u64;
            while began.elapsed() < time {
                call(&world).await;
                calls += 1;
            }
            calls
        });
    }
    let calls: u64 = clients.join_all().await.iter().sum();
    let throughput = calls as f64 / began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for attacker in attackers {
        tokio::task::spawn_blocking(move || attacker.join().unwrap())
            .await
            .unwrap();
    }
    throughput
}

/// Attacks until told to stop.
async fn attack(world: &World, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let next = world.next.fetch_add(1, Ordering::Relaxed);
        let attack = &world.attacks[next % world.attacks.len()];
        let _ = attack.complaint(&world.runtime, &world.dsn).await;
    }
}

/// One call of the neighbour.
async fn call(world: &World) {
    let parameters = json!({
        "database_connection_str": world.dsn,
        "table_name": "t",
        "schema": {"columns": ["n"], "where": [["n", "=", 1]]},
    });
    let Value::Object(parameters) = parameters else {
        unreachable!()
    };
    let command = world
        .runtime
        .command("postgres_v2", "SelectValuesV2")
        .unwrap();
    let reply = world.runtime.run(&command, Parameters::from(parameters));
    let body = reply.await.unwrap().body.collect().await.unwrap();
    assert_eq!(body, b"[[1]]");
}
