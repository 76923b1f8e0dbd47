//! A server of Airlock with a configuration, and listeners that notice who dials them.

use airlock_tests::Server;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) const AIRLOCK: &str = env!("CARGO_BIN_EXE_airlock");

/// A running server and the directory of its configuration.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) directory: TempDir,
}

impl World {
    /// Starts a server with this configuration.
    pub(crate) fn start(config: &str) -> World {
        World::start_by(AIRLOCK, config)
    }

    /// Starts a server by this program.
    pub(crate) fn start_by(program: &str, config: &str) -> World {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("airlock.toml");
        fs::write(&file, config).unwrap();
        let server = Server::start(program, &["--config", file.to_str().unwrap()], &[]);
        World { server, directory }
    }

    /// Changes the configuration.
    pub(crate) fn configure(&self, config: &str) {
        let at = |name: &str| self.directory.path().join(name);
        fs::write(at("new"), config).unwrap();
        fs::rename(at("new"), at("airlock.toml")).unwrap();
    }

    /// Reads one row over a connection string; gives the status and the reply.
    pub(crate) async fn ask(&self, dsn: &str) -> (u16, Value) {
        self.run(dsn, "SELECT 1").await
    }

    /// Runs SQL that gives rows.
    pub(crate) async fn run(&self, dsn: &str, sql: &str) -> (u16, Value) {
        let schema = json!({"sql": sql, "fetch_results": true});
        let call = json!({"database_connection_str": dsn, "schema": schema});
        self.server.call("postgres_v2/DoSQL", &call).await
    }

    /// The code of what comes of a connection string, empty where it went well, and the message.
    pub(crate) async fn outcome(&self, dsn: &str) -> (String, String) {
        let (_, reply) = self.ask(dsn).await;
        let text = |key: &str| reply["error"][key].as_str().unwrap_or_default().to_owned();
        (text("error_code"), text("message"))
    }
}

/// Listens on one port of every address of this machine, and counts who dials it.
pub(crate) struct Canary {
    pub(crate) port: u16,
    dialled: Arc<AtomicUsize>,
}

impl Canary {
    pub(crate) async fn listen() -> Canary {
        let listener = TcpListener::bind("[::]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let dialled = Arc::new(AtomicUsize::new(0));
        let count = dialled.clone();
        tokio::spawn(async move {
            // Closed at once: whoever dials learns nothing.
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Canary { port, dialled }
    }

    /// How often it was dialled.
    pub(crate) fn dialled(&self) -> usize {
        self.dialled.load(Ordering::SeqCst)
    }
}

/// The value of a setting of a connection string of the form `key=value …`.
pub(crate) fn setting<'d>(dsn: &'d str, key: &str) -> &'d str {
    let mut pairs = dsn.split(' ').filter_map(|pair| pair.split_once('='));
    pairs.find(|(its, _)| *its == key).unwrap().1
}

/// The connection string without one of its settings.
pub(crate) fn without(dsn: &str, key: &str) -> String {
    let pairs = dsn.split(' ');
    let others = pairs.filter(|pair| !pair.starts_with(&format!("{key}=")));
    others.collect::<Vec<_>>().join(" ")
}

/// A path as a text.
pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
