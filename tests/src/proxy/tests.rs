//! What the proxy does to a connection, and that the same seed breaks alike.

use super::*;
use crate::Database;
use std::time::Instant;
use tokio_postgres::{Client, Error, NoTls};

async fn connect(proxy: &Proxy, database: &Database) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(&proxy.dsn(&database.dsn), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn proxied() -> (Database, Proxy) {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE t (a int)")
        .await
        .unwrap();
    let proxy = Proxy::start(database.cluster().port()).await;
    (database, proxy)
}

fn rule(flow: Flow, at: At, place: Place, what: Break) -> Script {
    vec![Rule {
        flow,
        at,
        place,
        what,
    }]
}

async fn stored(database: &Database) -> i64 {
    let row = database.query_one("SELECT count(*) FROM t", &[]).await;
    row.unwrap().get(0)
}

/// Waits until nobody but the database's own connection is connected.
async fn until_alone(database: &Database) {
    let others = "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while database
        .query_one(others, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        != 0
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_not_broken_is_passed_on() {
    let (database, proxy) = proxied().await;
    let client = connect(&proxy, &database).await.unwrap();
    let long = "SELECT repeat('x', 300000), $1::text";
    let parameter = "y".repeat(200_000);
    let row = client.query_one(long, &[&parameter]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0).len(), 300_000);
    assert_eq!(row.get::<_, &str>(1), parameter);
    proxy.until_open(1).await;
    drop(client);
    proxy.until_open(0).await;
    assert_eq!((proxy.accepted(), proxy.fired()), (1, 0));
}

#[tokio::test]
async fn connections_break_on_either_side_of_a_message() {
    let (database, proxy) = proxied().await;
    let query = At::Text(b'Q', "INSERT");
    let complete = At::Text(b'C', "INSERT");
    let broken = [
        (Flow::ToServer, query, Place::Before, Break::Cut, Some(0)),
        (Flow::ToServer, query, Place::Before, Break::Reset, Some(0)),
        (Flow::ToHost, complete, Place::Before, Break::Reset, Some(1)),
        (Flow::ToHost, complete, Place::After, Break::Cut, Some(1)),
        // The first answer is that to the startup.
        (
            Flow::ToHost,
            At::Kind(b'Z', 1),
            Place::Before,
            Break::Cut,
            Some(1),
        ),
        // The startup, the two messages of the password, then the query.
        (
            Flow::ToServer,
            At::Number(3),
            Place::Before,
            Break::Cut,
            Some(0),
        ),
    ];
    for (at, (flow, message, place, what, expected)) in broken.into_iter().enumerate() {
        proxy.next(rule(flow, message, place, what));
        let client = connect(&proxy, &database).await.unwrap();
        let failed = client.batch_execute("INSERT INTO t VALUES (1)").await;
        assert!(failed.unwrap_err().as_db_error().is_none(), "{at}");
        proxy.until_fired(at + 1).await;
        until_alone(&database).await;
        assert_eq!(Some(stored(&database).await), expected, "{at}");
        database.batch_execute("DELETE FROM t").await.unwrap();
    }
}

#[tokio::test]
async fn connections_break_while_they_are_made() {
    let (database, proxy) = proxied().await;
    for (flow, kind) in [(Flow::ToServer, STARTUP), (Flow::ToHost, b'R')] {
        proxy.next(rule(flow, At::Kind(kind, 0), Place::Before, Break::Reset));
        connect(&proxy, &database).await.unwrap_err();
    }
    proxy.gate(Gate::Refusing).await;
    connect(&proxy, &database).await.unwrap_err();
    proxy.gate(Gate::Silent).await;
    let silent = connect(&proxy, &database);
    let waited = tokio::time::timeout(Duration::from_millis(100), silent).await;
    assert!(waited.is_err(), "it answered");
    proxy.gate(Gate::Open).await;
    connect(&proxy, &database).await.unwrap();
    assert_eq!((proxy.accepted(), proxy.fired()), (4, 2));
}

#[tokio::test]
async fn a_cancel_request_is_a_message_of_its_own() {
    let (database, proxy) = proxied().await;
    let client = connect(&proxy, &database).await.unwrap();
    proxy.each(rule(
        Flow::ToServer,
        At::Kind(CANCEL, 0),
        Place::Before,
        Break::Reset,
    ));
    let token = client.cancel_token();
    let asked = token.cancel_query(NoTls);
    let _ = asked.await;
    proxy.until_fired(1).await;
    proxy.each(Vec::new());
    let sleeping = tokio::spawn(async move { client.batch_execute("SELECT pg_sleep(60)").await });
    while !sleeping.is_finished() {
        token.cancel_query(NoTls).await.unwrap();
        tokio::task::yield_now().await;
    }
    let cancelled = sleeping.await.unwrap().unwrap_err();
    assert_eq!(cancelled.code().unwrap().code(), "57014");
}

/// Something that goes on is still waiting after a while; what it waits for is let go then.
#[tokio::test]
async fn flows_stall_and_messages_vanish() {
    let (database, proxy) = proxied().await;
    for (what, flow, kind, expected) in [
        (Break::Stall, Flow::ToServer, b'Q', 0),
        (Break::Stall, Flow::ToHost, b'C', 1),
        (Break::BlackHole, Flow::ToServer, b'Q', 0),
        (Break::BlackHole, Flow::ToHost, b'C', 1),
    ] {
        let fired = proxy.fired();
        proxy.next(rule(flow, At::Kind(kind, 0), Place::Before, what));
        let client = connect(&proxy, &database).await.unwrap();
        let mut insert = std::pin::pin!(client.batch_execute("INSERT INTO t VALUES (1)"));
        tokio::select! {
            answer = &mut insert => panic!("{what:?}: {answer:?}"),
            () = proxy.until_fired(fired + 1) => {}
        }
        let waited = tokio::time::timeout(Duration::from_millis(50), &mut insert).await;
        assert!(waited.is_err(), "{what:?}: {waited:?}");
        proxy.cut_all();
        insert.await.unwrap_err();
        until_alone(&database).await;
        assert_eq!(stored(&database).await, expected, "{what:?}");
        database.batch_execute("DELETE FROM t").await.unwrap();
    }
}

#[tokio::test]
async fn bytes_come_one_by_one_and_late() {
    let (database, proxy) = proxied().await;
    let sliced = |flow| rule(flow, At::Number(0), Place::Before, Break::Slice);
    let late = Break::Delay(Duration::from_millis(20));
    let late = rule(Flow::ToHost, At::Kind(b'Z', 0), Place::After, late);
    proxy.next([sliced(Flow::ToServer), sliced(Flow::ToHost), late].concat());
    let client = connect(&proxy, &database).await.unwrap();
    let started = Instant::now();
    let row = client
        .query_one("SELECT repeat('x', 1000)", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0).len(), 1_000);
    assert!(
        started.elapsed() > Duration::from_millis(20),
        "it was not late"
    );
    assert_eq!(proxy.fired(), 3);
}

#[test]
fn the_same_seed_breaks_alike() {
    let scripts = |seed| {
        let mut random = Random::new(seed, 100, &[Break::Cut, Break::Reset]);
        let scripts: Vec<Script> = (0..100).map(|_| random.script()).collect();
        scripts
    };
    assert_eq!(scripts(1), scripts(1));
    assert_ne!(scripts(1), scripts(2));
}
