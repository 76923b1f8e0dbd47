//! Every way to break a connection, at every phase of the protocol before the end of a call.

use crate::answer::{Answer, Outcome};
use crate::commits::{ALONE, COMMITS};
use crate::world::{Host, ONE_CONNECTION, count, with_table};
use airlock_tests::Database;
use airlock_tests::proxy::{At, Break, Flow, Place, Proxy, Rule, STARTUP};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Ids of one cell.
pub(crate) const IDS: i64 = 100;

const SMALL: &str = "SELECT n FROM generate_series(1, 1000) n";
const LARGE: &str = "SELECT n FROM generate_series(1, 50000) n";

/// What a cell does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// One row, which the statement commits by itself.
    Insert,
    /// Two rows in a transaction.
    Rows,
    /// Rows enough for COPY in a transaction.
    Bulk,
    /// Rows that come back.
    Select,
    /// Rows enough that they are on their way to the caller before all are there.
    Stream,
}

impl Work {
    pub(crate) async fn run(self, host: &Host, dsn: &str, first: i64) -> Answer {
        match self {
            Work::Insert => host.insert(dsn, [first]).await,
            Work::Rows => host.insert(dsn, [first, first + 1]).await,
            Work::Bulk => host.insert(dsn, first..first + 40).await,
            Work::Select => host.sql(dsn, SMALL).await,
            Work::Stream => host.sql(dsn, LARGE).await,
        }
    }

    /// Rows that it stores.
    pub(crate) fn rows(self) -> i64 {
        match self {
            Work::Insert => 1,
            Work::Rows => 2,
            Work::Bulk => 40,
            Work::Select | Work::Stream => 0,
        }
    }
}

/// A phase: where in which work.
pub(crate) type Phase = (Work, Flow, At);

use Flow::{ToHost, ToServer};
use Work::{Bulk, Insert, Rows, Select, Stream};

/// Phases in which the connection is not there yet.
const CONNECTING: [Phase; 7] = [
    (Insert, ToServer, At::Kind(STARTUP, 0)),
    // SASL: mechanisms, challenge, proof.
    (Insert, ToHost, At::Kind(b'R', 0)),
    (Insert, ToServer, At::Kind(b'p', 0)),
    (Insert, ToHost, At::Kind(b'R', 1)),
    (Insert, ToServer, At::Kind(b'p', 1)),
    (Insert, ToHost, At::Kind(b'K', 0)),
    // What the host asks first.
    (Insert, ToServer, At::Kind(b'Q', 0)),
];

/// Phases from which nothing is stored whatever becomes of the connection.
pub(crate) const WORKING: [Phase; 13] = [
    (Insert, ToServer, At::Kind(b'P', 0)),
    (Insert, ToHost, At::Kind(b'1', 0)),
    (Insert, ToServer, At::Kind(b'B', 0)),
    (Rows, ToServer, At::Text(b'Q', "BEGIN")),
    (Rows, ToServer, At::Kind(b'B', 0)),
    (Rows, ToHost, At::Text(b'C', "INSERT")),
    (Bulk, ToHost, At::Kind(b'G', 0)),
    (Bulk, ToServer, At::Kind(b'd', 0)),
    (Bulk, ToServer, At::Kind(b'c', 0)),
    (Select, ToServer, At::Kind(b'P', 0)),
    (Select, ToHost, At::Kind(b'T', 0)),
    (Select, ToHost, At::Kind(b'D', 500)),
    (Stream, ToHost, At::Kind(b'D', 49_000)),
];

/// Runs the work of a phase over a connection of its own that breaks there.
pub(crate) async fn broken(
    host: &Host,
    database: &Database,
    first: i64,
    (work, flow, at): Phase,
    place: Place,
    what: Break,
) -> (Answer, i64) {
    let proxy = Proxy::start(database.cluster().port()).await;
    let dsn = proxy.dsn(&database.dsn);
    proxy.next(vec![Rule {
        flow,
        at,
        place,
        what,
    }]);
    let answer = work.run(host, &dsn, first).await;
    assert_eq!(
        proxy.fired(),
        1,
        "it never came to {at:?}: {}",
        answer.reply
    );
    // The server does not learn by itself that the other end is gone.
    proxy.cut_all();
    host.recovers(&dsn, database).await;
    let last = first + IDS;
    let stored = format!("SELECT count(*) FROM t WHERE id >= {first} AND id < {last}");
    (answer, count(database, &stored).await)
}

/// Breaks all phases in all of these ways, and hands each answer, and the rows stored, to `check`.
pub(crate) async fn break_all(
    config: &str,
    phases: &[Phase],
    breaks: &[Break],
    check: fn(Work, Break, &Answer, i64) -> Result<(), String>,
) {
    let database = Arc::new(with_table().await);
    let host = Arc::new(Host::start(config));
    let mut cells = JoinSet::new();
    let mut first = 0;
    for &phase in phases {
        for &what in breaks {
            for place in [Place::Before, Place::After] {
                first += IDS;
                let (host, database) = (host.clone(), database.clone());
                cells.spawn(async move {
                    let (answer, stored) =
                        broken(&host, &database, first, phase, place, what).await;
                    check(phase.0, what, &answer, stored).map_err(|wrong| {
                        let reply = &answer.reply;
                        format!("{what:?} {place:?} {phase:?}: {wrong}, {stored} stored: {reply}")
                    })
                });
            }
        }
    }
    let checked = cells.join_all().await;
    let (_, password) = database.dsn.split_once("password=").unwrap();
    let password = password.split(' ').next().unwrap();
    assert!(!host.server.log().contains(password));
    let wrong: Vec<_> = checked.into_iter().filter_map(Result::err).collect();
    assert!(
        wrong.is_empty(),
        "{}\n{}",
        wrong.join("\n"),
        host.server.log()
    );
}

/// Whether all or nothing is stored, as the answer says.
fn truthful(work: Work, _: Break, answer: &Answer, stored: i64) -> Result<(), String> {
    match (answer.outcome(), stored) {
        (Outcome::Committed, stored) if stored == work.rows() => Ok(()),
        (Outcome::Aborted, 0) => Ok(()),
        _ => Err("that is not so".into()),
    }
}

fn aborted(work: Work, what: Break, answer: &Answer, stored: i64) -> Result<(), String> {
    if answer.outcome() != Outcome::Aborted || answer.status != 200 {
        return Err("it is not aborted".into());
    }
    truthful(work, what, answer, stored)
}

fn committed(work: Work, what: Break, answer: &Answer, stored: i64) -> Result<(), String> {
    if answer.outcome() != Outcome::Committed {
        return Err("it failed".into());
    }
    truthful(work, what, answer, stored)
}

pub(crate) const HASTY: &str =
    "[limits]\npool_connections = 1\npools = 1000\ndeadline_ms = 6000\nconnect_ms = 4000\n";

/// Nothing of the plan was sent, so the connect may have been tried again.
#[tokio::test(flavor = "multi_thread")]
async fn connects_that_break_store_nothing_or_go_well() {
    break_all(
        ONE_CONNECTION,
        &CONNECTING,
        &[Break::Cut, Break::Reset],
        truthful,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connects_that_hang_end_in_time() {
    break_all(
        HASTY,
        &CONNECTING,
        &[Break::Stall, Break::BlackHole],
        truthful,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_break_before_their_end_store_nothing() {
    break_all(
        ONE_CONNECTION,
        &WORKING,
        &[Break::Cut, Break::Reset],
        aborted,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_hang_before_their_end_store_nothing() {
    break_all(HASTY, &WORKING, &[Break::Stall, Break::BlackHole], aborted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_may_come_one_by_one_and_late() {
    let breaks = [Break::Slice, Break::Delay(Duration::from_millis(1))];
    let phases = [&CONNECTING[..], &WORKING, &COMMITS, &ALONE].concat();
    break_all(ONE_CONNECTION, &phases, &breaks, committed).await;
}

/// Servers that are not there, or say nothing, take a call no longer than they may.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers() {
    use airlock_tests::proxy::Gate;
    let database = with_table().await;
    let host = Host::start(HASTY);
    let proxy = Proxy::start(database.cluster().port()).await;
    let dsn = proxy.dsn(&database.dsn);
    for gate in [Gate::Refusing, Gate::Silent] {
        proxy.cut_all();
        proxy.until_open(0).await;
        proxy.gate(gate).await;
        host.insert(&dsn, [1]).await.refused("OperationalError");
        proxy.gate(Gate::Open).await;
        host.recovers(&dsn, &database).await;
    }
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, 0);
}
