//! Calls as fast as a number of clients can make them, each waiting for its reply.

use crate::client::Client;
use crate::database::IDS;
use crate::process::Server;
use crate::request::Request;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Distance between the ids that a client asks for in turn: a prime, so that all of them come up.
const STRIDE: u32 = 7919;

/// What one measurement gave.
pub(crate) struct Pressure {
    /// Calls that succeeded within the time.
    pub(crate) calls: u64,
    /// Calls a second.
    pub(crate) throughput: f64,
    /// Latency in microseconds that half of the calls kept under.
    pub(crate) p50: f64,
    /// Likewise 99 of 100.
    pub(crate) p99: f64,
    /// Processor time of the server for each call, in microseconds.
    pub(crate) cpu: Option<f64>,
}

/// Puts a server under the pressure of so many clients for so many seconds, after a quarter of that
/// time to warm up.
pub(crate) async fn press(
    server: &Server,
    request: &Request,
    clients: u32,
    seconds: u64,
) -> Pressure {
    let time = Duration::from_secs(seconds);
    let begin = Instant::now() + time / 4;
    let end = begin + time;
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let client = Client::connect(server.address).await;
        let first = number * IDS.len() as u32 / clients;
        tasks.spawn(calls(client, request.clone(), first, begin, end));
    }
    tokio::time::sleep_until(begin.into()).await;
    let cpu_before = server.cpu();
    tokio::time::sleep_until(end.into()).await;
    let cpu_after = server.cpu();
    let mut latencies = tasks.join_all().await.concat();
    latencies.sort_unstable();
    let calls = latencies.len() as f64;
    let percentile = |part: f64| f64::from(latencies[(part * (calls - 1.0)) as usize]) / 1e3;
    Pressure {
        calls: latencies.len() as u64,
        throughput: calls / time.as_secs_f64(),
        p50: percentile(0.5),
        p99: percentile(0.99),
        cpu: cpu_before
            .zip(cpu_after)
            .map(|(before, after)| (after - before) * 1e6 / calls),
    }
}

/// Calls until `end`; the latencies in nanoseconds of those that ended between `begin` and `end`.
async fn calls(
    mut client: Client,
    mut request: Request,
    first: u32,
    begin: Instant,
    end: Instant,
) -> Vec<u32> {
    let mut latencies = Vec::with_capacity(1 << 16);
    let mut at = first;
    loop {
        request.set_id(IDS.start + at);
        at = (at + STRIDE) % IDS.len() as u32;
        let timing = client.call(request.bytes()).await;
        let now = Instant::now();
        if now > end {
            return latencies;
        }
        if now >= begin {
            latencies.push(u32::try_from(timing.total.as_nanos()).unwrap_or(u32::MAX));
        }
    }
}
