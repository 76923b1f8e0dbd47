//! The two forms in which libpq writes connection strings, as pairs of key and value.

use super::connection_string::{Pairs, insert, invalid};
use crate::fault::Fault;

/// Reads either form.
///
/// # Errors
/// In the words of libpq.
pub(super) fn parse(text: &str) -> Result<Pairs, Fault> {
    let uri = ["postgresql://", "postgres://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match uri {
        Some(rest) => parse_uri(rest),
        None => parse_pairs(text),
    }
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
