//! Many rows in one call: stored, and read.

use crate::client::{Client, Timing};
use crate::database;
use crate::options::Options;
use crate::process::Server;
use crate::report::{Series, Table, count, figure, ratio};
use crate::request::Request;
use crate::setup::{Pair, Setup};
use std::fs;
use std::time::Duration;

/// Inserts to measure: rows, and calls in one measurement.
const INSERTS: [(u32, usize); 2] = [(1_000, 20), (100_000, 1)];

/// Measures inserts and prints.
pub(crate) async fn measure_inserts(setup: &Setup, options: &Options) -> Table {
    let mut table = Table::new(
        "Large inserts",
        "Rows of integer, text and numeric, inserted in one call; milliseconds.",
        &[
            "rows",
            r"psql \copy",
            "baseline",
            "Airlock",
            "Airlock ÷ baseline",
        ],
    );
    for (rows, calls) in INSERTS {
        let request = Request::insert_many(&setup.database.dsn, rows);
        setup.check(&request).await;
        let file = setup.directory.path().join("rows.txt");
        fs::write(&file, database::copy_text(rows)).unwrap();
        let mut floor = Series::default();
        let mut pair: Pair<Series> = Pair::default();
        for round in 0..options.rounds {
            let copies = async || {
                setup.database.truncate().await;
                millis(setup.database.copy(&file))
            };
            floor.push(typical(calls, copies).await);
            let turn = setup.turns(round, async |server| {
                let mut client = Client::connect(server.address).await;
                let call = async || {
                    setup.database.truncate().await;
                    millis(client.call(request.bytes()).await.total)
                };
                typical(calls, call).await
            });
            let turn = turn.await;
            pair.baseline.push(turn.baseline);
            pair.airlock.push(turn.airlock);
        }
        table.print_row(vec![
            count(u64::from(rows)),
            figure(floor.median()),
            figure(pair.baseline.median()),
            figure(pair.airlock.median()),
            ratio(&pair),
        ]);
    }
    table
}

/// Measures selects and prints.
pub(crate) async fn measure_selects(setup: &Setup, options: &Options) -> Table {
    let dsn = &setup.database.dsn;
    let mut table = Table::new(
        "Large selects",
        "Rows of integer, text and numeric, read in one call; milliseconds until the first byte of the body and until the last.",
        &["rows", "until", "baseline", "Airlock", "Airlock ÷ baseline"],
    );
    for (rows, request, calls) in [
        (1_u32, Request::select_one(dsn), 200),
        (100_000, Request::select_all(dsn, "ledger_100k"), 5),
        (1_000_000, Request::select_all(dsn, "ledger_1m"), 1),
    ] {
        let body = setup.check(&request).await;
        // A list in a list for each row.
        let lists = body.iter().filter(|byte| **byte == b'[').count();
        assert_eq!(lists, rows as usize + 1, "a reply with other rows");
        let [mut first, mut last]: [Pair<Series>; 2] = Default::default();
        for round in 0..options.rounds {
            let turn = setup.turns(round, async |server| selects(server, &request, calls).await);
            let Pair { baseline, airlock } = turn.await;
            first.baseline.push(baseline.0);
            first.airlock.push(airlock.0);
            last.baseline.push(baseline.1);
            last.airlock.push(airlock.1);
        }
        for (until, pair) in [("first byte", &first), ("last byte", &last)] {
            table.print_row(vec![
                count(u64::from(rows)),
                until.into(),
                figure(pair.baseline.median()),
                figure(pair.airlock.median()),
                ratio(pair),
            ]);
        }
    }
    table
}

/// Typical times until the first and the last byte.
async fn selects(server: &Server, request: &Request, calls: usize) -> (f64, f64) {
    let mut client = Client::connect(server.address).await;
    let (mut first, mut last) = (Series::default(), Series::default());
    // The client takes its memory with the first call.
    client.call(request.bytes()).await;
    for _ in 0..calls {
        let Timing { first_byte, total } = client.call(request.bytes()).await;
        first.push(millis(first_byte));
        last.push(millis(total));
    }
    (first.median(), last.median())
}

/// The median of several measurements after one that does not count.
async fn typical(times: usize, mut measure: impl AsyncFnMut() -> f64) -> f64 {
    measure().await;
    let mut series = Series::default();
    for _ in 0..times {
        series.push(measure().await);
    }
    series.median()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
