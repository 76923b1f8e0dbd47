//! The configuration file: as written, then checked.

use crate::admin::{self, Admin, Token};
use crate::limits::{GivenConnectorLimits, Limits, Profile};
use crate::policy::Policy;
use crate::secret::Secret;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Where the server listens unless told otherwise: the address of the proxy that it replaces, on
/// loopback.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7004);

/// Variable with the token of the admin surface.
const ADMIN_TOKEN: &str = "AIRLOCK_ADMIN_TOKEN";

/// Variable with the key that callers must send.
const API_KEY: &str = "CONNECTOR_PROXY_API_KEY";

/// Variable with the origins that browsers may call from, separated by commas.
const CORS_ORIGINS: &str = "CONNECTOR_PROXY_CORS_ORIGINS";

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
    /// The file is not what it should be; the message names the line.
    #[error("{path}: {cause}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        cause: Box<toml::de::Error>,
    },
    /// Values do not fit each other; one line for each.
    #[error("{0}")]
    Contradictory(String),
    /// The key is set but empty, so that everyone would be let in or no one.
    #[error("{API_KEY} is set but empty: set it to a key, or unset it to let every caller in")]
    EmptyApiKey,
    /// The token is set but empty.
    #[error("{ADMIN_TOKEN} is set but empty: set it to a token, or unset it")]
    EmptyAdminToken,
    /// There is an admin surface without a token.
    #[error("[admin] needs a token: set {ADMIN_TOKEN}, or name a token_file")]
    NoAdminToken,
}

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    connector_dir: Option<PathBuf>,
    limits: Limits,
    admin: Option<AdminTable>,
    connectors: BTreeMap<String, ConnectorTable>,
}

/// `[admin]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AdminTable {
    listen: Option<SocketAddr>,
    token_file: Option<PathBuf>,
}

/// `[connectors.NAME]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConnectorTable {
    profile: Profile,
    limits: GivenConnectorLimits,
}

impl ConnectorTable {
    fn policy(&self) -> Policy {
        Policy {
            limits: self.limits.over(self.profile),
        }
    }
}

/// What the server runs with.
#[derive(Debug)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Directory with components to load besides the embedded one.
    pub connector_dir: Option<PathBuf>,
    /// Every bound of the host.
    pub limits: Limits,
    /// Where the server is administered; none where it has no token.
    pub admin: Option<Admin>,
    /// What each connector may do, by name; the others are held to the default.
    pub policies: BTreeMap<String, Arc<Policy>>,
    /// Key that callers must send; none lets every caller in.
    pub api_key: Option<Secret>,
    /// Origins that browsers may call from; none answers no browser.
    pub cors_origins: Vec<String>,
}

impl Config {
    /// What the connector `name` may do.
    #[must_use]
    pub fn policy(&self, name: &str) -> Arc<Policy> {
        self.policies.get(name).cloned().unwrap_or_default()
    }

    /// Reads the file, where there is one, and the environment.
    ///
    /// # Errors
    /// When either cannot be used.
    pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
        let file = match path {
            Some(path) => read(path)?,
            None => File::default(),
        };
        Ok(Config {
            listen: file.listen.unwrap_or(DEFAULT_LISTEN),
            policies: policies(&file)?,
            admin: admin(file.admin.as_ref(), env::var(ADMIN_TOKEN).ok())?,
            connector_dir: file.connector_dir,
            limits: file.limits,
            api_key: api_key(env::var(API_KEY).ok())?,
            cors_origins: cors_origins(&env::var(CORS_ORIGINS).unwrap_or_default()),
        })
    }
}

/// The policies, where each limit lies within what the host sets aside.
fn policies(file: &File) -> Result<BTreeMap<String, Arc<Policy>>, ConfigError> {
    let mut mistakes = Vec::new();
    let mut policies = BTreeMap::new();
    for (name, table) in &file.connectors {
        let policy = table.policy();
        for (limit, value, most_name, most) in [
            (
                "memory_bytes",
                policy.limits.memory_bytes,
                "instance_memory_bytes",
                file.limits.instance_memory_bytes,
            ),
            (
                "table_elements",
                policy.limits.table_elements,
                "instance_table_elements",
                file.limits.instance_table_elements,
            ),
        ] {
            if value > most {
                mistakes.push(format!(
                    "{limit} = {value} of the connector {name} is more than {most_name} = {most}; raise that in [limits] as well"
                ));
            }
        }
        policies.insert(name.clone(), Arc::new(policy));
    }
    match mistakes.as_slice() {
        [] => Ok(policies),
        mistakes => Err(ConfigError::Contradictory(mistakes.join("\n"))),
    }
}

fn read(path: &Path) -> Result<File, ConfigError> {
    let text = fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable {
        path: path.into(),
        cause,
    })?;
    toml::from_str(&text).map_err(|cause| ConfigError::Malformed {
        path: path.into(),
        cause: Box::new(cause),
    })
}

fn api_key(value: Option<String>) -> Result<Option<Secret>, ConfigError> {
    match value.map(|key| key.trim().to_owned()) {
        Some(key) if key.is_empty() => Err(ConfigError::EmptyApiKey),
        key => Ok(key.map(Secret::new)),
    }
}

/// The admin surface, where there is a token for it.
fn admin(table: Option<&AdminTable>, token: Option<String>) -> Result<Option<Admin>, ConfigError> {
    let token = token.map(|token| token.trim().to_owned());
    let file = table.and_then(|table| table.token_file.clone());
    let token = match (token, file) {
        (Some(token), _) if token.is_empty() => return Err(ConfigError::EmptyAdminToken),
        (Some(token), _) => Token::Given(Secret::new(token)),
        (None, Some(file)) => Token::File(file),
        (None, None) if table.is_some() => return Err(ConfigError::NoAdminToken),
        (None, None) => return Ok(None),
    };
    let listen = table.and_then(|table| table.listen);
    let listen = listen.unwrap_or(admin::DEFAULT_LISTEN);
    Ok(Some(Admin { listen, token }))
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
    use crate::limits::ConnectorLimits;

    #[test]
    fn unknown_keys_are_refused_with_their_line() {
        let error = toml::from_str::<File>("[limits]\npools = 5\npoools = 6\n").unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
        let file: File = toml::from_str("listen = \"127.0.0.1:1\"\n[limits]\npools = 5\n").unwrap();
        assert_eq!(file.limits.pools, 5);
    }

    #[test]
    fn connectors_have_limits_of_their_own() {
        let text = "[connectors.a]\nprofile = \"script\"\n[connectors.a.limits]\nplan_fuel = 5\n[connectors.b]\n";
        let policies = policies(&toml::from_str(text).unwrap()).unwrap();
        let expected = ConnectorLimits {
            plan_fuel: 5,
            ..ConnectorLimits::of(Profile::Script)
        };
        assert_eq!(policies["a"].limits, expected);
        assert_eq!(*policies["b"], Policy::default());
    }

    #[test]
    fn every_contradiction_is_named() {
        let text =
            "[limits]\ninstance_memory_bytes = 1\ninstance_table_elements = 1\n[connectors.a]\n";
        let error = policies(&toml::from_str(text).unwrap())
            .unwrap_err()
            .to_string();
        assert_eq!(error.lines().count(), 2, "{error}");
        assert!(error.contains("instance_table_elements = 1"), "{error}");
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
