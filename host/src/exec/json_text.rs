//! JSON as text.

use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// Writes JSON text with a space after each colon and comma, as it has always reached `json` columns.
pub(super) fn json(value: &Value, out: &mut String) {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    // Writing a value into memory cannot fail, and gives UTF-8.
    let written = value.serialize(&mut serializer).ok();
    match written.and_then(|()| std::str::from_utf8(&bytes).ok()) {
        Some(text) => out.push_str(text),
        None => out.push_str(&value.to_string()),
    }
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(to, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_follow_colons_and_commas() {
        let mut text = String::new();
        let value = serde_json::from_str(r#"{"b":1,"a":[1,2.50,[],{}]}"#).unwrap();
        json(&value, &mut text);
        assert_eq!(text, r#"{"b": 1, "a": [1, 2.50, [], {}]}"#);
    }
}
