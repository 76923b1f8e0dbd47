//! Servers behind a transaction pooler, such as PgBouncer: each transaction can run in another session of
//! the server, so nothing may be left in one.

use super::host::{Called, Host};
use std::str::FromStr;
use thiserror::Error;

/// Brings a session of the server back to how it was. These are the parts of DISCARD ALL, which cannot
/// run in a transaction.
pub(super) const CLEAN: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; \
     DEALLOCATE ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD PLANS; \
     DISCARD TEMP; DISCARD SEQUENCES";

/// The places where transaction poolers listen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Poolers(Vec<Pooler>);

/// The place where one listens: `HOST`, for all of its ports, or `HOST:PORT`. IPv6 addresses stand in
/// brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pooler {
    host: Called,
    port: Option<u16>,
}

/// Why a text is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a pooler must be HOST or HOST:PORT, as connection strings name it")]
pub struct InvalidPooler;

impl Poolers {
    /// These places.
    #[must_use]
    pub fn new(poolers: Vec<Pooler>) -> Poolers {
        Poolers(poolers)
    }

    /// Whether a pooler listens at one of these hosts.
    pub(super) fn are_at(&self, hosts: &[Host]) -> bool {
        let is_at = |pooler: &Pooler, host: &Host| {
            pooler.port.is_none_or(|port| port == host.port) && host.is(&pooler.host)
        };
        let mut hosts = hosts.iter();
        hosts.any(|host| self.0.iter().any(|pooler| is_at(pooler, host)))
    }
}

impl FromStr for Pooler {
    type Err = InvalidPooler;

    fn from_str(text: &str) -> Result<Pooler, InvalidPooler> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, "")) => (address, None),
            Some((address, rest)) => (address, Some(rest.strip_prefix(':').ok_or(InvalidPooler)?)),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.map(str::parse).transpose();
        Ok(Pooler {
            host: Called::parse(host).map_err(|_| InvalidPooler)?,
            port: port.map_err(|_| InvalidPooler)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConnectionString;
    use super::*;

    #[test]
    fn places_are_found() {
        let poolers = ["pool.example", "10.0.0.5:6432", "[::1]:6432"];
        let poolers = Poolers::new(poolers.map(|text| text.parse().unwrap()).to_vec());
        let at = |text: &str| {
            let text = format!("user=u {text}");
            poolers.are_at(&ConnectionString::parse(&text).unwrap().hosts)
        };
        assert!(at("host=pool.example") && at("host=::1 port=6432"));
        assert!(at("host=POOL.example. hostaddr=10.0.0.6"));
        assert!(at("host=db hostaddr=10.0.0.5 port=6432") && !at("host=10.0.0.5"));
        for wrong in ["", ":6432", "host:port", "[::1", "[::1]6432", "a b"] {
            assert!(wrong.parse::<Pooler>().is_err(), "{wrong}");
        }
    }
}
