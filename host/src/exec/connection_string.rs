//! Connection strings in libpq's two forms, read and checked.

use super::conninfo;
use super::host::{Host, hosts};
use super::keywords::Pairs;
use super::options::options;
use super::tls::TlsVersions;
use crate::certificates::Certificates;
use crate::fault::{Fault, Kind};
use crate::limits::Limits;
use crate::network::SslMode;
use crate::secret::Secret;
use std::time::Duration;
use tokio_postgres::config::ChannelBinding;

/// libpq waits at least this long.
const MIN_CONNECT_SECONDS: u64 = 2;

/// A connection string that was read and checked. Prints without its contents.
#[derive(Debug, Clone)]
pub struct ConnectionString {
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) dbname: Option<String>,
    pub(super) options: Option<String>,
    /// None where the string gives none.
    pub(super) application_name: Option<String>,
    pub(super) tls: TlsWanted,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) session: SessionAttributes,
    /// Its server is behind a transaction pooler.
    pub(super) is_pooled: bool,
    /// What its operator adds; none where a caller brought it.
    pub(super) operator: Option<Certificates>,
}

/// The TLS that is asked for.
#[derive(Debug, Clone)]
pub(super) struct TlsWanted {
    /// None where nothing is said.
    pub(super) mode: Option<SslMode>,
    pub(super) channel_binding: ChannelBinding,
    pub(super) versions: TlsVersions,
    /// Whether the server is told the name that it is called by.
    pub(super) sni: bool,
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
    /// Reads `key=value` pairs or a `postgresql://` URI, within the default limits.
    ///
    /// # Errors
    /// With the code and the words of libpq where it would refuse, and a reason where the host does.
    pub fn parse(text: &str) -> Result<ConnectionString, Fault> {
        ConnectionString::parse_within(text, &Limits::default())
    }

    /// As [`ConnectionString::parse`], within these limits.
    ///
    /// # Errors
    /// As for [`ConnectionString::parse`].
    pub fn parse_within(text: &str, limits: &Limits) -> Result<ConnectionString, Fault> {
        check(conninfo::parse(text, limits)?, limits)
    }
}

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

/// A value as an error quotes it. What holds more than one word may have swallowed the settings behind it,
/// a password among them.
pub(super) fn shown(value: &str) -> &str {
    let breaks = |character| matches!(character, ' ' | '=' | '@');
    match value.chars().skip(1).any(breaks) {
        true => "…",
        false => value,
    }
}

fn check(mut pairs: Pairs, limits: &Limits) -> Result<ConnectionString, Fault> {
    if let Some(service) = pairs.take("service") {
        return Err(refused(format!(
            "definition of service \"{}\" not found\n",
            shown(&service)
        )));
    }
    let (names, addresses) = (pairs.take("host"), pairs.take("hostaddr"));
    let hosts = hosts(names, addresses, pairs.take("port"), limits)?;
    let place = hosts.first().map(|host| host.at(None)).unwrap_or_default();
    let connect_timeout = connect_timeout(pairs.take("connect_timeout"), &place)?;
    let user = pairs.take("user").ok_or_else(|| {
        refused(format!(
            "{place} failed: the connection string names no user\n"
        ))
    })?;
    match pairs.take("gssencmode").as_deref() {
        None | Some("disable" | "prefer") => {}
        Some("require") => {
            return Err(refused(
                "gssencmode value \"require\" invalid when GSSAPI support is not compiled in\n",
            ));
        }
        Some(other) => return Err(unknown("gssencmode", other)),
    }
    let checked = ConnectionString {
        user,
        password: pairs.take("password").map(Secret::new),
        dbname: pairs.take("dbname"),
        options: options(pairs.take("options"), pairs.take("client_encoding"))?,
        application_name: application_name(&mut pairs),
        tls: tls_wanted(&mut pairs)?,
        connect_timeout,
        session: session_attributes(pairs.take("target_session_attrs").as_deref())?,
        is_pooled: false,
        operator: None,
        hosts,
    };
    pairs.finish()?;
    Ok(checked)
}

fn connect_timeout(seconds: Option<String>, place: &str) -> Result<Option<Duration>, Fault> {
    let Some(seconds) = seconds else {
        return Ok(None);
    };
    match seconds.trim_ascii().parse::<i64>() {
        Ok(seconds) if seconds <= 0 => Ok(None),
        Ok(seconds) => {
            let seconds = seconds.unsigned_abs().max(MIN_CONNECT_SECONDS);
            Ok(Some(Duration::from_secs(seconds)))
        }
        Err(_) => Err(refused(format!(
            "{place} failed: invalid integer value \"{}\" for connection option \"connect_timeout\"\n",
            shown(&seconds)
        ))),
    }
}

fn application_name(pairs: &mut Pairs) -> Option<String> {
    let fallback = pairs.take("fallback_application_name");
    pairs.take("application_name").or(fallback)
}

/// A value that is none of the words of its keyword.
pub(super) fn unknown(key: &str, value: &str) -> Fault {
    refused(format!("invalid {key} value: \"{}\"\n", shown(value)))
}

fn tls_wanted(pairs: &mut Pairs) -> Result<TlsWanted, Fault> {
    let mut mode = match pairs.take("sslmode") {
        None => None,
        Some(name) => Some(SslMode::named(&name).ok_or_else(|| unknown("sslmode", &name))?),
    };
    match pairs.take("sslrootcert").as_deref() {
        None => {}
        // As in libpq: anybody can have a certificate of a public authority, so its name counts.
        Some("system") => {
            if let Some(weak) = mode.filter(|mode| *mode < SslMode::VerifyFull) {
                return Err(refused(format!(
                    "weak sslmode \"{weak}\" may not be used with sslrootcert=system (use \"verify-full\")\n"
                )));
            }
            mode = Some(SslMode::VerifyFull);
        }
        Some(_) => {
            return Err(refused(
                "the connection option \"sslrootcert\" is not available here, but for sslrootcert=system\n",
            ));
        }
    }
    let channel_binding = match pairs.take("channel_binding").as_deref() {
        None | Some("prefer") => ChannelBinding::Prefer,
        Some("disable") => ChannelBinding::Disable,
        Some("require") => ChannelBinding::Require,
        Some(other) => return Err(unknown("channel_binding", other)),
    };
    let sni = match pairs.take("sslsni").as_deref() {
        None | Some("1") => true,
        Some("0") => false,
        Some(other) => return Err(unknown("sslsni", other)),
    };
    let least = pairs.take("ssl_min_protocol_version");
    let most = pairs.take("ssl_max_protocol_version");
    Ok(TlsWanted {
        mode,
        channel_binding,
        versions: TlsVersions::between(least.as_deref(), most.as_deref())?,
        sni,
    })
}

fn session_attributes(attributes: Option<&str>) -> Result<SessionAttributes, Fault> {
    match attributes {
        None | Some("any" | "prefer-standby") => Ok(SessionAttributes::Any),
        Some("read-write") => Ok(SessionAttributes::ReadWrite),
        Some("read-only") => Ok(SessionAttributes::ReadOnly),
        Some("primary") => Ok(SessionAttributes::Primary),
        Some("standby") => Ok(SessionAttributes::Standby),
        Some(other) => Err(unknown("target_session_attrs", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::host::Place;
    use super::*;
    use crate::network::HostName;

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
                    place: Place::Name(HostName::new("h").unwrap()),
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
                .map(|host| (host.tls_name().unwrap(), host.port))
                .collect::<Vec<_>>(),
            [("::1".to_owned(), 5433), ("h".to_owned(), 5432)]
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
