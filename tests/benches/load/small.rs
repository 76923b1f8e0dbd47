//! Calls of one row, by 1, 8 and 32 clients.

use crate::options::Options;
use crate::pressure::{Pressure, press};
use crate::report::{Series, Table, figure, ratio};
use crate::request::Request;
use crate::setup::{Pair, Setup};
use std::fs;

/// How many clients call at the same time.
const CLIENTS: [u32; 3] = [1, 8, 32];

const SELECT_SCRIPT: &str = r#"\set id random(10000, 19999)
SELECT "id", "name", "email" FROM "users" WHERE "id" = :id;
"#;

const INSERT_SCRIPT: &str = r#"\set id random(10000, 19999)
INSERT INTO "ledger" ("id", "label", "amount") VALUES (:id, 'entry 0010000 of the ledger', 12.34);
"#;

/// Measures and prints.
pub(crate) async fn measure(setup: &Setup, options: &Options) -> Table {
    let dsn = &setup.database.dsn;
    let mut table = Table::new(
        "Small calls",
        "Calls a second; latency as p50 / p99 in µs; processor time of the server, without PostgreSQL's, in µs a call.",
        &[
            "call",
            "clients",
            "pgbench",
            "baseline",
            "Airlock",
            "Airlock ÷ baseline",
            "latency, baseline",
            "latency, Airlock",
            "processor, baseline",
            "processor, Airlock",
        ],
    );
    for (name, request, script) in [
        ("select 1 row", Request::select_one(dsn), SELECT_SCRIPT),
        ("insert 1 row", Request::insert_one(dsn), INSERT_SCRIPT),
    ] {
        setup.check(&request).await;
        for clients in CLIENTS {
            let row = case(setup, options, &request, script, clients).await;
            table.print_row([vec![name.into(), clients.to_string()], row].concat());
        }
    }
    table
}

async fn case(
    setup: &Setup,
    options: &Options,
    request: &Request,
    script: &str,
    clients: u32,
) -> Vec<String> {
    let file = setup.directory.path().join("script.sql");
    fs::write(&file, script).unwrap();
    let writes = script.contains("INSERT");
    let mut floor = Series::default();
    let mut pairs: Vec<Pair<Pressure>> = Vec::new();
    for round in 0..options.rounds {
        setup.database.truncate().await;
        floor.push(setup.database.pgbench(&file, clients, options.seconds));
        let pair = setup.turns(round, async |server| {
            setup.database.truncate().await;
            let pressure = press(server, request, clients, options.seconds).await;
            // Those of the warm-up are stored as well.
            let stored = setup.database.rows().await;
            assert!(
                !writes || stored >= pressure.calls,
                "calls were answered but not done"
            );
            pressure
        });
        pairs.push(pair.await);
    }
    let series = |value: fn(&Pressure) -> f64| Pair {
        baseline: pairs
            .iter()
            .map(|pair| value(&pair.baseline))
            .collect::<Series>(),
        airlock: pairs
            .iter()
            .map(|pair| value(&pair.airlock))
            .collect::<Series>(),
    };
    let throughput = series(|pressure| pressure.throughput);
    let (p50, p99) = (
        series(|pressure| pressure.p50),
        series(|pressure| pressure.p99),
    );
    let cpu = series(|pressure| pressure.cpu.unwrap_or(f64::NAN));
    vec![
        figure(floor.median()),
        figure(throughput.baseline.median()),
        figure(throughput.airlock.median()),
        ratio(&throughput),
        format!(
            "{} / {}",
            figure(p50.baseline.median()),
            figure(p99.baseline.median())
        ),
        format!(
            "{} / {}",
            figure(p50.airlock.median()),
            figure(p99.airlock.median())
        ),
        figure(cpu.baseline.median()),
        figure(cpu.airlock.median()),
    ]
}
