//! How connections are shared out, and what becomes of them when a call ends early.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock::fault::Kind;
use airlock::{Fault, Limits, Parameters, Runtime, TransactionStatus};
use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{JoinSet, yield_now};
use tokio_postgres::Client;

/// Runs DoSQL and gives the body.
async fn dosql(
    runtime: &Runtime,
    dsn: &str,
    sql: &str,
    deadline: Option<Duration>,
) -> Result<Value, Fault> {
    let call =
        json!({"database_connection_str": dsn, "schema": {"sql": sql, "fetch_results": true}});
    run(runtime, "DoSQL", call, deadline).await
}

async fn run(
    runtime: &Runtime,
    command: &str,
    call: Value,
    deadline: Option<Duration>,
) -> Result<Value, Fault> {
    let mut command = runtime.command("postgres_v2", command)?;
    if let Some(deadline) = deadline {
        command = command.within(deadline);
    }
    let parameters = Parameters::from(call.as_object().unwrap().clone());
    let reply = runtime.run(&command, parameters).await?;
    let body = reply.body.collect().await?;
    Ok(serde_json::from_slice(&body).unwrap())
}

/// Asks again and again until the count is as expected; the test's own time limit is the end.
async fn until(database: &Database, sql: &str, expected: i64) {
    while database.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) != expected {
        yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_too_many_waiting_is_turned_away() {
    let database = Database::fresh().await;
    let limits = Limits {
        pool_connections: 2,
        pool_waiting: 3,
        ..Limits::default()
    };
    let runtime = Arc::new(Runtime::new(limits).unwrap());
    database
        .batch_execute("SELECT pg_advisory_lock(1)")
        .await
        .unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..5 {
        let (runtime, dsn) = (runtime.clone(), database.dsn.clone());
        calls.spawn(async move {
            let sql = "SELECT pg_advisory_lock(1), pg_advisory_unlock(1)";
            loop {
                match dosql(&runtime, &dsn, sql, None).await {
                    // The call below was faster.
                    Err(fault) if fault.kind == Kind::Overload => yield_now().await,
                    ended => break ended.unwrap(),
                }
            }
        });
    }
    // Whoever comes is turned away once all the others wait; until then there may be room.
    let fault = loop {
        let brief = Some(Duration::from_millis(50));
        match dosql(&runtime, &database.dsn, "SELECT 1", brief).await {
            Err(fault) if fault.kind == Kind::Overload => break fault,
            Ok(_) | Err(_) => yield_now().await,
        }
    };
    assert_eq!(fault.kind, Kind::Overload);
    assert_eq!(fault.code, "TooManyConnections");
    assert!(fault.message.contains("3 calls wait"), "{fault}");
    database
        .batch_execute("SELECT pg_advisory_unlock(1)")
        .await
        .unwrap();
    assert_eq!(calls.join_all().await.len(), 5);
    dosql(&runtime, &database.dsn, "SELECT 1", None)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_database_is_not_stormed() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = accepted.clone();
    tokio::spawn(async move {
        // Accepts and hangs up at once.
        while let Ok((socket, _)) = free.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(socket);
        }
    });
    let limits = Limits {
        breaker_failures: 3,
        breaker_ms: 600_000,
        ..Limits::default()
    };
    let runtime = Runtime::new(limits).unwrap();
    let dsn = format!(
        "host=127.0.0.1 port={} user=u dbname=d sslmode=disable",
        address.port()
    );
    for number in 0..100 {
        let fault = dosql(&runtime, &dsn, "SELECT 1", None).await.unwrap_err();
        assert_eq!(fault.code, "OperationalError");
        assert_eq!(
            fault.message.contains("the last 3 attempts failed"),
            number >= 3,
            "{fault}"
        );
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_back_is_found_again() {
    let database = Database::fresh().await;
    let limits = Limits {
        breaker_failures: 1,
        breaker_ms: 20,
        ..Limits::default()
    };
    let runtime = Runtime::new(limits).unwrap();
    let rename = |from: &str, to: &str| format!("ALTER DATABASE {from} RENAME TO {to}");
    let name: String = database
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    let other = Database::fresh().await;
    let later = format!("{name}_later");
    let dsn = database.dsn.replace(&name, &later);
    let fault = dosql(&runtime, &dsn, "SELECT 1", None).await.unwrap_err();
    assert!(fault.message.contains("does not exist"), "{fault}");
    drop(database);
    while other.batch_execute(&rename(&name, &later)).await.is_err() {
        yield_now().await;
    }
    while let Err(fault) = dosql(&runtime, &dsn, "SELECT 1", None).await {
        assert_eq!(fault.code, "OperationalError");
        yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_can_ask_for_less_time() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (a int)")
        .await
        .unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let call = json!({"database_connection_str": database.dsn, "schema": {
        // What the caller sets does not hold the deadline off.
        "sql": "SET statement_timeout = 0; INSERT INTO t VALUES (1); SELECT pg_sleep(600)",
    }});
    let post = |deadline: &str| {
        server
            .http
            .post(format!("{}/v1/do/postgres_v2/DoSQL", server.base))
            .header("x-airlock-deadline-ms", deadline)
            .json(&call)
            .send()
    };
    let response = post("300").await.unwrap();
    assert_eq!(response.headers()["x-airlock-outcome"], "aborted");
    let reply: Value = response.json().await.unwrap();
    assert_eq!(reply["error"]["error_code"], "QueryCanceled", "{reply}");
    assert_eq!(reply["error"]["outcome"], "aborted", "{reply}");
    assert!(reply.to_string().contains("deadline of 300 ms"), "{reply}");
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'";
    until(&database, busy, 0).await;
    until(&database, "SELECT count(*) FROM t", 0).await;
    for wrong in ["0", "-1", "soon", ""] {
        assert_eq!(post(wrong).await.unwrap().status(), 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_told() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (a int PRIMARY KEY)")
        .await
        .unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let insert = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["a"], "values": [[1]]}});
    let select = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["a"]}});
    for (command, call, header, outcome) in [
        ("InsertValuesV2", &insert, Some("committed"), Value::Null),
        ("InsertValuesV2", &insert, Some("aborted"), json!("aborted")),
        ("SelectValuesV2", &select, None, Value::Null),
    ] {
        let url = format!("{}/v1/do/postgres_v2/{command}", server.base);
        let response = server.http.post(url).json(call).send().await.unwrap();
        let told = response.headers().get("x-airlock-outcome").cloned();
        assert_eq!(told.as_ref().and_then(|told| told.to_str().ok()), header);
        let reply: Value = response.json().await.unwrap();
        assert_eq!(reply["error"]["outcome"], outcome, "{reply}");
    }
}

/// Begins a call, waits until the server works on it, and leaves.
async fn leave_while_running(runtime: &Arc<Runtime>, dsn: &str, watcher: &Client) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mark = NEXT.fetch_add(1, Ordering::SeqCst);
    let sql = format!("SELECT {mark} AS marked FROM pg_sleep(600)");
    let call = tokio::spawn({
        let (runtime, dsn, sql) = (runtime.clone(), dsn.to_owned(), sql.clone());
        async move { dosql(&runtime, &dsn, &sql, None).await }
    });
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND wait_event = 'PgSleep'";
    while watcher
        .query_one(running, &[&sql])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 0
    {
        assert!(!call.is_finished());
        yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
}

/// Calls that end early, and others that must not notice: no statement of theirs is cancelled, and the
/// server never has more processes for us than there are slots.
async fn cancels(rounds: usize, per_round: usize) {
    const CONNECTIONS: usize = 8;
    const CALLERS: usize = 4;
    let database = Database::fresh().await;
    let limits = Limits {
        pool_connections: CONNECTIONS,
        ..Limits::default()
    };
    let runtime = Arc::new(Runtime::new(limits).unwrap());
    let done = Arc::new(AtomicBool::new(false));
    let mut neighbours = JoinSet::new();
    for _ in 0..CALLERS {
        let (runtime, dsn, done) = (runtime.clone(), database.dsn.clone(), done.clone());
        neighbours.spawn(async move {
            let mut calls = 0_u64;
            while !done.load(Ordering::SeqCst) {
                // Long enough for a cancel request that is late to hit it.
                let sql = "SELECT 42 FROM pg_sleep(0.002)";
                let call = json!({"database_connection_str": dsn, "schema": {"sql": sql, "fetch_results": true}});
                let body = run(&runtime, "DoSQL", call, None).await.unwrap();
                assert_eq!(body, json!([[42]]));
                calls += 1;
            }
            calls
        });
    }
    let watcher = Database::connect(&database.dsn).await;
    let seen = tokio::spawn({
        let done = done.clone();
        async move {
            let mut most = 0;
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'airlock'";
            while !done.load(Ordering::SeqCst) {
                most = most.max(watcher.query_one(sql, &[]).await.unwrap().get::<_, i64>(0));
            }
            most
        }
    });
    for round in 0..rounds {
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (runtime, dsn) = (runtime.clone(), database.dsn.clone());
            callers.spawn(async move {
                let watcher = Database::connect(&dsn).await;
                for number in 0..per_round / CALLERS {
                    leave_while_running(&runtime, &dsn, &watcher).await;
                    // Dropped at a moment that differs from call to call: before, while and after it runs.
                    let moment = round * 131 + caller * 37 + number * 977;
                    let after = Duration::from_micros((moment % 6000) as u64);
                    let call = dosql(&runtime, &dsn, "SELECT 1 FROM pg_sleep(0.003)", None);
                    if let Ok(ended) = tokio::time::timeout(after, call).await {
                        assert_eq!(ended.unwrap(), json!([[1]]));
                    }
                }
            });
        }
        callers.join_all().await;
    }
    done.store(true, Ordering::SeqCst);
    let calls: u64 = neighbours.join_all().await.iter().sum();
    let most = seen.await.unwrap();
    assert!(calls > 0 && most > 0);
    assert!(most <= CONNECTIONS as i64, "{most} server processes");
    runtime.settle().await;
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'airlock' AND state <> 'idle'";
    until(&database, left, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_hit_nobody_else() {
    cancels(2, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: 100 cancels in each of 100 rounds"]
async fn ten_thousand_cancels_hit_nobody_else() {
    cancels(100, 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_used_longest_ago_is_closed() {
    let database = Database::fresh().await;
    let limits = Limits {
        pools: 2,
        ..Limits::default()
    };
    let runtime = Runtime::new(limits).unwrap();
    let mut seen = BTreeSet::new();
    for name in ["a", "b", "c"] {
        let dsn = format!("{} application_name=pool_{name}", database.dsn);
        dosql(&runtime, &dsn, "SELECT 1", None).await.unwrap();
        runtime.settle().await;
        let sql = "SELECT application_name::text FROM pg_stat_activity WHERE application_name LIKE 'pool\\__'";
        seen = database
            .query(sql, &[])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get::<_, String>(0))
            .collect();
    }
    assert_eq!(
        seen,
        BTreeSet::from(["pool_b".to_owned(), "pool_c".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_not_used_after_a_long_rest() {
    let database = Database::fresh().await;
    let limits = Limits {
        pool_idle_ms: 0,
        ..Limits::default()
    };
    let runtime = Runtime::new(limits).unwrap();
    let mut pids = BTreeSet::new();
    for _ in 0..3 {
        let body = dosql(&runtime, &database.dsn, "SELECT pg_backend_pid()", None)
            .await
            .unwrap();
        pids.insert(body.to_string());
        runtime.settle().await;
    }
    assert_eq!(pids.len(), 3);
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'airlock' AND datname = current_database()";
    until(&database, left, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_stored_for_a_caller_that_left_before_commit() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (a int)")
        .await
        .unwrap();
    let runtime = Arc::new(Runtime::new(Limits::default()).unwrap());
    let sql = "INSERT INTO t VALUES (1); SELECT pg_sleep(600)";
    let call = tokio::spawn({
        let (runtime, dsn) = (runtime.clone(), database.dsn.clone());
        async move { dosql(&runtime, &dsn, sql, None).await }
    });
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    until(&database, sleeping, 1).await;
    call.abort();
    // All of it is over when this is.
    while !call.is_finished() {
        yield_now().await;
    }
    runtime.settle().await;
    until(&database, sleeping, 0).await;
    until(&database, "SELECT count(*) FROM t", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_committed_goes_on_without_the_caller() {
    let database = Database::fresh().await;
    // COMMIT waits here.
    database
        .batch_execute(
            "CREATE TABLE t (a int);
             CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
             $$BEGIN PERFORM pg_advisory_xact_lock(5); RETURN NULL; END$$;
             CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION hold();
             SELECT pg_advisory_lock(5)",
        )
        .await
        .unwrap();
    let runtime = Arc::new(Runtime::new(Limits::default()).unwrap());
    let insert = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["a"], "values": [[1]]}});
    let call = tokio::spawn({
        let (runtime, insert) = (runtime.clone(), insert.clone());
        async move { run(&runtime, "InsertValuesV2", insert, None).await }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND query = 'COMMIT' AND datname = current_database()";
    until(&database, waiting, 1).await;
    call.abort();
    while !call.is_finished() {
        yield_now().await;
    }
    database
        .batch_execute("SELECT pg_advisory_unlock(5)")
        .await
        .unwrap();
    until(&database, "SELECT count(*) FROM t", 1).await;

    // At the deadline it is cancelled, and the answer says so.
    database
        .batch_execute("SELECT pg_advisory_lock(5)")
        .await
        .unwrap();
    let limits = Limits {
        deadline_ms: 500,
        ..Limits::default()
    };
    let brief = Runtime::new(limits).unwrap();
    let fault = run(&brief, "InsertValuesV2", insert, None)
        .await
        .unwrap_err();
    assert_eq!(fault.code, "QueryCanceled", "{fault}");
    assert_eq!(fault.status, Some(TransactionStatus::Aborted));
    brief.settle().await;
    until(&database, "SELECT count(*) FROM t", 1).await;
}
