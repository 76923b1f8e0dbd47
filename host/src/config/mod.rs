//! The configuration file and the environment: as written, then checked.
//!
//! Every mistake is reported at once, each with its place. `table.rs` reads the file key by key; what
//! the keys mean is here, in `connector.rs` and in `database.rs`.

mod admin;
mod components;
mod connector;
mod database;
mod files;
mod mistakes;
mod network;
mod recording;
mod table;
mod tls;
mod tracing;

pub use components::ComponentSource;
pub use connector::ConnectorConfig;
pub use recording::Recording;
pub use tls::Tls;

use crate::admin::Admin;
use crate::databases::Databases;
use crate::exec::{Pooler, Poolers};
use crate::limits::Limits;
use crate::network::Network;
use crate::policy::{DatabaseName, Policy};
use crate::secret::Secret;
use crate::traces::TracesConfig;
use connector::Around;
use database::Variables;
use mistakes::Mistakes;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use table::Table;
use thiserror::Error;
use toml::de::DeTable;

/// Where the server listens unless told otherwise: the address of the proxy that it replaces, on
/// loopback.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7004);

/// Variable with the key that callers must send.
const API_KEY: &str = "CONNECTOR_PROXY_API_KEY";

/// Variable with the origins that browsers may call from, separated by commas.
const CORS_ORIGINS: &str = "CONNECTOR_PROXY_CORS_ORIGINS";

/// Components in the directory are loaded unless the configuration says otherwise: putting a file there
/// is how connectors were added before they had tables.
const DEFAULT_UNLISTED_CONNECTORS: bool = true;

/// Calls bring connection strings unless the configuration says otherwise: those of the proxy that this
/// one replaces do.
const DEFAULT_RAW_CONNECTION_STRINGS: bool = true;

/// A configuration that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// What is wrong, one line for each: `FILE:LINE:COLUMN: message`, or the message alone where it is
    /// not about the file.
    #[error("the configuration cannot be used\n{}", .0.join("\n"))]
    Mistaken(Vec<String>),
}

/// What the server runs with.
#[derive(Debug)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Directory with components to load besides the embedded one.
    pub connector_dir: Option<PathBuf>,
    /// Directory for compiled components; none is used where the path is empty, and the one of the user
    /// where nothing is said.
    pub compile_cache_dir: Option<PathBuf>,
    /// Whether components in the directory that no table names are loaded.
    pub unlisted_connectors: bool,
    /// Every bound of the host.
    pub limits: Limits,
    /// The connectors that have a table, by name.
    pub connectors: BTreeMap<String, ConnectorConfig>,
    /// Where calls are kept; none where they are not.
    pub recording: Option<Recording>,
    /// Where the server is administered; none where there is no token for it.
    pub admin: Option<Admin>,
    /// Where traces of calls go; none where nobody takes them.
    pub traces: Option<TracesConfig>,
    /// What the server shows of itself to clients; it speaks plainly where there is none.
    pub tls: Option<Tls>,
    /// The databases that have a name.
    pub databases: Databases,
    /// Files with connection strings and keys of logins.
    pub secret_files: Vec<PathBuf>,
    /// Which servers may be dialled.
    pub network: Network,
    /// Key that callers must send; none lets every caller in.
    pub api_key: Option<Secret>,
    /// Origins that browsers may call from; none answers no browser.
    pub cors_origins: Vec<String>,
}

impl Config {
    /// What the connector `name` may do; connectors without a table are held to the default.
    #[must_use]
    pub fn policy(&self, name: &str) -> Arc<Policy> {
        let connector = self.connectors.get(name);
        connector.map_or_else(Arc::default, |connector| connector.policy.clone())
    }

    /// Every key that a file can have, such as `connectors.NAME.access`, where `NAME` stands for any name.
    #[must_use]
    pub fn keys() -> BTreeSet<String> {
        let every_table = "[admin]\n[recording]\n[tls]\n[tracing]\n[limits]\n[connectors.NAME.limits]\n[databases.NAME]\n[network]\n";
        let mistakes = Mistakes::new(Path::new(""), every_table);
        let (document, _) = DeTable::parse_recoverable(every_table);
        let table = Table::whole(document.get_ref(), &mistakes);
        read_file(table, Path::new(""), &|_| Err(env::VarError::NotPresent));
        mistakes.into_keys()
    }

    /// Reads the file, where there is one, and the environment.
    ///
    /// # Errors
    /// When either cannot be used, with everything that is wrong.
    pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
        let path = path.unwrap_or(Path::new(""));
        let text = match path.as_os_str().is_empty() {
            true => String::new(),
            false => fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable {
                path: path.into(),
                cause,
            })?,
        };
        read(path, &text, &|name| env::var(name)).map_err(ConfigError::Mistaken)
    }
}

/// Reads the text of the file `path` and the environment; the error is every mistake.
fn read(path: &Path, text: &str, variables: Variables<'_>) -> Result<Config, Vec<String>> {
    let mistakes = Mistakes::new(path, text);
    let (document, malformed) = DeTable::parse_recoverable(text);
    for error in &malformed {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().replace('\n', ", ");
        let message = message
            .strip_suffix(", expected nothing")
            .unwrap_or(&message);
        mistakes.add(at, message);
    }
    let lines = mistakes.lines();
    let directory = path.parent().unwrap_or(path);
    let table = Table::whole(document.get_ref(), &mistakes);
    let mut config = read_file(table, directory, variables);
    mistakes.forget_followers(malformed.len(), &lines);
    config.cors_origins = cors_origins(&variables(CORS_ORIGINS).unwrap_or_default());
    let mut lines = mistakes.into_lines();
    match api_key(variables(API_KEY).ok()) {
        Ok(key) => config.api_key = key,
        Err(mistake) => lines.push(mistake),
    }
    lines.extend(admin::token(variables).err());
    match lines.is_empty() {
        true => Ok(config),
        false => Err(lines),
    }
}

fn read_file(table: Table<'_>, directory: &Path, variables: Variables<'_>) -> Config {
    let listen = table.address("listen", DEFAULT_LISTEN);
    let connector_dir = connector_dir(&table, directory);
    let compile_cache_dir = table
        .text("compile_cache_dir")
        .map(|given| match given.value {
            "" => PathBuf::new(),
            path => directory.join(path),
        });
    let unlisted_connectors = table.boolean("unlisted_connectors");
    let mut limits = Limits::default();
    if let Some(given) = table.table("limits") {
        limits.take(|name, most| Some(given.integer(name, 0..=most)?.value));
        given.finish();
    }
    let databases = databases(&table, directory, variables, &limits);
    let around = Around {
        directory,
        limits: &limits,
        databases: &databases.declared,
    };
    let connectors = table.tables("connectors").into_iter().map(|(name, table)| {
        let connector = connector::read(name, table, &around);
        (name.value.to_owned(), connector)
    });
    let connectors = connectors.collect();
    let network = network::read(&table, directory);
    let recording = recording::read(&table, directory);
    let admin = admin::read(&table, directory, variables);
    let tls = tls::read(&table, directory);
    let traces = tracing::read(&table, variables);
    table.finish();
    Config {
        listen,
        connector_dir,
        compile_cache_dir,
        unlisted_connectors: unlisted_connectors
            .map_or(DEFAULT_UNLISTED_CONNECTORS, |given| given.value),
        limits,
        connectors,
        recording,
        admin,
        traces,
        tls,
        databases: databases.checked,
        secret_files: databases.secret_files,
        network,
        api_key: None,
        cors_origins: Vec::new(),
    }
}

fn connector_dir(table: &Table<'_>, directory: &Path) -> Option<PathBuf> {
    let given = table.text("connector_dir")?;
    let path = directory.join(given.value);
    if !path.is_dir() {
        let message = format!("connector_dir: there is no directory {}", path.display());
        table.mistakes().add(given.at, message);
    }
    Some(path)
}

/// The databases of the file.
struct Read {
    /// Those that can be used.
    checked: Databases,
    /// All that have a table, so that a mistake in one is not reported again where it is named.
    declared: BTreeSet<DatabaseName>,
    /// The files that their secrets are in.
    secret_files: Vec<PathBuf>,
}

fn databases(
    table: &Table<'_>,
    directory: &Path,
    variables: Variables<'_>,
    limits: &Limits,
) -> Read {
    let mut declared = BTreeSet::new();
    let mut named = BTreeMap::new();
    let mut secret_files = Vec::new();
    for (name, table) in table.tables("databases") {
        declared.extend(DatabaseName::new(name.value));
        let read = database::read(name, table, directory, variables, limits, &mut secret_files);
        named.extend(read);
    }
    let raw = table.boolean("raw_connection_strings");
    if let Some(raw) = raw
        && !raw.value
        && declared.is_empty()
    {
        let message =
            "raw_connection_strings = false leaves calls no database; add [databases.NAME]";
        table.mistakes().add(raw.at, message);
    }
    let raw = raw.map_or(DEFAULT_RAW_CONNECTION_STRINGS, |raw| raw.value);
    Read {
        checked: Databases::new(named, raw).behind(poolers(table)),
        declared,
        secret_files,
    }
}

fn poolers(table: &Table<'_>) -> Poolers {
    let given = table.texts("transaction_poolers");
    let mut poolers = Vec::new();
    for place in given.iter().flat_map(|given| &given.value) {
        match place.value.parse::<Pooler>() {
            Ok(pooler) => poolers.push(pooler),
            Err(error) => {
                let message = format!("transaction_poolers lists {:?}: {error}", place.value);
                table.mistakes().add(place.at, message);
            }
        }
    }
    Poolers::new(poolers)
}

/// The key; set but empty it would let everyone in or no one.
fn api_key(value: Option<String>) -> Result<Option<Secret>, String> {
    match value.map(|key| key.trim().to_owned()) {
        Some(key) if key.is_empty() => Err(format!(
            "{API_KEY} is set but empty: set it to a key, or unset it to let every caller in"
        )),
        key => Ok(key.map(Secret::new)),
    }
}

fn cors_origins(value: &str) -> Vec<String> {
    let mut origins: Vec<_> = value
        .split(',')
        .map(|origin| origin.trim().to_owned())
        .filter(|o| !o.is_empty())
        .collect();
    origins.sort();
    origins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{ConnectorLimits, Profile};
    use crate::policy::Imports;

    fn load(text: &str) -> Result<Config, Vec<String>> {
        read(Path::new("a.toml"), text, &|_| {
            Err(env::VarError::NotPresent)
        })
    }

    #[test]
    fn connectors_have_limits_of_their_own() {
        let text = "[connectors.a]\nprofile = \"script\"\n[connectors.a.limits]\nplan_fuel = 5\n[connectors.b]\n";
        let config = load(text).unwrap();
        let expected = ConnectorLimits {
            plan_fuel: 5,
            ..ConnectorLimits::of(Profile::Script)
        };
        assert_eq!(config.policy("a").limits, expected);
        assert_eq!(*config.policy("b"), Policy::default());
        assert_eq!(*config.policy("c"), Policy::default());
    }

    #[test]
    fn connectors_import_what_is_granted() {
        let text =
            "[connectors.a]\nimports = \"virtual-wasi\"\n[connectors.b]\nimports = \"none\"\n";
        let config = load(text).unwrap();
        assert_eq!(config.policy("a").imports, Imports::VirtualWasi);
        assert_eq!(config.policy("b").imports, Imports::None);
        assert_eq!(config.policy("c").imports, Imports::None);
    }

    #[test]
    fn an_empty_key_is_refused() {
        assert!(api_key(Some(" ".into())).is_err());
        assert!(api_key(None).unwrap().is_none());
        assert_eq!(
            cors_origins("https://b, http://a,"),
            ["http://a", "https://b"]
        );
    }
}
