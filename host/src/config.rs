//! The configuration file: as written, then checked.

use crate::limits::Limits;
use crate::secret::Secret;
use serde::Deserialize;
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Where the server listens unless told otherwise: the address of the proxy that it replaces, on
/// loopback.
pub const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7004);

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
    /// The key is set but empty, so that everyone would be let in or no one.
    #[error("{API_KEY} is set but empty: set it to a key, or unset it to let every caller in")]
    EmptyApiKey,
}

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    connectors: Option<PathBuf>,
    limits: Limits,
}

/// What the server runs with.
#[derive(Debug)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Directory with components to load besides the embedded one.
    pub connectors: Option<PathBuf>,
    /// Every bound.
    pub limits: Limits,
    /// Key that callers must send; none lets every caller in.
    pub api_key: Option<Secret>,
    /// Origins that browsers may call from; none answers no browser.
    pub cors_origins: Vec<String>,
}

impl Config {
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
            connectors: file.connectors,
            limits: file.limits,
            api_key: api_key(env::var(API_KEY).ok())?,
            cors_origins: cors_origins(&env::var(CORS_ORIGINS).unwrap_or_default()),
        })
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

    #[test]
    fn unknown_keys_are_refused_with_their_line() {
        let error = toml::from_str::<File>("[limits]\nplan_fuel = 5\nplan_feul = 6\n").unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
        let file: File =
            toml::from_str("listen = \"127.0.0.1:1\"\n[limits]\nplan_fuel = 5\n").unwrap();
        assert_eq!(file.limits.plan_fuel, 5);
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
