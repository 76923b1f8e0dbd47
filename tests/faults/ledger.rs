//! Many clients insert while connections are cut and the server dies. Every answer is held against
//! what is stored in the end.

use crate::answer::Outcome;
use crate::world::Host;
use airlock::postgres::Cluster;
use airlock_tests::Database;
use airlock_tests::proxy::{Break, Proxy, Random};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

const CLIENTS: usize = 64;

/// How much is inserted, and how much breaks meanwhile.
struct Run {
    /// Inserts that succeed.
    inserts: usize,
    /// Each connection is cut somewhere within so many messages.
    messages: usize,
    kills: usize,
    seed: u64,
    /// What a call may take.
    deadline_ms: u64,
}

/// What was said of one insert.
struct Entry {
    id: i64,
    rows: i64,
    outcome: Outcome,
    said: String,
}

/// Inserts under ids that were never used before, until enough of them succeed.
async fn client(
    host: Arc<Host>,
    dsn: String,
    ids: Arc<AtomicI64>,
    committed: watch::Sender<usize>,
    inserts: usize,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    while *committed.borrow() < inserts {
        let id = ids.fetch_add(1, Ordering::SeqCst);
        // One row, two in a transaction, a text, and now and then enough for COPY.
        let rows = match id % 64 {
            0 => 40,
            number if number % 3 == 0 => 2,
            _ => 1,
        };
        let answer = if id % 3 == 1 {
            let sql = format!("INSERT INTO t SELECT {id} FROM generate_series(1, {rows})");
            host.execute(&dsn, &sql).await
        } else {
            host.insert(&dsn, (0..rows).map(|_| id)).await
        };
        let outcome = answer.outcome();
        match outcome {
            Outcome::Committed => committed.send_modify(|count| *count += 1),
            // As a client does whose server is away.
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        entries.push(Entry {
            id,
            rows,
            outcome,
            said: answer.reply["error"].to_string(),
        });
    }
    entries
}

/// Prints what happened; gives the entries that are wrong, in words.
#[allow(clippy::print_stdout)]
async fn run(run: Run) -> Vec<String> {
    // Commits last: only the processes die, not the system, so nothing need reach the disk.
    let settings = ["synchronous_commit=on", "full_page_writes=on"];
    let mut cluster = Cluster::start_with(&settings).unwrap();
    let direct = cluster.connection_string().expose().to_owned();
    let client_of_own = Database::connect(&direct).await;
    let table = "CREATE TABLE t (id bigint)";
    client_of_own.batch_execute(table).await.unwrap();
    let proxy = Proxy::start(cluster.port()).await;
    let dsn = proxy.dsn(&direct);
    let deadline = run.deadline_ms;
    let host = Arc::new(Host::start(&format!(
        "[limits]\ndeadline_ms = {deadline}\n"
    )));
    let mut breaks = [Break::Cut, Break::Reset].repeat(20);
    breaks.extend([Break::Stall, Break::BlackHole]);
    proxy.random(Some(Random::new(run.seed, run.messages, &breaks)));

    let ids = Arc::new(AtomicI64::new(0));
    let committed = watch::Sender::new(0);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (host, dsn, ids) = (host.clone(), dsn.clone(), ids.clone());
        clients.spawn(client(host, dsn, ids, committed.clone(), run.inserts));
    }
    for number in 1..=run.kills {
        let due = run.inserts * number / (run.kills + 1);
        let mut committed = committed.subscribe();
        committed.wait_for(|count| *count >= due).await.unwrap();
        cluster = tokio::task::spawn_blocking(move || {
            cluster.kill().unwrap();
            cluster.restart().unwrap();
            cluster
        })
        .await
        .unwrap();
    }
    let entries: Vec<Entry> = clients.join_all().await.into_iter().flatten().collect();
    proxy.random(None);
    proxy.cut_all();
    let database = Database::connect(&direct).await;
    host.recovers(&dsn, &database).await;
    let stored = database
        .query("SELECT id, count(*) FROM t GROUP BY id", &[])
        .await
        .unwrap();
    let stored: HashMap<i64, i64> = stored.iter().map(|row| (row.get(0), row.get(1))).collect();

    let of = |outcome| {
        entries
            .iter()
            .filter(move |entry| entry.outcome == outcome)
            .count()
    };
    let unknown = of(Outcome::Unknown);
    println!(
        "{} committed, {} aborted, {unknown} unknown ({:.3} %); {} breaks, {} connections, {} kills; seed {}",
        of(Outcome::Committed),
        of(Outcome::Aborted),
        unknown as f64 * 100.0 / entries.len() as f64,
        proxy.fired(),
        proxy.accepted(),
        run.kills,
        run.seed,
    );
    assert!(
        proxy.fired() * 100 >= run.inserts,
        "{} breaks",
        proxy.fired()
    );
    assert!(of(Outcome::Committed) >= run.inserts);
    let wrong = |entry: &Entry| {
        let stored = stored.get(&entry.id).copied().unwrap_or_default();
        let right = match entry.outcome {
            Outcome::Committed => stored == entry.rows,
            Outcome::Aborted => stored == 0,
            Outcome::Unknown => stored == 0 || stored == entry.rows,
        };
        let Entry {
            id,
            rows,
            outcome,
            said,
        } = entry;
        (!right).then(|| format!("{id}: {outcome:?}, {stored} of {rows} stored: {said}"))
    };
    entries.iter().filter_map(wrong).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_balances() {
    let wrong = run(Run {
        inserts: 1_500,
        messages: 100,
        kills: 2,
        seed: 1,
        deadline_ms: 3_000,
    })
    .await;
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// `LEDGER_SEED` gives other breaks.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn a_long_ledger_balances() {
    let seed = std::env::var("LEDGER_SEED").map_or(1, |seed| seed.parse().unwrap());
    let wrong = run(Run {
        inserts: 200_000,
        messages: 400,
        kills: 20,
        seed,
        deadline_ms: 5_000,
    })
    .await;
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
