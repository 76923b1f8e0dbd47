//! A running server whose directory of components changes.

use crate::hostile::{Guest, plan};
use crate::{Database, Server, secrets};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The token of every admin surface here.
pub const TOKEN: &str = "canary-admin-token";

/// How long something may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, its database and the directory that it watches.
pub struct World {
    /// The server.
    pub server: Server,
    /// A database for calls.
    pub database: Database,
    directory: TempDir,
}

/// The connector `name`, whose command `C` reads `text`.
pub fn answering(name: &str, text: &str) -> Guest {
    Guest::answering(plan(&format!("SELECT '{text}'"))).called(name)
}

impl World {
    /// Starts a server of `binary` that finds `components` in its directory, with more of a
    /// configuration and further variables.
    pub async fn start(
        binary: &str,
        config: &str,
        components: &[(&str, &[u8])],
        variables: &[(&str, &str)],
    ) -> World {
        let directory = tempfile::tempdir().unwrap();
        for (name, component) in components {
            fs::write(directory.path().join(name), component).unwrap();
        }
        let file = directory.path().join("airlock.toml");
        fs::write(&file, with_admin(config)).unwrap();
        World {
            server: serve(binary, directory.path(), &file, variables),
            database: Database::fresh().await,
            directory,
        }
    }

    /// The path of a file in the directory.
    pub fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The path of the configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.at("airlock.toml")
    }

    /// Writes a file beside the directory's others and moves it into place.
    pub fn put(&self, name: &str, contents: &[u8]) {
        let new = self.at(&format!("{name}.new"));
        fs::write(&new, contents).unwrap();
        fs::rename(new, self.at(name)).unwrap();
    }

    /// Changes the configuration.
    pub fn configure(&self, config: &str) {
        self.put("airlock.toml", with_admin(config).as_bytes());
    }

    /// Asks the admin surface.
    pub async fn admin(&self, method: Method, path: &str) -> (u16, Value) {
        admin(&self.server, method, path).await
    }

    /// What goes on with a connector; null where nobody knows of it.
    pub async fn status(&self, name: &str) -> Value {
        status(&self.server, name).await
    }

    /// Waits until the status of a connector is as it shall be.
    pub async fn until(&self, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
        until(&self.server, name, holds).await
    }

    /// Calls the command `C` of a connector; gives its text and the digest of who planned it.
    pub async fn call(&self, name: &str) -> (String, String) {
        call(&self.server, name, &self.database.dsn).await
    }
}

/// Starts a server of `binary` over a directory of components.
pub fn serve(binary: &str, directory: &Path, config: &Path, variables: &[(&str, &str)]) -> Server {
    let arguments = [
        "--config",
        config.to_str().unwrap(),
        "--connectors",
        directory.to_str().unwrap(),
    ];
    let variables = [variables, &[("AIRLOCK_ADMIN_TOKEN", TOKEN)]].concat();
    Server::start(binary, &arguments, &variables)
}

fn with_admin(config: &str) -> String {
    format!("{config}\n[admin]\nlisten = \"127.0.0.1:0\"\n")
}

/// Where the admin surface of a server is.
pub fn admin_base(server: &Server) -> String {
    let log = server.log();
    let (_, address) = log.split_once("administered at ").unwrap();
    address.split_whitespace().next().unwrap().to_owned()
}

async fn admin(server: &Server, method: Method, path: &str) -> (u16, Value) {
    let url = format!("{}{path}", admin_base(server));
    let request = server.http.request(method, url).bearer_auth(TOKEN);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    secrets::search("an answer to the administrator", &text);
    (status, serde_json::from_str(&text).unwrap())
}

/// What goes on with a connector; null where nobody knows of it.
pub async fn status(server: &Server, name: &str) -> Value {
    match admin(server, Method::GET, &format!("/v1/connectors/{name}")).await {
        (200, status) => status,
        _ => Value::Null,
    }
}

/// Waits until the status of a connector is as it shall be.
pub async fn until(server: &Server, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = status(server, name).await;
        if holds(&status) {
            return status;
        }
        assert!(Instant::now() < end, "{status:#}\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Calls the command `C` of a connector; gives its text and the digest of who planned it.
pub async fn call(server: &Server, name: &str, dsn: &str) -> (String, String) {
    let url = format!("{}/v1/do/{name}/C", server.base);
    let call = json!({"database_connection_str": dsn});
    let response = server.http.post(url).json(&call).send().await.unwrap();
    let planned_by = response.headers()["x-airlock-connector"].to_str().unwrap();
    let (_, digest) = planned_by.split_once('@').unwrap();
    let digest = digest.to_owned();
    let reply: Value = response.json().await.unwrap();
    let text = reply["command_response"]["body"][0][0].as_str();
    (text.unwrap_or_else(|| panic!("{reply}")).to_owned(), digest)
}

/// The digest as statuses and replies have it.
pub fn digest(component: &[u8]) -> String {
    airlock::connector::Digest::of(component).to_string()
}
