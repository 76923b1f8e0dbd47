//! Logging in by a certificate: for the operator's databases, never for the strings of callers.

use crate::world::{Authority, Host, admit, certify, reload};
use airlock::postgres::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn only_named_databases_log_in_by_certificate() {
    let cluster = Cluster::start().unwrap();
    let (ours, clients) = (Authority::new("ours"), Authority::new("clients"));
    let (certificate, key) = ours.server(&["localhost"], 2999);
    certify(&cluster, &certificate, &key).await;
    reload(
        &cluster,
        &["CREATE ROLE certified LOGIN", "CREATE ROLE other LOGIN"],
    )
    .await;
    let lines = "hostssl all certified,other all cert";
    admit(&cluster, &clients, lines).await;
    let dsn = format!(
        "host=localhost port={} dbname=postgres sslmode=verify-full",
        cluster.port()
    );
    let (client, client_key) = clients.client("certified");
    let (stranger, stranger_key) = ours.client("certified");
    let table = |name: &str, file: &str, certificate: &str| {
        format!(
            "[databases.{name}]\nconnection_string_file = \"{file}\"\nca_file = \"ca.pem\"\n\
             client_certificate_file = \"{certificate}.pem\"\nclient_key_file = \"{certificate}.key\"\n"
        )
    };
    let config = [
        table("orders", "certified.dsn", "client"),
        table("others", "other.dsn", "client"),
        table("strange", "certified.dsn", "stranger"),
        "[databases.bare]\nconnection_string_file = \"certified.dsn\"\nca_file = \"ca.pem\"\n"
            .into(),
        "[databases.untrusting]\nconnection_string_file = \"certified.dsn\"\n".into(),
    ];
    let certified = format!("{dsn} user=certified");
    let host = Host::start(
        &config.concat(),
        &[
            ("ca.pem", &ours.pem),
            ("certified.dsn", &certified),
            ("other.dsn", &format!("{dsn} user=other")),
            ("client.pem", &client),
            ("client.key", &client_key),
            ("stranger.pem", &stranger),
            ("stranger.key", &stranger_key),
        ],
    );
    // The server reads its new settings in its own time.
    let user = "SELECT current_user::text";
    host.until_there("orders").await;
    assert_eq!(host.ask("orders", user).await, Ok("certified".into()));
    // The connection of the operator is there to be used, and nobody else is given it: not for the very
    // same string, not under other certificates.
    let raw = host.ask(&certified, user).await.unwrap_err();
    assert!(raw.contains("UnknownIssuer"), "{raw}");
    let raw = certified.replace("verify-full", "require");
    let raw = host.ask(&raw, user).await.unwrap_err();
    assert!(raw.contains("valid client certificate"), "{raw}");
    for name in ["others", "strange", "bare", "untrusting"] {
        let outcome = host.ask(name, user).await.unwrap_err();
        assert!(
            outcome.contains("cannot connect to the database"),
            "{outcome}"
        );
    }
    for reason in [
        "certificate authentication failed for user",
        "connection requires a valid client certificate",
        "UnknownIssuer",
    ] {
        host.until_logged(reason).await;
    }
    assert_eq!(host.ask("orders", user).await, Ok("certified".into()));
    let log = host.log();
    let key_text = client_key.lines().nth(1).unwrap();
    assert!(!log.contains(key_text) && !log.contains("PRIVATE KEY"));
}
