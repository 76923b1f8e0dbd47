//! The keywords of connection strings, and what becomes of each.

use super::connection_string::{invalid, refused};
use crate::fault::Fault;
use crate::limits::Limits;
use std::collections::BTreeMap;

/// Keywords that the host acts on.
const USED: &[&str] = &[
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssencmode",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslmode",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "user",
];

/// Keywords that are accepted and have no meaning here.
const IGNORED: &[&str] = &[
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "sslcompression",
    "tcp_user_timeout",
];

/// Keywords that name files or identities of the host, or ask for what it does not have and would
/// have to ignore. A caller has no business with them.
const REFUSED: &[&str] = &[
    "gssdelegation",
    "gsslib",
    "krbsrvname",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "scram_client_key",
    "scram_server_key",
    "servicefile",
    "sslcert",
    "sslcertmode",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslkeylogfile",
    "sslnegotiation",
    "sslpassword",
];

/// Values by keyword; the last of equal ones counts, as in libpq.
#[derive(Debug)]
pub(super) struct Pairs {
    values: BTreeMap<String, String>,
    given: usize,
    most: usize,
    quotes_nothing: bool,
}

impl Pairs {
    pub(super) fn new(limits: &Limits) -> Pairs {
        Pairs {
            values: BTreeMap::new(),
            given: 0,
            most: limits.connection_pairs,
            quotes_nothing: false,
        }
    }

    /// Has no error quote what stands in the pairs from here on.
    pub(super) fn quote_nothing(&mut self) {
        self.quotes_nothing = true;
    }

    /// Takes a pair in where its keyword is one of libpq.
    pub(super) fn insert(&mut self, key: &str, value: String) -> Result<(), Fault> {
        self.given += 1;
        if self.given > self.most {
            return Err(invalid(format!(
                "it has more settings than connection_pairs = {} allows",
                self.most
            )));
        }
        if ![USED, IGNORED, REFUSED]
            .iter()
            .any(|known| known.contains(&key))
        {
            return Err(match self.may_quote() {
                true => invalid(format!("invalid connection option \"{key}\"")),
                false => {
                    invalid("invalid connection option; it is not shown, as a password is near")
                }
            });
        }
        if value.contains('\0') {
            return Err(invalid(format!(
                "the value of \"{key}\" holds a NUL character"
            )));
        }
        // Passwords can be anything.
        if key != "password" && value.chars().any(char::is_control) {
            return Err(invalid(format!(
                "the value of \"{key}\" holds a control character"
            )));
        }
        self.values.insert(key.into(), value);
        Ok(())
    }

    /// Whether an error may quote what stands behind the pairs so far: behind a password it can be the
    /// rest of that.
    pub(super) fn may_quote(&self) -> bool {
        !self.quotes_nothing && !self.values.contains_key("password")
    }

    /// The value of a keyword, unless it is empty.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        self.values.remove(key).filter(|value| !value.is_empty())
    }

    /// Refuses what is left and not available.
    pub(super) fn finish(self) -> Result<(), Fault> {
        match self
            .values
            .keys()
            .find(|key| REFUSED.contains(&key.as_str()))
        {
            Some(key) => Err(refused(format!(
                "the connection option \"{key}\" is not available here\n"
            ))),
            None => Ok(()),
        }
    }
}
