//! How often a call waits for the database, counted on the wire.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Passes messages between the host and a server, and counts how often the host begins to ask while no
/// answer is outstanding: each of those is a round trip.
struct Counter {
    port: u16,
    round_trips: Arc<AtomicUsize>,
}

/// Answers take this long, so that what is sent without waiting for them arrives before them.
const LATENCY: Duration = Duration::from_millis(20);

/// Requests whose answers are outstanding, the oldest first; false for those that nobody waits for.
type Outstanding = Arc<Mutex<VecDeque<bool>>>;

impl Counter {
    async fn start(server: u16) -> Counter {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let round_trips = Arc::new(AtomicUsize::new(0));
        let counted = round_trips.clone();
        tokio::spawn(async move {
            while let Ok((host, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(pass(host, server, counted.clone()));
            }
        });
        Counter { port, round_trips }
    }
}

async fn pass(mut host: TcpStream, mut server: TcpStream, round_trips: Arc<AtomicUsize>) {
    // The message that opens a session has a length and no type.
    let mut length = [0; 4];
    host.read_exact(&mut length).await.unwrap();
    let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
    host.read_exact(&mut startup).await.unwrap();
    server
        .write_all(&[&length[..], &startup].concat())
        .await
        .unwrap();
    let outstanding = Outstanding::default();
    outstanding.lock().unwrap().push_back(true);
    let (from_host, to_host) = host.into_split();
    let (from_server, to_server) = server.into_split();
    let asked = outstanding.clone();
    let mut only_closes = true;
    let up = relay(
        from_host,
        to_server,
        Duration::ZERO,
        move |kind| match kind {
            // A request ends with Sync; Query is one by itself.
            b'S' | b'Q' => {
                let mut outstanding = asked.lock().unwrap();
                let waits = kind == b'Q' || !only_closes;
                if waits && !outstanding.contains(&true) {
                    round_trips.fetch_add(1, Ordering::SeqCst);
                }
                outstanding.push_back(waits);
                only_closes = true;
            }
            // Statements are closed without waiting.
            kind => only_closes &= kind == b'C',
        },
    );
    let down = relay(from_server, to_host, LATENCY, move |kind| {
        // ReadyForQuery; CopyInResponse answers a request whose Sync the server skips.
        if matches!(kind, b'Z' | b'G') {
            outstanding.lock().unwrap().pop_front();
        }
    });
    tokio::join!(up, down);
}

/// Passes on whole reads, after every message in them was seen.
async fn relay(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    latency: Duration,
    mut see: impl FnMut(u8),
) {
    let mut buffer = Vec::new();
    let mut read = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut read).await {
        tokio::time::sleep(latency).await;
        buffer.extend_from_slice(&read[..count]);
        let mut at = 0;
        while let Some(header) = buffer.get(at..at + 5) {
            let length = u32::from_be_bytes(header[1..].try_into().unwrap()) as usize;
            if buffer.len() < at + 1 + length {
                break;
            }
            see(header[0]);
            at += 1 + length;
        }
        buffer.drain(..at);
        if to.write_all(&read[..count]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_wait_no_more_often_than_they_must() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t SELECT n, 'x' FROM generate_series(1, 10) n")
        .await
        .unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let counter = Counter::start(database.cluster().port()).await;
    let dsn = database.dsn.replace(
        &format!("port={}", database.cluster().port()),
        &format!("port={} sslmode=disable", counter.port),
    );
    let table = |name: &str, schema: Value| json!({"database_connection_str": dsn, "table_name": name, "schema": schema});
    let select = table("t", json!({"columns": ["name"], "where": [["id", "=", 5]]}));
    let rows = |count: i64, from: i64| {
        (0..count)
            .map(|at| json!([from + at, "x"]))
            .collect::<Value>()
    };
    let insert = |rows: Value| table("t", json!({"columns": ["id", "name"], "values": rows}));
    let update = table(
        "t",
        json!({"columns": ["name"], "values": ["y"], "where": [["id", "=", 5]]}),
    );
    let returning = table(
        "t",
        json!({"set": {"name": "y"}, "where": [["id", "=", 5]], "returning": ["id"]}),
    );
    let delete = table("t", json!({"where": [["id", "=", 4000]]}));
    let create = table(
        "u",
        json!({"column_definitions": [{"name": "id", "type": "int"}]}),
    );
    let dosql = |sql: &str, fetch: bool| json!({"database_connection_str": dsn, "schema": {"sql": sql, "fetch_results": fetch}});
    // The first call makes the connection.
    server
        .call("postgres_v2/DropTableV2", &table("none", json!({})))
        .await;
    idle(&database).await;
    let mut next = 100;
    // What a call costs once its statement is prepared, and what it costs the first time.
    for (command, call, cold, warm) in [
        ("SelectValuesV2", select.clone(), 2, 1),
        // BEGIN goes along with the rows, and so does the question for the transaction; COMMIT waits for
        // their results.
        ("InsertValuesV2", insert(rows(1, 0)), 3, 2),
        ("InsertValuesV2", insert(rows(20, 0)), 2, 2),
        // Look at the relation; prepare COPY; begin it; send the rows; commit.
        ("InsertValuesV2", insert(rows(500, 0)), 5, 5),
        ("UpdateValuesV2", update, 3, 2),
        ("UpdateValuesV2", returning, 3, 2),
        ("DeleteValuesV2", delete, 3, 2),
        ("CreateTableV2", create, 2, 2),
        ("DropTableV2", table("u", json!({})), 2, 2),
        // The session is reset behind each of these, so nothing stays prepared.
        (
            "DoSQL",
            dosql("UPDATE t SET name = 'z' WHERE id = 6", false),
            3,
            3,
        ),
        (
            "DoSQL",
            dosql("SELECT name FROM t WHERE id = 6", true),
            3,
            3,
        ),
    ] {
        for expected in [cold, warm, warm] {
            let mut call = call.clone();
            // Rows are new each time.
            if let Some(rows) = call
                .pointer_mut("/schema/values")
                .and_then(Value::as_array_mut)
                .filter(|rows| rows[0].is_array())
            {
                for row in rows {
                    row[0] = next.into();
                    next += 1;
                }
            }
            // Reading sets the session's default, writing sets it back: that goes along, too.
            if command == "DoSQL" {
                idle(&database).await;
            }
            counter.round_trips.store(0, Ordering::SeqCst);
            let (_, reply) = server.call(&format!("postgres_v2/{command}"), &call).await;
            let counted = counter.round_trips.load(Ordering::SeqCst);
            assert_eq!(reply["error"], Value::Null, "{command}: {reply}");
            if command == "DoSQL" {
                // The reset runs behind the reply; a call that comes before its end makes a connection.
                assert!(
                    (expected..=expected + 3).contains(&counted),
                    "{command} {call}: {counted} round trips"
                );
            } else {
                assert_eq!(counted, expected, "{command} {call}");
            }
        }
        idle(&database).await;
    }
}

/// The role and the timeouts of a policy go along with BEGIN, and so does the id of the request; in front
/// of a lone statement it goes along with that.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_sets_waits_for_no_answer_of_its_own() {
    let bounds = "role = \"postgres\"\nstatement_timeout_ms = 30000\nlock_timeout_ms = 30000\n\
                  affected_rows = 1000\n";
    for (policy, select) in [(bounds, 2), ("show_requests = \"always\"\n", 1)] {
        count_under(policy, select).await;
    }
}

async fn count_under(policy: &str, of_select: usize) {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (id int PRIMARY KEY, name text)")
        .await
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    std::fs::write(&config, format!("[connectors.postgres_v2]\n{policy}")).unwrap();
    let config = config.to_str().unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &["--config", config], &[]);
    let counter = Counter::start(database.cluster().port()).await;
    let dsn = database.dsn.replace(
        &format!("port={}", database.cluster().port()),
        &format!("port={} sslmode=disable", counter.port),
    );
    let call = |schema: Value| json!({"database_connection_str": dsn, "table_name": "t", "schema": schema});
    let rows = |count: i64, from: i64| {
        let rows = (from..from + count).map(|id| json!([id, "x"]));
        json!({"columns": ["id", "name"], "values": rows.collect::<Value>()})
    };
    let select = json!({"columns": ["name"], "where": [["id", "=", 5]]});
    for (command, schema, expected) in [
        ("SelectValuesV2", select.clone(), None),
        ("SelectValuesV2", select, Some(of_select)),
        ("InsertValuesV2", rows(1, 1), None),
        ("InsertValuesV2", rows(1, 2), Some(2)),
        ("InsertValuesV2", rows(20, 100), Some(2)),
        ("InsertValuesV2", rows(500, 1000), Some(5)),
    ] {
        counter.round_trips.store(0, Ordering::SeqCst);
        let command = format!("postgres_v2/{command}");
        let (_, reply) = server.call(&command, &call(schema)).await;
        let counted = counter.round_trips.load(Ordering::SeqCst);
        assert_eq!(reply["error"], Value::Null, "{command}: {reply}");
        assert_eq!(counted, expected.unwrap_or(counted), "{command}");
    }
}

/// A policy that does without confirmations saves the round trip of COMMIT.
#[tokio::test(flavor = "multi_thread")]
async fn unconfirmed_writes_wait_once() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (id int PRIMARY KEY, name text)")
        .await
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("airlock.toml");
    let policy = "[connectors.postgres_v2]\nunconfirmed_writes = true\n";
    std::fs::write(&config, policy).unwrap();
    let config = config.to_str().unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &["--config", config], &[]);
    let counter = Counter::start(database.cluster().port()).await;
    let dsn = database.dsn.replace(
        &format!("port={}", database.cluster().port()),
        &format!("port={} sslmode=disable", counter.port),
    );
    for id in 0..3 {
        let call = json!({"database_connection_str": dsn, "table_name": "t", "schema": {"columns": ["id"], "values": [[id]]}});
        counter.round_trips.store(0, Ordering::SeqCst);
        let (_, reply) = server.call("postgres_v2/InsertValuesV2", &call).await;
        assert_eq!(reply["error"], Value::Null, "{reply}");
        let counted = counter.round_trips.load(Ordering::SeqCst);
        assert!(id == 0 || counted == 1, "{counted}");
    }
}

/// Waits until no connection of the server is at work.
async fn idle(database: &Database) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'";
    while database.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::task::yield_now().await;
    }
}
