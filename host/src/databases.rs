//! The databases that calls use by name.
//!
//! An operator names databases in the configuration, so that callers need no connection string and
//! see none. This module decides which connection string a call gets; it makes no connection.

use crate::call::Call;
use crate::exec::{ConnectionString, Login, Poolers, Target};
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::policy::{self, DatabaseName, Policy};
use crate::secret::Secret;
use std::collections::BTreeMap;

/// The databases that have a name, and whether calls may use others.
#[derive(Debug, Clone)]
pub struct Databases {
    named: BTreeMap<DatabaseName, Login>,
    raw_connection_strings: bool,
    poolers: Poolers,
}

/// None has a name, and calls bring their connection strings.
impl Default for Databases {
    fn default() -> Self {
        Databases {
            named: BTreeMap::new(),
            raw_connection_strings: true,
            poolers: Poolers::default(),
        }
    }
}

impl Databases {
    /// These databases; `raw_connection_strings` says whether calls may bring connection strings of
    /// their own.
    #[must_use]
    pub fn new(named: BTreeMap<DatabaseName, Login>, raw_connection_strings: bool) -> Databases {
        Databases {
            named,
            raw_connection_strings,
            poolers: Poolers::default(),
        }
    }

    /// The same, with transaction poolers at these places.
    #[must_use]
    pub fn behind(self, poolers: Poolers) -> Databases {
        Databases { poolers, ..self }
    }

    /// The same, with one more; none where another has its name.
    #[must_use]
    pub fn with(mut self, name: DatabaseName, login: Login) -> Option<Databases> {
        let other = self.named.insert(name, login);
        other.is_none().then_some(self)
    }

    /// Where transaction poolers listen.
    #[must_use]
    pub fn poolers(&self) -> &Poolers {
        &self.poolers
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &DatabaseName> {
        self.named.keys()
    }

    /// The databases that have a name, in order of it, and where their connections are made.
    pub fn logins(&self) -> impl Iterator<Item = (&DatabaseName, &Login)> {
        self.named.iter()
    }

    /// The names that calls under `policy` may give, in order.
    pub fn names_for(&self, policy: &Policy) -> impl Iterator<Item = &DatabaseName> {
        let listed = policy.databases.as_ref();
        self.names()
            .filter(move |name| listed.is_none_or(|listed| listed.contains(*name)))
    }

    /// Whether calls under `policy` may bring connection strings of their own.
    #[must_use]
    pub fn takes_connection_strings(&self, policy: &Policy) -> bool {
        self.raw_connection_strings && policy.databases.is_none()
    }

    /// Where a call of `connector`, which is held to `policy`, shall run.
    ///
    /// # Errors
    /// `PolicyDenied` where it may not run there; `TypeError` where the connection parameter is no
    /// text.
    pub fn resolve(&self, call: &Call, connector: &str, policy: &Policy) -> Result<Target, Fault> {
        let given = call.connection_string()?;
        let name = DatabaseName::new(given).ok();
        let known = name.and_then(|name| self.named.get_key_value(&name));
        match (known, &policy.databases) {
            (Some((name, _)), Some(allowed)) if !allowed.contains(name) => {
                Err(self.denied(given, connector, policy))
            }
            (Some((name, login)), _) => Ok(Target {
                login: login.clone(),
                name: Some(name.as_str().into()),
            }),
            (None, None) if self.raw_connection_strings => self.raw(given),
            (None, _) => Err(self.denied(given, connector, policy)),
        }
    }

    /// Takes what was given as a connection string. Where it looks like a name, libpq would refuse it,
    /// in words that do not tell what is meant.
    fn raw(&self, given: &str) -> Result<Target, Fault> {
        if DatabaseName::new(given).is_ok()
            && !self.named.is_empty()
            && let Err(fault) = ConnectionString::parse(given)
        {
            let names = policy::list(self.names().map(DatabaseName::as_str));
            let message = format!(
                "{}there is no database \"{given}\" either, among {names}",
                fault.message
            );
            return Err(Fault::new(fault.kind, fault.code, message));
        }
        let login = Login {
            connection_string: Secret::new(given),
            operator: None,
        };
        Ok(Target { login, name: None })
    }

    /// Says which names the connector may use. What was given is shown only where it is a name.
    fn denied(&self, given: &str, connector: &str, policy: &Policy) -> Fault {
        let what = match DatabaseName::new(given) {
            Ok(name) if self.named.contains_key(&name) => format!("\"{name}\" is not among them"),
            Ok(name) => format!("there is no database \"{name}\""),
            Err(_) => "a connection string is not accepted, name a database".to_owned(),
        };
        let names = policy::list(self.names_for(policy).map(DatabaseName::as_str));
        if policy.databases.is_some() {
            return policy::denied(connector, &format!("databases = {names}"), &what);
        }
        let message = format!(
            "the host has raw_connection_strings = false and the databases {names}; {what}"
        );
        Fault::new(Kind::Denied, "PolicyDenied", message)
    }
}

/// Checks a connection string of the configuration.
///
/// # Errors
/// With the reason, without anything that stands in the string.
pub fn check(connection_string: &str, limits: &Limits) -> Result<(), String> {
    match ConnectionString::parse_within(connection_string, limits) {
        Ok(_) => Ok(()),
        Err(fault) => Err(without_contents(&fault.message)),
    }
}

/// The reason, up to where it begins to quote.
fn without_contents(message: &str) -> String {
    let reason = message.trim();
    let reason = reason.strip_prefix("invalid dsn: ").unwrap_or(reason);
    match reason.split_once('"') {
        // The place comes first.
        _ if reason.ends_with("names no user") => "it names no user".into(),
        Some(("connection to server at " | "connection to server on socket ", _)) => {
            "its connect_timeout is no whole number".into()
        }
        // These options are in a list of the host.
        Some(("the connection option ", _)) => reason.into(),
        Some(("missing ", _)) => r#"a "=" is missing"#.into(),
        Some((beginning, _)) => format!("{beginning}…"),
        None => reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_hold_nothing_of_the_string() {
        for (text, reason) in [
            ("canary", "a \"=\" is missing"),
            ("canary\" x \"y", "a \"=\" is missing"),
            ("port\" canary \"y=1", "a \"=\" is missing"),
            ("port\"canary\"=1", "invalid connection option …"),
            ("canary=1", "invalid connection option …"),
            (
                "dbname='canary",
                "unterminated quoted string in connection info string",
            ),
            ("host=canary", "it names no user"),
            ("host=canary port=canary", "invalid integer value …"),
            ("host=canary port=0 user=canary", "invalid port number: …"),
            (
                "host=canary user=canary connect_timeout='x failed: canary'",
                "its connect_timeout is no whole number",
            ),
            (
                "host=h user=canary sslcert=canary",
                "the connection option \"sslcert\" is not available here",
            ),
            (
                "host=h user=u options='-c canary'",
                "the connection option \"options\" takes settings only, as in -c name=value",
            ),
            (
                "host=h user=u options='-c canary=1 -c post_auth_delay=1'",
                "the connection option \"options\" must not set \"post_auth_delay\"",
            ),
            ("host=canar%y user=u", "could not translate host name …"),
            (
                "hostaddr=canary user=u",
                "could not parse network address …",
            ),
            ("user='canary\u{1}'", "the value of …"),
            ("service=canary", "definition of service …"),
            ("host=h user=u sslmode=canary", "invalid sslmode value: …"),
            (
                "postgresql://u:%zzcanary@h/d",
                "invalid percent-encoded token",
            ),
            ("postgresql://h/d?canary", "missing key/value separator …"),
        ] {
            let limits = Limits::default();
            assert_eq!(check(text, &limits).unwrap_err(), reason, "{text}");
        }
        let fine = check("host=h user=u password=canary", &Limits::default());
        assert_eq!(fine, Ok(()));
    }
}
