//! What each mode makes of each certificate.

use crate::world::{Authority, Host, certify};
use airlock::postgres::Cluster;

const ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn modes_check_what_they_say() {
    let cluster = Cluster::start().unwrap();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let host = Host::start(
        "[network]\nca_file = \"ca.pem\"\n",
        &[("ca.pem", &ours.pem)],
    );
    let strict = Host::start(
        "[network]\nca_file = \"ca.pem\"\nleast_sslmode = \"verify-full\"\n",
        &[("ca.pem", &ours.pem)],
    );
    let dsn = format!("{} host=localhost", cluster.connection_string().expose());
    let name = "not valid for name";
    let (expired, unknown) = ("Expired", "UnknownIssuer");
    let names = ["localhost", "127.0.0.1"];
    let certificates = [
        (ours.server(&names, 2999), None, None),
        (ours.server(&names, 2001), Some(expired), Some(expired)),
        (ours.server(&["other.example"], 2999), None, Some(name)),
        (theirs.server(&names, 2999), Some(unknown), Some(unknown)),
    ];
    for (at, (certificate, by_authority, by_name)) in certificates.into_iter().enumerate() {
        certify(&cluster, &certificate.0, &certificate.1).await;
        let fits = |outcome: &Result<serde_json::Value, String>, expected: Option<&str>| match (
            outcome, expected,
        ) {
            (Ok(_), None) => true,
            (Err(message), Some(part)) => message.to_lowercase().contains(&part.to_lowercase()),
            _ => false,
        };
        let full = format!("{dsn} sslmode=verify-full");
        host.until(&full, |outcome| fits(outcome, by_name)).await;
        for (mode, expected) in [
            ("disable", None),
            ("allow", None),
            ("prefer", None),
            ("require", None),
            ("verify-ca", by_authority),
            ("verify-full", by_name),
        ] {
            // A string of its own, so that no connection is one to the certificate before.
            let dsn = format!("{dsn} sslmode={mode} application_name={mode}-{at}");
            let outcome = host.ask(&dsn, ENCRYPTED).await;
            assert!(
                fits(&outcome, expected),
                "{mode}, {expected:?}: {outcome:?}"
            );
            if let Ok(encrypted) = outcome {
                assert_eq!(encrypted, mode != "disable" && mode != "allow", "{mode}");
            }
            // Where the operator demands more, a caller gets no less, and more where nothing is said.
            let outcome = strict.ask(&dsn, ENCRYPTED).await;
            match mode {
                "verify-full" => assert!(fits(&outcome, by_name), "{outcome:?}"),
                _ => assert!(outcome.unwrap_err().contains("least_sslmode")),
            }
            let silent = dsn.replace(&format!("sslmode={mode} "), "");
            let outcome = strict.ask(&silent, ENCRYPTED).await;
            assert!(fits(&outcome, by_name), "{outcome:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_is_that_of_the_host_whatever_is_dialled() {
    let cluster = Cluster::start().unwrap();
    let ours = Authority::new("ours");
    let (certificate, key) = ours.server(&["db.example"], 2999);
    certify(&cluster, &certificate, &key).await;
    let host = Host::start(
        "[network]\nca_file = \"ca.pem\"\n",
        &[("ca.pem", &ours.pem)],
    );
    let dsn = cluster.connection_string().expose().to_owned();
    host.until(&format!("{dsn} sslmode=require"), Result::is_ok)
        .await;
    let full = format!("{dsn} sslmode=verify-full hostaddr=127.0.0.1");
    let outcome = host
        .ask(&format!("{full} host=db.example"), ENCRYPTED)
        .await;
    assert_eq!(outcome, Ok(true.into()));
    let outcome = host
        .ask(&format!("{full} host=DB.Example."), ENCRYPTED)
        .await;
    assert_eq!(outcome, Ok(true.into()));
    for name in [
        "host=localhost",
        "host=127.0.0.1",
        "host=''",
        "host=evil.db.example",
    ] {
        let outcome = host.ask(&format!("{full} {name}"), ENCRYPTED).await;
        assert!(
            outcome.unwrap_err().contains("not valid for name"),
            "{name}"
        );
    }
    // The name is checked by the certificate of the host's authorities, also by this word of libpq.
    let system = format!("{dsn} hostaddr=127.0.0.1 sslrootcert=system");
    let outcome = host
        .ask(&format!("{system} host=db.example"), ENCRYPTED)
        .await;
    assert_eq!(outcome, Ok(true.into()));
    let outcome = host
        .ask(&format!("{system} host=localhost"), ENCRYPTED)
        .await;
    assert!(outcome.unwrap_err().contains("not valid for name"));
    // The system knows no such authority.
    let plain = Host::start("", &[]);
    let outcome = plain
        .ask(&format!("{system} host=db.example"), ENCRYPTED)
        .await;
    assert!(outcome.unwrap_err().contains("UnknownIssuer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_those_that_were_asked_for() {
    let cluster = Cluster::start().unwrap();
    let (certificate, key) = Authority::new("ours").server(&["localhost"], 2999);
    certify(&cluster, &certificate, &key).await;
    let host = Host::start("", &[]);
    let dsn = format!("{} sslmode=require", cluster.connection_string().expose());
    host.until(&dsn, Result::is_ok).await;
    let version = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    for (more, expected) in [
        ("ssl_min_protocol_version=TLSv1.3", "TLSv1.3"),
        ("ssl_max_protocol_version=TLSv1.2", "TLSv1.2"),
    ] {
        let outcome = host.ask(&format!("{dsn} {more}"), version).await;
        assert_eq!(outcome, Ok(expected.into()), "{more}");
    }
}
