//! TLS to databases: what is checked, and what ends.

use super::{Place, Report};
use airlock::postgres::Cluster;
use airlock_tests::Database;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::time::{Duration, Instant, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How long a server may take to read its new certificate.
const PATIENCE: Duration = Duration::from_secs(60);

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn certificate(&self, name: &str, end: SystemTime) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = end.into();
        (
            params.signed_by(&key, &self.0).unwrap().pem(),
            key.serialize_pem(),
        )
    }
}

/// Has the cluster show this certificate to those who come from now on.
async fn show(cluster: &Cluster, (certificate, key): &(String, String)) {
    let owner = fs::metadata(cluster.data()).unwrap();
    for (name, text) in [("server.crt", certificate), ("server.key", key)] {
        let file = cluster.data().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let postgres = Database::connect(cluster.connection_string().expose()).await;
    postgres
        .batch_execute("ALTER SYSTEM SET ssl = on")
        .await
        .unwrap();
    postgres
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .unwrap();
}

/// Looks until the finding is there: the server reads its files in its own time.
fn until(place: &Place, dsn: &str, holds: impl Fn(&Report) -> bool) -> Report {
    let end = Instant::now() + PATIENCE;
    loop {
        let report = place.look(&[("ORDERS", dsn)]);
        if holds(&report) {
            return report;
        }
        assert!(Instant::now() < end, "{report:#?}");
    }
}

fn has(report: &Report, check: &str, status: &str, says: &str) -> bool {
    report.findings.iter().any(|found| {
        found["check"] == check
            && found["status"] == status
            && found["found"].as_str().unwrap().contains(says)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_servers_are_looked_at() {
    let cluster = Cluster::start().unwrap();
    airlock_tests::secrets::plant_password(cluster.connection_string().expose());
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let place = Place::new(
        "[databases.orders]\nconnection_string_env = \"ORDERS\"\nca_file = \"ca.pem\"\n",
    )
    .with("ca.pem", ours.0.pem());
    let dsn = cluster
        .connection_string()
        .expose()
        .replace("host=127.0.0.1", "host=localhost");
    let full = format!("{dsn} sslmode=verify-full");
    let (tls, ends) = ("databases.orders.tls", "databases.orders.certificate");
    let later = |days: u32| SystemTime::now() + days * DAY;

    show(&cluster, &ours.certificate("localhost", later(400))).await;
    let report = until(&place, &full, |report| {
        has(report, tls, "ok", "name are checked")
    });
    report.expect(ends, "ok", "good until");
    place
        .look(&[("ORDERS", &dsn)])
        .expect(tls, "ok", "no certificate is checked");

    show(&cluster, &ours.certificate("localhost", later(10))).await;
    until(&place, &full, |report| {
        has(report, ends, "warning", "ends on")
    });

    show(
        &cluster,
        &ours.certificate("localhost", SystemTime::now() - 10 * DAY),
    )
    .await;
    until(&place, &full, |report| has(report, tls, "failed", "xpired"));
    let loose = format!("{dsn} sslmode=require");
    place
        .look(&[("ORDERS", &loose)])
        .expect(ends, "failed", "has ended");

    show(&cluster, &ours.certificate("elsewhere.example", later(400))).await;
    until(&place, &full, |report| {
        has(report, tls, "failed", "not valid for name")
    });

    show(&cluster, &theirs.certificate("localhost", later(400))).await;
    until(&place, &full, |report| {
        has(report, tls, "failed", "UnknownIssuer")
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_logins_end_as_well() {
    let database = Database::fresh().await;
    let authority = Authority::new("ours");
    let (certificate, key) = authority.certificate("login", SystemTime::now() + 10 * DAY);
    let config = "[databases.orders]\nconnection_string_env = \"ORDERS\"\n\
                  client_certificate_file = \"login.crt\"\nclient_key_file = \"login.key\"\n";
    let place = Place::new(config)
        .with("login.crt", certificate)
        .with("login.key", key);
    let report = place.look(&[("ORDERS", &database.dsn)]);
    report.expect(
        "databases.orders.client_certificate_file",
        "warning",
        "ends on",
    );
    report.expect("databases.secrets", "warning", "login.key");
}
