//! The connectors benchmark: one process that holds many connectors.
//!
//! ```sh
//! cargo bench --bench connectors                 # 1,000 of them; minutes the first time, then seconds
//! cargo bench --bench connectors -- --count 100
//! ```
//!
//! Each is `postgres_v2` with a mark that makes it another component, so nothing is shared. They are
//! compiled by a process of its own first, into a cache below the target directory that later runs find
//! again; what is measured is how long loading from there takes, how long the first call of each takes,
//! and what the process holds in memory.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use airlock::{CompileCache, Compiler, Connector, Limits, Parameters, Policy, Runtime};
use mimalloc::MiMalloc;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// That of the `airlock` command.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const POSTGRES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/postgres_v2.wasm"));

/// Connectors unless `--count` says otherwise.
const COUNT: u32 = 1_000;

const COMMAND: &str = "SelectValuesV2";

/// A user of the connector's guide is looked up.
const CALL: &str = r#"{"database_connection_str": "", "table_name": "users", "schema": {"columns": ["id", "name", "email"], "where": [["email", "=", "john@example.com"]]}}"#;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let following = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1)
    };
    let count = following("--count").map_or(COUNT, |count| count.parse().unwrap());
    if arguments.iter().any(|argument| argument == "--fill") {
        let runtime = runtime();
        runtime.load_embedded(Policy::default()).unwrap();
        return (0..count).for_each(|mark| drop(load(&runtime, mark)));
    }
    // The compiler's memory is not that of a process which finds everything compiled.
    let filled = Command::new(std::env::current_exe().unwrap())
        .args(["--fill", "--count", &count.to_string()])
        .status()
        .unwrap();
    assert!(filled.success());
    measure(count);
}

fn measure(count: u32) {
    let runtime = runtime();
    let sealed = {
        runtime.load_embedded(Policy::default()).unwrap();
        let found = runtime.command("postgres_v2", COMMAND).unwrap();
        found
            .call(Parameters::parse(CALL.as_bytes()).unwrap())
            .unwrap()
    };
    let before = resident_mib();
    let (connectors, loads): (Vec<Connector>, Vec<Duration>) = (0..count)
        .map(|mark| timed(|| load(&runtime, mark)))
        .unzip();
    let loaded = resident_mib();
    let calls: Vec<Duration> = connectors
        .iter()
        .map(|connector| timed(|| connector.plan(COMMAND, sealed.sealed()).unwrap()).1)
        .collect();
    let called = resident_mib();
    println!(
        "| connectors | resident before, MiB | loaded | called | load, ms: median | most | all | first call, ms: median | most |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let all: Duration = loads.iter().sum();
    let (load, slowest_load) = median_and_most(loads);
    let (call, slowest_call) = median_and_most(calls);
    println!(
        "| {count} | {before:.0} | {loaded:.0} | {called:.0} | {load:.2} | {slowest_load:.2} | {:.0} | {call:.3} | {slowest_call:.3} |",
        ms(all)
    );
}

/// A runtime that takes components from the cache of this benchmark.
fn runtime() -> Runtime {
    let limits = Limits {
        compile_cache_bytes: u64::MAX,
        ..Limits::default()
    };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("connectors");
    let cache = CompileCache::open(&directory, &limits).unwrap();
    Runtime::compiling_by(Compiler::InProcess.cached(Arc::new(cache)), limits).unwrap()
}

fn load(runtime: &Runtime, mark: u32) -> Connector {
    runtime.compile(&marked(mark), Policy::default()).unwrap()
}

/// `postgres_v2` with a section that says `mark` and means nothing.
fn marked(mark: u32) -> Vec<u8> {
    let mut component = POSTGRES.to_vec();
    component.extend([0, 9, 4]);
    component.extend(b"mark");
    component.extend(mark.to_le_bytes());
    component
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = what();
    (made, start.elapsed())
}

fn median_and_most(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    (ms(median), ms(times.pop().unwrap_or_default()))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn resident_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib: f64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kib / 1024.0
}
