//! What the operator allows, as callers meet it.

use crate::world::{Canary, World, setting, text, without};
use airlock_tests::Database;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener};

/// How long something may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

const CLOSED: &str = "[network]\nallow = [\"db.example\", \"10.0.0.0/8\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_listed_is_dialled_and_names_are_not_looked_up_in_vain() {
    let (world, canary) = (
        World::start("[network]\nallow = [\"db.example\"]\n"),
        Canary::listen().await,
    );
    let login = format!("user=u password=p port={}", canary.port);
    for more in [
        "host=127.0.0.1",
        "host=localhost",
        "host=db.example hostaddr=127.0.0.1",
        "hostaddr=127.0.0.1",
        // Not looked up: the answer would be that there is none.
        "host=nosuchhost.invalid",
    ] {
        let (code, message) = world.outcome(&format!("{login} {more}")).await;
        assert_eq!(code, "PolicyDenied", "{more}: {message}");
        assert!(message.contains("allow does not list it"), "{message}");
    }
    assert_eq!(canary.dialled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_gives_no_address_away() {
    let world = World::start("[network]\ndeny = [\"127.0.0.1\", \"::1\"]\n");
    let canary = Canary::listen().await;
    let dsn = format!("user=u password=p host=localhost port={}", canary.port);
    let expected = format!(
        "[network] does not allow \"localhost\", port {}: it has an address that deny lists",
        canary.port
    );
    // However often: what is denied is not held back as a database is that gives no connection.
    for _ in 0..10 {
        let outcome = world.outcome(&dsn).await;
        assert_eq!(outcome, ("PolicyDenied".to_owned(), expected.clone()));
    }
    assert_eq!(canary.dialled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_policy_holds_at_once_for_connections_that_were_kept() {
    // The one connection that there may be is the one that was kept.
    let one = "[limits]\npool_connections = 1\n";
    let (world, database) = (World::start(one), Database::fresh().await);
    assert_eq!(world.outcome(&database.dsn).await.0, "");
    for (config, code) in [(CLOSED, "PolicyDenied"), ("", "")] {
        world.configure(&format!("{one}{config}"));
        let end = Instant::now() + PATIENCE;
        while world.outcome(&database.dsn).await.0 != code {
            assert!(Instant::now() < end, "{}", world.server.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_with_a_name_are_held_to_it_and_keep_their_secrets() {
    let database = Database::fresh().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dsn");
    std::fs::write(&file, &database.dsn).unwrap();
    let named = format!(
        "[databases.orders]\nconnection_string_file = \"{}\"\n",
        text(&file)
    );
    let world = World::start(&format!("{named}{CLOSED}"));
    let (code, message) = world.outcome("orders").await;
    assert_eq!(code, "PolicyDenied");
    let expected =
        "[network] does not allow the database \"orders\"; the log of the host has the reason";
    assert_eq!(message, expected);
    // The log comes in its own time.
    let end = Instant::now() + PATIENCE;
    while !world.server.log().contains("allow does not list it") {
        assert!(Instant::now() < end, "{}", world.server.log());
        tokio::task::yield_now().await;
    }
    let world = World::start(&format!("{named}[network]\nallow = [\"127.0.0.1\"]\n"));
    assert_eq!(world.outcome("orders").await.0, "");
    // What callers must ask for is not asked of the operator.
    let world = World::start(&format!("{named}[network]\nleast_sslmode = \"require\"\n"));
    assert_eq!(world.outcome("orders").await.0, "");
    let (_, message) = world.outcome(&database.dsn).await;
    assert!(message.contains("SSL was required"), "{message}");
    let (code, message) = world
        .outcome(&format!("{} sslmode=prefer", database.dsn))
        .await;
    assert_eq!(code, "PolicyDenied");
    assert_eq!(
        message,
        "[network] has least_sslmode = \"require\"; the connection string has sslmode=prefer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_work_where_their_directory_is_listed() {
    let database = Database::fresh().await;
    let directory = tempfile::tempdir().unwrap();
    let port = setting(&database.dsn, "port").to_owned();
    let path = directory.path().join(format!(".s.PGSQL.{port}"));
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let address = format!("127.0.0.1:{port}");
            tokio::spawn(async move {
                let mut server = TcpStream::connect(address).await.unwrap();
                let _ = copy_bidirectional(&mut socket, &mut server).await;
            });
        }
    });
    let listed = text(directory.path());
    // A network that nothing is in: sockets are not in one.
    let world = World::start(&format!(
        "[limits]\ndeadline_ms = 2000\n[network]\nallow = []\nunix_sockets = [\"{listed}\"]\n"
    ));
    let login = without(&database.dsn, "host");
    let (_, reply) = world
        .ask(&format!("{login} host={listed} sslmode=require"))
        .await;
    assert_eq!(reply["command_response"]["body"], json!([[1]]), "{reply}");
    for directory in [
        format!("{listed}/x/.."),
        format!("{listed}/../x"),
        "/tmp".into(),
    ] {
        let (code, message) = world.outcome(&format!("{login} host={directory}")).await;
        assert_eq!(code, "PolicyDenied", "{message}");
    }
    assert_eq!(world.outcome(&database.dsn).await.0, "PolicyDenied");
    // A request to cancel goes over the socket, too.
    let sleep = "SELECT pg_sleep(600) /* over a socket */";
    let (_, reply) = world.run(&format!("{login} host={listed}"), sleep).await;
    assert_eq!(reply["error"]["error_code"], "QueryCanceled", "{reply}");
    let active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = $1";
    let end = Instant::now() + PATIENCE;
    while database
        .query_one(active, &[&sleep])
        .await
        .unwrap()
        .get::<_, i64>(0)
        > 0
    {
        assert!(Instant::now() < end, "the statement runs on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_are_not_there_are_told_in_the_words_of_libpq() {
    let directory = tempfile::tempdir().unwrap();
    let listed = text(directory.path());
    let world = World::start(&format!("[network]\nunix_sockets = [\"{listed}\"]\n"));
    let (code, message) = world.outcome(&format!("user=u host={listed}")).await;
    assert_eq!(code, "OperationalError");
    let expected = format!(
        "connection to server on socket \"{listed}/.s.PGSQL.5432\" failed: No such file or directory\n\
         \tIs the server running locally and accepting connections on that socket?"
    );
    assert!(message.contains(&expected), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_are_bounded() {
    let database = Database::fresh().await;
    let localhost = format!("{} host=localhost", database.dsn);
    let world = World::start("[limits]\nlookup_addresses = 0\n");
    let (_, message) = world.outcome(&localhost).await;
    assert!(
        message.contains("more addresses than lookup_addresses"),
        "{message}"
    );
    let world = World::start("[limits]\nlookups = 0\nconnect_ms = 500\n");
    let (_, message) = world.outcome(&localhost).await;
    assert!(message.contains("timeout expired"), "{message}");
    // An address needs no lookup.
    assert_eq!(world.outcome(&database.dsn).await.0, "");
}
