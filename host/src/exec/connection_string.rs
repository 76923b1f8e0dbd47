//! Connection strings in libpq's two forms, read and checked.

use super::conninfo;
use super::host::{Host, hosts};
use crate::fault::{Fault, Kind};
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::time::Duration;

/// libpq waits at least this long.
const MIN_CONNECT_SECONDS: u64 = 2;

/// Keywords that the host acts on.
const USED: &[&str] = &[
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslmode",
    "target_session_attrs",
    "user",
];

/// Keywords that are accepted and have no meaning here.
const IGNORED: &[&str] = &[
    "gssencmode",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "requirepeer",
    "sslcompression",
    "sslsni",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "tcp_user_timeout",
];

/// Keywords that name files of the host or other protocols. A caller has no business with them.
const REFUSED: &[&str] = &[
    "passfile",
    "replication",
    "service",
    "servicefile",
    "sslcert",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslpassword",
    "sslrootcert",
];

/// A connection string that was read and checked. Prints without its contents.
#[derive(Debug, Clone)]
pub struct ConnectionString {
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) dbname: Option<String>,
    pub(super) options: Option<String>,
    pub(super) application_name: String,
    pub(super) ssl_mode: SslMode,
    pub(super) require_channel_binding: bool,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) session: SessionAttributes,
    /// Its server is behind a transaction pooler.
    pub(super) is_pooled: bool,
}

/// How much TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SslMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Which servers of several are acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionAttributes {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
}

impl ConnectionString {
    /// Reads `key=value` pairs or a `postgresql://` URI.
    ///
    /// # Errors
    /// With the code and the words of libpq where it would refuse, and a reason where the host does.
    pub fn parse(text: &str) -> Result<ConnectionString, Fault> {
        check(conninfo::parse(text)?)
    }
}

/// Values by key.
pub(super) type Pairs = BTreeMap<String, String>;

/// The string cannot be read, in the words of libpq.
pub(super) fn invalid(reason: impl std::fmt::Display) -> Fault {
    Fault::new(
        Kind::Connection,
        "ProgrammingError",
        format!("invalid dsn: {reason}\n"),
    )
}

/// The string names what is not to be had here.
pub(super) fn refused(reason: impl Into<String>) -> Fault {
    Fault::new(Kind::Connection, "OperationalError", reason)
}

/// Takes a pair in where its key is one of libpq.
pub(super) fn insert(pairs: &mut Pairs, key: &str, value: String) -> Result<(), Fault> {
    if !USED.contains(&key) && !IGNORED.contains(&key) && !REFUSED.contains(&key) {
        return Err(invalid(format!("invalid connection option \"{key}\"")));
    }
    if value.contains('\0') {
        return Err(invalid(format!(
            "the value of \"{key}\" holds a NUL character"
        )));
    }
    pairs.insert(key.into(), value);
    Ok(())
}

fn check(mut pairs: Pairs) -> Result<ConnectionString, Fault> {
    let mut take = |key: &str| pairs.remove(key).filter(|value| !value.is_empty());
    if let Some(service) = take("service") {
        return Err(refused(format!(
            "definition of service \"{service}\" not found\n"
        )));
    }
    let hosts = hosts(take("host"), take("hostaddr"), take("port"))?;
    let place = hosts.first().map(Host::at).unwrap_or_default();
    let connect_timeout = match take("connect_timeout") {
        None => None,
        Some(seconds) => match seconds.trim().parse::<i64>() {
            Ok(seconds) if seconds <= 0 => None,
            Ok(seconds) => Some(Duration::from_secs(
                seconds.unsigned_abs().max(MIN_CONNECT_SECONDS),
            )),
            Err(_) => {
                return Err(refused(format!(
                    "{place} failed: invalid integer value \"{seconds}\" for connection option \"connect_timeout\"\n"
                )));
            }
        },
    };
    let user = take("user").ok_or_else(|| {
        refused(format!(
            "{place} failed: the connection string names no user\n"
        ))
    })?;
    let checked = ConnectionString {
        user,
        password: take("password").map(Secret::new),
        dbname: take("dbname"),
        options: options(take("options"), take("client_encoding")),
        application_name: take("application_name")
            .or_else(|| take("fallback_application_name"))
            .unwrap_or_else(|| "airlock".into()),
        ssl_mode: ssl_mode(take("sslmode").as_deref())?,
        require_channel_binding: take("channel_binding").as_deref() == Some("require"),
        connect_timeout,
        session: session_attributes(take("target_session_attrs").as_deref())?,
        hosts,
        is_pooled: false,
    };
    match pairs.keys().find(|key| REFUSED.contains(&key.as_str())) {
        Some(key) => Err(refused(format!(
            "the connection option \"{key}\" is not available here\n"
        ))),
        None => Ok(checked),
    }
}

/// Settings go to the server as command-line options. The driver always speaks UTF-8; another
/// encoding is named all the same, so that the server refuses one that does not exist.
fn options(options: Option<String>, encoding: Option<String>) -> Option<String> {
    let mut parts: Vec<String> = options.into_iter().collect();
    if parts
        .iter()
        .any(|part| part.to_ascii_lowercase().contains("datestyle"))
    {
        parts.push("-c datestyle=ISO".into());
    }
    let escape = |value: String| value.replace('\\', "\\\\").replace(' ', "\\ ");
    parts.extend(
        encoding
            .filter(|name| name != "auto")
            .map(|name| format!("-c client_encoding={}", escape(name))),
    );
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn ssl_mode(mode: Option<&str>) -> Result<SslMode, Fault> {
    match mode {
        Some("disable" | "allow") => Ok(SslMode::Disable),
        None | Some("prefer") => Ok(SslMode::Prefer),
        Some("require") => Ok(SslMode::Require),
        Some("verify-ca") => Ok(SslMode::VerifyCa),
        Some("verify-full") => Ok(SslMode::VerifyFull),
        Some(other) => Err(refused(format!("invalid sslmode value: \"{other}\"\n"))),
    }
}

fn session_attributes(attributes: Option<&str>) -> Result<SessionAttributes, Fault> {
    match attributes {
        None | Some("any" | "prefer-standby") => Ok(SessionAttributes::Any),
        Some("read-write") => Ok(SessionAttributes::ReadWrite),
        Some("read-only") => Ok(SessionAttributes::ReadOnly),
        Some("primary") => Ok(SessionAttributes::Primary),
        Some("standby") => Ok(SessionAttributes::Standby),
        Some(other) => Err(refused(format!(
            "invalid target_session_attrs value: \"{other}\"\n"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        for text in [
            "dbname=d user=u password='p w' host=h port=1",
            " dbname = d\nuser='u'\tpassword=p\\ w host=h port=1 ",
            "postgresql://u:p%20w@h:1/d",
            "postgres://h:1/d?user=u&password=p%20w",
            "dbname=x dbname=d user=u password='p w' host=h port=1",
        ] {
            let read = ConnectionString::parse(text).unwrap();
            assert_eq!(read.user, "u", "{text}");
            assert_eq!(read.dbname.as_deref(), Some("d"), "{text}");
            assert_eq!(
                read.password.as_ref().map(Secret::expose),
                Some("p w"),
                "{text}"
            );
            assert_eq!(
                read.hosts,
                [Host {
                    name: "h".into(),
                    address: None,
                    port: 1
                }],
                "{text}"
            );
        }
        let read = ConnectionString::parse("host=a,b port=1,2 user=u").unwrap();
        assert_eq!(
            read.hosts.iter().map(|host| host.port).collect::<Vec<_>>(),
            [1, 2]
        );
        let read = ConnectionString::parse("postgresql://u@[::1]:5433,h/d").unwrap();
        assert_eq!(
            read.hosts
                .iter()
                .map(|host| (host.name.as_str(), host.port))
                .collect::<Vec<_>>(),
            [("::1", 5433), ("h", 5432)]
        );
    }

    #[test]
    fn errors_are_those_of_libpq() {
        for (text, code, message) in [
            (
                "garbage",
                "ProgrammingError",
                "missing \"=\" after \"garbage\"",
            ),
            (
                "\"dbname=x\"",
                "ProgrammingError",
                "invalid connection option \"\"dbname\"",
            ),
            (
                "database=x",
                "ProgrammingError",
                "invalid connection option \"database\"",
            ),
            (
                "dbname='x",
                "ProgrammingError",
                "unterminated quoted string",
            ),
            (
                "postgresql://u:%zz@h/d",
                "ProgrammingError",
                "percent-encoded",
            ),
            (
                "host=h user=u port=abc",
                "OperationalError",
                "invalid integer value \"abc\"",
            ),
            (
                "host=h user=u port=99999",
                "OperationalError",
                "invalid port number: \"99999\"",
            ),
            (
                "host=h user=u connect_timeout=x",
                "OperationalError",
                "connection option \"connect_timeout\"",
            ),
            (
                "host=h user=u sslrootcert=/etc/passwd",
                "OperationalError",
                "sslrootcert",
            ),
            ("host=h user=u sslmode=maybe", "OperationalError", "sslmode"),
            ("service=nope", "OperationalError", "definition of service"),
            (
                "",
                "OperationalError",
                "on socket \"/var/run/postgresql/.s.PGSQL.5432\"",
            ),
            (
                "host=/tmp",
                "OperationalError",
                "on socket \"/tmp/.s.PGSQL.5432\"",
            ),
        ] {
            let fault = ConnectionString::parse(text).unwrap_err();
            assert_eq!(fault.code, code, "{text}");
            assert!(fault.message.contains(message), "{text}: {}", fault.message);
        }
    }

    #[test]
    fn prints_without_secrets() {
        let read = ConnectionString::parse("host=h user=u password=hunter2").unwrap();
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
