//! A server of PostgreSQL that speaks TLS, authorities for its certificates, and Airlock before it.

use airlock::postgres::Cluster;
use airlock_tests::{Database, Server};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to read its new settings.
const PATIENCE: Duration = Duration::from_secs(60);

/// An authority that signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A certificate for these names and addresses, and its key, in PEM.
    pub(crate) fn server(&self, names: &[&str], last_year: i32) -> (String, String) {
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        self.sign(params)
    }

    /// A certificate for a login, and its key, in PEM.
    pub(crate) fn client(&self, user: &str) -> (String, String) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, user);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// Has a cluster speak TLS with this certificate.
pub(crate) async fn certify(cluster: &Cluster, certificate: &str, key: &str) {
    write(cluster, "server.crt", certificate).await;
    write(cluster, "server.key", key).await;
    reload(cluster, &["ALTER SYSTEM SET ssl = on"]).await;
}

/// Has a cluster ask for client certificates of this authority, and puts these lines before its others
/// about who may log in.
pub(crate) async fn admit(cluster: &Cluster, authority: &Authority, lines: &str) {
    write(cluster, "clients.pem", &authority.pem).await;
    let file = directory(cluster).await.join("pg_hba.conf");
    let others = fs::read_to_string(&file).unwrap();
    write(cluster, "pg_hba.conf", &format!("{lines}\n{others}")).await;
    reload(cluster, &["ALTER SYSTEM SET ssl_ca_file = 'clients.pem'"]).await;
}

/// Runs statements as a superuser, each by itself, and has the server read its settings.
pub(crate) async fn reload(cluster: &Cluster, statements: &[&str]) {
    let postgres = Database::connect(cluster.connection_string().expose()).await;
    for statement in statements {
        postgres.batch_execute(statement).await.unwrap();
    }
    let reload = "SELECT pg_reload_conf()";
    postgres.batch_execute(reload).await.unwrap();
}

async fn directory(cluster: &Cluster) -> PathBuf {
    let postgres = Database::connect(cluster.connection_string().expose()).await;
    let row = postgres.query_one("SHOW data_directory", &[]).await;
    row.unwrap().get::<_, String>(0).into()
}

/// Writes a file of the cluster as its server has to find it.
async fn write(cluster: &Cluster, name: &str, text: &str) {
    let directory = directory(cluster).await;
    let owner = fs::metadata(&directory).unwrap();
    let file = directory.join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
}

/// Airlock with a configuration and the files that it names.
pub(crate) struct Host {
    server: Server,
    _directory: TempDir,
}

impl Host {
    pub(crate) fn start(config: &str, files: &[(&str, &str)]) -> Host {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for (name, text) in files {
            fs::write(at(name), text).unwrap();
        }
        fs::write(at("airlock.toml"), config).unwrap();
        let config = at("airlock.toml");
        let arguments = ["--config", path(&config)];
        Host {
            server: Server::start(env!("CARGO_BIN_EXE_airlock"), &arguments, &[]),
            _directory: directory,
        }
    }

    /// Runs SQL that gives a row; gives its first value, or what went wrong.
    pub(crate) async fn ask(&self, dsn: &str, sql: &str) -> Result<Value, String> {
        let schema = json!({"sql": sql, "fetch_results": true});
        let call = json!({"database_connection_str": dsn, "schema": schema});
        let (_, reply) = self.server.call("postgres_v2/DoSQL", &call).await;
        match reply["error"]["message"].as_str() {
            None => Ok(reply["command_response"]["body"][0][0].clone()),
            Some(message) => Err(message.to_owned()),
        }
    }

    /// Waits until the outcome of a new connection is as it shall be.
    pub(crate) async fn until(&self, dsn: &str, holds: impl Fn(&Result<Value, String>) -> bool) {
        let end = Instant::now() + PATIENCE;
        for attempt in 0.. {
            // A new string makes a new connection.
            let dsn = format!("{dsn} application_name=a{attempt}");
            let outcome = self.ask(&dsn, "SELECT 1").await;
            if holds(&outcome) {
                return;
            }
            assert!(Instant::now() < end, "{outcome:?}");
        }
    }

    /// Waits until a named database is there.
    pub(crate) async fn until_there(&self, name: &str) {
        let end = Instant::now() + PATIENCE;
        while let Err(message) = self.ask(name, "SELECT 1").await {
            assert!(Instant::now() < end, "{message}: {}", self.log());
        }
    }

    /// Waits until the log has this text, as it comes in its own time.
    pub(crate) async fn until_logged(&self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            assert!(Instant::now() < end, "{text}: {}", self.log());
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn log(&self) -> String {
        self.server.log()
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
