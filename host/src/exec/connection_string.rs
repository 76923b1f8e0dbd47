//! Connection strings in libpq's two forms, read and checked.

use crate::fault::{Fault, Kind};
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::time::Duration;

/// Port where the string names none.
const DEFAULT_PORT: u16 = 5432;

/// Where libpq looks for the server of this machine.
const DEFAULT_SOCKET: &str = "/var/run/postgresql";

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
    /// The whole text, by which pools are kept apart.
    pub(super) text: Secret,
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
}

/// One place to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    /// Name or address as written.
    pub(super) name: String,
    /// The address to dial in place of the name.
    pub(super) address: Option<String>,
    pub(super) port: u16,
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
        let uri = ["postgresql://", "postgres://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let pairs = match uri {
            Some(rest) => parse_uri(rest)?,
            None => parse_pairs(text)?,
        };
        check(text, pairs)
    }
}

type Pairs = BTreeMap<String, String>;

fn invalid(reason: impl std::fmt::Display) -> Fault {
    Fault::new(
        Kind::Connection,
        "ProgrammingError",
        format!("invalid dsn: {reason}\n"),
    )
}

fn refused(reason: impl Into<String>) -> Fault {
    Fault::new(Kind::Connection, "OperationalError", reason)
}

/// `key = value key='quoted value'`, with backslash escapes; the last of equal keys wins.
fn parse_pairs(text: &str) -> Result<Pairs, Fault> {
    let mut pairs = Pairs::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| c == '=' || c.is_ascii_whitespace())
            .unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let Some(after) = after.trim_start().strip_prefix('=') else {
            return Err(invalid(format!(
                "missing \"=\" after \"{key}\" in connection info string"
            )));
        };
        let (value, after) = parse_value(after.trim_start())?;
        insert(&mut pairs, key, value)?;
        rest = after.trim_start();
    }
    Ok(pairs)
}

fn parse_value(text: &str) -> Result<(String, &str), Fault> {
    let quoted = text.starts_with('\'');
    let mut characters = text.char_indices().skip(usize::from(quoted));
    let mut value = String::new();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            space if !quoted && space.is_ascii_whitespace() => {
                return Ok((value, text.get(at..).unwrap_or_default()));
            }
            other => value.push(other),
        }
    }
    if quoted {
        return Err(invalid(
            "unterminated quoted string in connection info string",
        ));
    }
    Ok((value, ""))
}

/// `[user[:password]@][host[:port],…][/dbname][?key=value&…]`
fn parse_uri(rest: &str) -> Result<Pairs, Fault> {
    let mut pairs = Pairs::new();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, dbname) = rest.split_once('/').unwrap_or((rest, ""));
    let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    for (key, value) in [("user", user), ("password", password), ("dbname", dbname)] {
        if !value.is_empty() {
            insert(&mut pairs, key, decode(value)?)?;
        }
    }
    let places: Vec<_> = hosts
        .split(',')
        .map(host_and_port)
        .collect::<Result<_, _>>()?;
    if !hosts.is_empty() {
        let names: Vec<_> = places.iter().map(|(name, _)| name.as_str()).collect();
        let ports: Vec<_> = places.iter().map(|(_, port)| port.as_str()).collect();
        insert(&mut pairs, "host", names.join(","))?;
        if ports.iter().any(|port| !port.is_empty()) {
            insert(&mut pairs, "port", ports.join(","))?;
        }
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(invalid(format!(
                "missing key/value separator \"=\" in URI query parameter: \"{pair}\""
            )));
        };
        match (key, value) {
            ("ssl", "true") => insert(&mut pairs, "sslmode", "require".into())?,
            _ => insert(&mut pairs, &decode(key)?, decode(value)?)?,
        }
    }
    Ok(pairs)
}

fn host_and_port(place: &str) -> Result<(String, String), Fault> {
    if let Some(rest) = place.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else {
            return Err(invalid(
                "end of string reached when looking for matching \"]\" in IPv6 host address in URI",
            ));
        };
        return Ok((
            address.into(),
            after.strip_prefix(':').unwrap_or_default().into(),
        ));
    }
    let (name, port) = place.split_once(':').unwrap_or((place, ""));
    Ok((decode(name)?, port.into()))
}

fn decode(text: &str) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) if high + low > 0 => bytes.push((high * 16 + low) as u8),
            _ => return Err(invalid("invalid percent-encoded token")),
        }
    }
    String::from_utf8(bytes).map_err(|_| invalid("percent-encoded text is not UTF-8"))
}

fn insert(pairs: &mut Pairs, key: &str, value: String) -> Result<(), Fault> {
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

fn check(text: &str, mut pairs: Pairs) -> Result<ConnectionString, Fault> {
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
        text: Secret::new(text),
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

impl Host {
    /// The directory of the socket, where the host is one.
    fn socket(&self) -> Option<&str> {
        match self.name.as_str() {
            _ if self.address.is_some() => None,
            "" => Some(DEFAULT_SOCKET),
            name if name.starts_with(['/', '@']) => Some(name),
            _ => None,
        }
    }

    /// Why this host cannot be dialled, where that is so.
    pub(super) fn refusal(&self) -> Option<String> {
        let place = self.socket().map(|_| self.at())?;
        Some(format!(
            "{place} failed: unix sockets are not available here; name a host, as in host=127.0.0.1"
        ))
    }

    /// The words in which libpq names the place.
    pub(super) fn at(&self) -> String {
        if let Some(directory) = self.socket() {
            return format!(
                "connection to server on socket \"{directory}/.s.PGSQL.{}\"",
                self.port
            );
        }
        match &self.address {
            Some(address) if *address != self.name && !self.name.is_empty() => {
                format!(
                    "connection to server at \"{}\" ({address}), port {}",
                    self.name, self.port
                )
            }
            Some(address) => format!("connection to server at \"{address}\", port {}", self.port),
            None => format!(
                "connection to server at \"{}\", port {}",
                self.name, self.port
            ),
        }
    }
}

fn hosts(
    names: Option<String>,
    addresses: Option<String>,
    ports: Option<String>,
) -> Result<Vec<Host>, Fault> {
    let list = |text: &Option<String>| -> Vec<String> {
        text.as_deref()
            .map(|text| text.split(',').map(|item| item.trim().to_owned()).collect())
            .unwrap_or_default()
    };
    let ports: Vec<u16> = list(&ports)
        .iter()
        .map(|text| port(text))
        .collect::<Result<_, _>>()?;
    let (names, addresses) = (list(&names), list(&addresses));
    let count = names.len().max(addresses.len());
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        let message = format!(
            "could not match {} host names to {} hostaddr values\n",
            names.len(),
            addresses.len()
        );
        return Err(refused(message));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(refused(format!(
            "could not match {} port numbers to {count} hosts\n",
            ports.len()
        )));
    }
    let port_of = |at: usize| {
        ports
            .get(at)
            .or(ports.first())
            .copied()
            .unwrap_or(DEFAULT_PORT)
    };
    // Without a name, libpq turns to the socket of this machine.
    Ok((0..count.max(1))
        .map(|at| Host {
            name: names.get(at).cloned().unwrap_or_default(),
            address: addresses
                .get(at)
                .filter(|address| !address.is_empty())
                .cloned(),
            port: port_of(at),
        })
        .collect())
}

fn port(text: &str) -> Result<u16, Fault> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    match text.parse::<i64>() {
        Ok(number) => u16::try_from(number)
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| refused(format!("invalid port number: \"{text}\"\n"))),
        Err(_) => Err(refused(format!(
            "invalid integer value \"{text}\" for connection option \"port\"\n"
        ))),
    }
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
