//! The two forms in which libpq writes connection strings, as pairs of key and value.

use super::connection_string::invalid;
use super::keywords::Pairs;
use crate::fault::Fault;
use crate::limits::Limits;

/// What is left of a URI where a user or password in it was cut short.
const UNENCODED: &str = "the URI names no port where one belongs; in a user or password, write @ as %40, : as %3A, / as %2F and ? as %3F";

/// Reads either form.
///
/// # Errors
/// In the words of libpq.
pub(super) fn parse(text: &str, limits: &Limits) -> Result<Pairs, Fault> {
    if text.len() > limits.connection_string_bytes {
        return Err(invalid(format!(
            "it is longer than connection_string_bytes = {} allows",
            limits.connection_string_bytes
        )));
    }
    let mut pairs = Pairs::new(limits);
    let uri = ["postgresql://", "postgres://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match uri {
        Some(rest) => parse_uri(rest, &mut pairs)?,
        None => parse_pairs(text, &mut pairs)?,
    }
    Ok(pairs)
}

/// `key = value key='quoted value'`, with backslash escapes; the last of equal keys wins.
fn parse_pairs(text: &str, pairs: &mut Pairs) -> Result<(), Fault> {
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| c == '=' || c.is_ascii_whitespace())
            .unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let Some(after) = after.trim_ascii_start().strip_prefix('=') else {
            return Err(match pairs.may_quote() {
                true => invalid(format!(
                    "missing \"=\" after \"{key}\" in connection info string"
                )),
                false => invalid("missing \"=\" behind the password in connection info string"),
            });
        };
        let (value, after) = parse_value(after.trim_ascii_start())?;
        pairs.insert(key, value)?;
        rest = after.trim_ascii_start();
    }
    Ok(())
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
///
/// What is wrong is told without quoting where it can be a part of a password that was not encoded.
fn parse_uri(rest: &str, pairs: &mut Pairs) -> Result<(), Fault> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    if query.contains('@') {
        pairs.quote_nothing();
    }
    let (authority, dbname) = rest.split_once('/').unwrap_or((rest, ""));
    let (credentials, hosts) = authority.split_once('@').unwrap_or(("", authority));
    if hosts.contains('@') || dbname.contains('@') {
        return Err(invalid(UNENCODED));
    }
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    for (key, value) in [("user", user), ("password", password), ("dbname", dbname)] {
        if !value.is_empty() {
            pairs.insert(key, decode(value)?)?;
        }
    }
    let places: Vec<_> = hosts
        .split(',')
        .map(host_and_port)
        .collect::<Result<_, _>>()?;
    if !hosts.is_empty() {
        let names: Vec<_> = places.iter().map(|(name, _)| name.as_str()).collect();
        let ports: Vec<_> = places.iter().map(|(_, port)| *port).collect();
        pairs.insert("host", names.join(","))?;
        if ports.iter().any(|port| !port.is_empty()) {
            pairs.insert("port", ports.join(","))?;
        }
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(invalid(
                "missing key/value separator \"=\" in URI query parameter",
            ));
        };
        match (key, value) {
            ("ssl", "true") => pairs.insert("sslmode", "require".into())?,
            _ => pairs.insert(&decode(key)?, decode(value)?)?,
        }
    }
    Ok(())
}

fn host_and_port(place: &str) -> Result<(String, &str), Fault> {
    let (name, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let Some((address, after)) = rest.split_once(']') else {
                return Err(invalid(
                    "end of string reached when looking for matching \"]\" in IPv6 host address in URI",
                ));
            };
            if !after.is_empty() && !after.starts_with(':') {
                return Err(invalid(
                    "unexpected character behind the \"]\" of an IPv6 host address in URI",
                ));
            }
            (address.into(), after.strip_prefix(':').unwrap_or_default())
        }
        None => {
            let (name, port) = place.split_once(':').unwrap_or((place, ""));
            (decode(name)?, port)
        }
    };
    // The list is taken apart at commas later.
    if name.contains(',') {
        return Err(invalid("a host name in the URI holds a comma"));
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid(UNENCODED));
    }
    Ok((name, port))
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
