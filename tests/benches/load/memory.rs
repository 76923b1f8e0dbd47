//! Resident memory of the servers, each started afresh, as replies grow.

use crate::client::{Client, Pace};
use crate::process::{Memory, Server};
use crate::report::{Table, figure};
use crate::request::Request;
use crate::setup::{Pair, Setup};
use std::time::Duration;

/// How long the slow reader reads slowly.
const SLOW: Duration = Duration::from_secs(2);

/// Measures and prints.
pub(crate) async fn measure(setup: &mut Setup) -> Table {
    setup.restart().await;
    let dsn = setup.database.dsn.clone();
    let mut table = Table::new(
        "Memory",
        "Resident MiB after a call / most while it ran; one process for all calls, in this order.",
        &["select of", "baseline", "Airlock"],
    );
    let large = |table| Request::select_all(&dsn, table);
    for (name, request, pace) in [
        ("1 row", Request::select_one(&dsn), Pace::Full),
        ("100,000 rows", large("ledger_100k"), Pace::Full),
        ("1,000,000 rows", large("ledger_1m"), Pace::Full),
        (
            "1,000,000 rows, read slowly",
            large("ledger_1m"),
            Pace::Slow(SLOW),
        ),
    ] {
        let turn = setup.turns(0, async |server| resident(server, &request, pace).await);
        let Pair { baseline, airlock } = turn.await;
        table.print_row(vec![name.into(), shown(baseline), shown(airlock)]);
    }
    table
}

async fn resident(server: &Server, request: &Request, pace: Pace) -> Memory {
    let mut client = Client::connect(server.address).await;
    server.forget_peak();
    client.call_at(request.bytes(), pace).await;
    server.memory()
}

fn shown(memory: Memory) -> String {
    let mebibytes = |kibibytes: Option<u64>| {
        figure(kibibytes.map_or(f64::NAN, |kibibytes| kibibytes as f64 / 1024.0))
    };
    format!("{} / {}", mebibytes(memory.now), mebibytes(memory.peak))
}
