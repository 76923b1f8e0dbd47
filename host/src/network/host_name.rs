//! Names of hosts, in one spelling.

use std::fmt;
use std::net::IpAddr;
use thiserror::Error;

/// Longest name, and longest part of one between dots, in bytes: the DNS has none that are longer.
const MAX_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// Name of a host: ASCII letters in lower case, digits, `-` and `_`, in parts with dots between them,
/// without one at the end. It is never an address, in no way of writing one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostName(String);

/// Why a text is no name of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidHostName {
    /// Letters of other alphabets look like ASCII ones, or become such on the way.
    #[error("write the name in its ASCII form, as in xn--bcher-kva.example")]
    NotAscii,
    /// The interface that an address is reached by.
    #[error("an address must not name a zone")]
    Zone,
    /// Octal, hexadecimal or with fewer parts: programs differ in what they make of it.
    #[error("an IPv4 address is written as four decimal numbers, as in 127.0.0.1")]
    Address,
    /// Another character, or a part that is empty or too long.
    #[error(
        "a name is made of letters, digits, - and _ in parts of at most 63 with dots between them"
    )]
    Form,
}

impl HostName {
    /// Takes a name in any case, with or without a dot at its end.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(text: &str) -> Result<HostName, InvalidHostName> {
        if !text.is_ascii() {
            return Err(InvalidHostName::NotAscii);
        }
        if let Some((address, _)) = text.split_once('%')
            && address.parse::<IpAddr>().is_ok()
        {
            return Err(InvalidHostName::Zone);
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let fits = |label: &str| (1..=MAX_LABEL_BYTES).contains(&label.len());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_label = |label: &str| fits(label) && label.bytes().all(plain);
        if name.len() > MAX_BYTES || !name.split('.').all(is_label) {
            return Err(InvalidHostName::Form);
        }
        // What ends in a number is read as an address by resolvers, and no top-level domain is one.
        match name.rsplit('.').next().is_some_and(is_number) {
            true => Err(InvalidHostName::Address),
            false => Ok(HostName(name.to_ascii_lowercase())),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or(label.strip_prefix("0X"));
    let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    label.bytes().all(|byte| byte.is_ascii_digit()) || hexadecimal.is_some_and(is_hexadecimal)
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        for (text, name) in [
            ("DB.Example.", "db.example"),
            ("localhost", "localhost"),
            ("my_db-1", "my_db-1"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("0x7f.example", "0x7f.example"),
            ("1.2.3.4.example", "1.2.3.4.example"),
        ] {
            assert_eq!(HostName::new(text).map(|name| name.0), Ok(name.to_owned()));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        use InvalidHostName::{Address, Form, NotAscii, Zone};
        for (text, reason) in [
            ("0177.0.0.1", Address),
            ("0x7f.1", Address),
            ("0X7F000001", Address),
            ("0x", Address),
            ("127.1", Address),
            ("2130706433", Address),
            ("127.0.0.1.", Address),
            ("256.0.0.1", Address),
            ("example.1", Address),
            ("fe80::1%eth0", Zone),
            ("127.0.0.1%lo", Zone),
            ("[::1]", Form),
            ("::1", Form),
            ("", Form),
            (".", Form),
            ("a..b", Form),
            ("a b", Form),
            ("a\nb", Form),
            ("a\u{7f}", Form),
            ("a%2eb", Form),
            ("user@host", Form),
            ("host:5432", Form),
            ("http://host", Form),
            ("bücher.example", NotAscii),
            ("１２７.0.0.1", NotAscii),
            ("127。0。0。1", NotAscii),
            ("lоcalhost", NotAscii),
            ("local\u{ad}host", NotAscii),
            ("local\u{200b}host", NotAscii),
        ] {
            assert_eq!(HostName::new(text), Err(reason), "{text:?}");
        }
        assert_eq!(HostName::new(&"a".repeat(64)), Err(Form));
        assert_eq!(
            HostName::new(&"a.".repeat(127)).map(|name| name.0.len()),
            Ok(253)
        );
        assert_eq!(HostName::new(&"a.".repeat(128)), Err(Form));
    }
}
