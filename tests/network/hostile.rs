//! Every string of the table ends as its row says, and nothing that is closed is dialled.

use crate::table::{CONFIG, PASSWORD, rows};
use crate::world::{Canary, World};
use airlock_tests::Database;

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_string_ends_as_it_shall() {
    let (world, canary) = (World::start(CONFIG), Canary::listen().await);
    let rows = rows(canary.port);
    assert!(rows.len() > 150, "only {} rows", rows.len());
    let mut complaints = Vec::new();
    for row in &rows {
        let (status, reply) = world.ask(&row.dsn).await;
        let error = &reply["error"];
        let message = error["message"].as_str().unwrap_or_default();
        let expected = if row.code == "PolicyDenied" { 403 } else { 200 };
        let fits = error["error_code"] == row.code && message.contains(row.message);
        if !fits || status != expected || reply.to_string().contains(PASSWORD) {
            complaints.push(format!("{:?}: {status} {reply}", row.dsn));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(canary.dialled(), 0);
    let log = world.server.log();
    assert!(
        !log.contains(PASSWORD) && !log.contains("panicked"),
        "{log}"
    );
    // The listener notices, and the server still serves.
    let dsn = format!(
        "user=u password={PASSWORD} host=127.0.0.1 port={}",
        canary.port
    );
    let (code, message) = world.outcome(&dsn).await;
    assert_eq!(code, "OperationalError");
    assert!(
        message.contains("server closed the connection"),
        "{message}"
    );
    assert!(canary.dialled() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn strings_that_mean_well_connect() {
    let (world, database) = (World::start(CONFIG), Database::fresh().await);
    let dsn = &database.dsn;
    let port = crate::world::setting(dsn, "port");
    let (user, password) = (
        crate::world::setting(dsn, "user"),
        crate::world::setting(dsn, "password"),
    );
    let name = crate::world::setting(dsn, "dbname");
    for dsn in [
        dsn.clone(),
        format!("{dsn} host=localhost"),
        format!("{dsn} host=LOCALHOST."),
        format!("{dsn} host=::ffff:127.0.0.1"),
        format!("{dsn} host=127.0.0.2 host=127.0.0.1"),
        format!("{dsn} host=db.example hostaddr=127.0.0.1"),
        format!("{dsn} host=127.0.0.1,127.0.0.1 port=1,{port}"),
        format!("{dsn} options='-c search_path=public --work-mem=1MB'"),
        format!("{dsn} sslsni=0 keepalives=1 gssencmode=prefer channel_binding=prefer"),
        format!("postgres://{user}:{password}@%6cocalhost:{port}/{name}?connect_timeout=5"),
        format!("postgresql://{user}@/{name}?host=127.0.0.1&port={port}&password={password}"),
    ] {
        let (_, reply) = world.ask(&dsn).await;
        assert_eq!(reply["command_response"]["body"][0][0], 1, "{dsn}: {reply}");
    }
}
