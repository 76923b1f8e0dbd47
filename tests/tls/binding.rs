//! SCRAM bound to the channel, so that whoever stands in between cannot pass the login on.

use crate::world::{Authority, Host, admit, certify, reload};
use airlock::postgres::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn channel_binding_is_made_where_it_is_asked_for() {
    let cluster = Cluster::start().unwrap();
    let ours = Authority::new("ours");
    let (certificate, key) = ours.server(&["localhost"], 2999);
    certify(&cluster, &certificate, &key).await;
    let roles = [
        "SET password_encryption = 'scram-sha-256'; CREATE ROLE scram LOGIN PASSWORD 'p'; \
         CREATE ROLE clear LOGIN PASSWORD 'p'; CREATE ROLE trusted LOGIN PASSWORD 'p'",
        "SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD 'p'",
    ];
    reload(&cluster, &roles).await;
    let lines = "host all scram all scram-sha-256\nhost all clear all password\n\
                 host all hashed all md5\nhost all trusted all trust";
    admit(&cluster, &ours, lines).await;
    let host = Host::start("", &[]);
    let at = format!(
        "host=localhost port={} dbname=postgres password=p",
        cluster.port()
    );
    let trusted = format!("{at} user=trusted sslmode=require password=wrong");
    host.until(&trusted, Result::is_ok).await;
    let required = "channel binding is required, but server did not offer an authentication method \
                    that supports channel binding";
    for (user, mode, binding, refusal) in [
        ("scram", "require", "require", None),
        ("scram", "require", "prefer", None),
        ("scram", "require", "disable", None),
        ("scram", "prefer", "require", None),
        ("scram", "disable", "prefer", None),
        ("scram", "disable", "disable", None),
        // Nothing to bind to, or nobody who binds.
        ("scram", "disable", "require", Some(required)),
        ("clear", "require", "require", Some(required)),
        ("hashed", "require", "require", Some(required)),
        ("trusted", "require", "require", Some(required)),
        ("clear", "require", "prefer", None),
        ("hashed", "require", "prefer", None),
        ("trusted", "require", "disable", None),
    ] {
        let dsn = format!("{at} user={user} sslmode={mode} channel_binding={binding}");
        let outcome = host.ask(&dsn, "SELECT current_user::text").await;
        match refusal {
            None => assert_eq!(outcome, Ok(user.into()), "{dsn}"),
            Some(refusal) => assert!(
                outcome.as_ref().is_err_and(|told| told.contains(refusal)),
                "{dsn}: {outcome:?}"
            ),
        }
    }
}
