//! Text of a manifest as Markdown that shows it and does nothing else.
//!
//! Connectors need not be trusted, and their words land in documents that other programs render: no
//! markup, no HTML, no cell of a table and no directive of mdBook comes out of them.

use std::fmt::Write as _;

/// What Markdown, HTML or mdBook may read as more than text, wherever it stands.
const MARKS: &str = r"\`*[<|#&~{$";

/// What code cannot hold: it ends code, divides cells, or is read by mdBook or by readers of HTML first.
const NOT_IN_CODE: [char; 8] = ['`', '|', '<', '>', '&', '{', '}', '\\'];

/// What begins a list, a heading or a rule at the start of a line.
const LEADING: &str = "-+=.)>";

/// One line of text. What is between two backticks is code, as in descriptions of JSON Schemas.
pub(super) fn line(text: &str) -> String {
    words(text, true)
}

/// As [`line`], for a cell of a table.
pub(super) fn cell(text: &str) -> String {
    words(text, false)
}

fn words(text: &str, is_leading: bool) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // Backticks that have no counterpart are only that.
    let has_pairs = !parts.len().is_multiple_of(2);
    let parts = parts.iter().enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        0 => Some(escaped(part, is_leading && at == 0)),
        _ => span(part),
    });
    let marked: Option<String> = parts.collect();
    let marked = marked.filter(|_| has_pairs);
    marked
        .unwrap_or_else(|| escaped(text, true))
        .trim()
        .to_owned()
}

/// A name, word or value in the type of code, or as text where code could not show it.
pub(super) fn code(text: &str) -> String {
    span(text).unwrap_or_else(|| escaped(text, false))
}

fn span(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_alphanumeric() || c == ' ' || c.is_ascii_graphic();
    let is_code = !text.is_empty()
        && text.trim() == text
        && text.chars().all(is_plain)
        && !text.contains(NOT_IN_CODE);
    is_code.then(|| format!("`{text}`"))
}

/// JSON text for a block of code.
///
/// What mdBook would take for a directive is written in another way that JSON reads as the same.
pub(super) fn json(text: &str) -> Option<String> {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    is_json.then(|| text.trim().replace("{{", "{\\u007b"))
}

/// Text in which no character is more than itself; `is_leading` where it begins a line.
fn escaped(text: &str, mut is_leading: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        let is_inside_word = || before.is_some_and(char::is_alphanumeric);
        match c {
            ' ' if before == Some(' ') => continue,
            '_' if is_inside_word() => out.push(c),
            _ if MARKS.contains(c) || c == '_' || (is_leading && LEADING.contains(c)) => {
                let _ = write!(out, "\\{c}");
            }
            _ => out.push(c),
        }
        // Digits before a dot are still the start of a list.
        is_leading &= c == ' ' || c.is_ascii_digit();
        before = Some(c);
    }
    out
}
