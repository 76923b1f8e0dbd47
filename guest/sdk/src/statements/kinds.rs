//! Tells which kinds of statements a text holds, for those who allow some and refuse others.
//!
//! Only PostgreSQL knows what a statement does. What is told here is what the text can begin: never
//! too few kinds, at times one too many, such as `update` for a column of that name without quotes.

use crate::lex::{self, Kind, Token};
use std::collections::BTreeSet;

/// Every kind: the keyword that such statements begin with. `values` and `table` count as `select`,
/// `with` as what follows; what begins or ends transactions is not listed, as plans cannot hold it.
pub const KINDS: &[&str] = &[
    "alter",
    "analyze",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "copy",
    "create",
    "deallocate",
    "declare",
    "delete",
    "discard",
    "do",
    "drop",
    "execute",
    "explain",
    "fetch",
    "grant",
    "import",
    "insert",
    "listen",
    "load",
    "lock",
    "merge",
    "move",
    "notify",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "security",
    "select",
    "set",
    "show",
    "truncate",
    "unlisten",
    "update",
    "vacuum",
];

/// The kind of what begins like none of [`KINDS`].
pub const UNKNOWN: &str = "unknown";

/// Kinds that change rows.
const CHANGES: [&str; 4] = ["insert", "update", "delete", "merge"];

/// Kinds that can stand inside of another statement.
const INNER: [&str; 8] = [
    "insert", "update", "delete", "merge", "create", "declare", "execute", "refresh",
];

/// How a query begins.
const QUERIES: [&str; 4] = ["select", "values", "table", "with"];

/// The kinds of one statement: its own, and those of the statements in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    names: BTreeSet<&'static str>,
    uncounted: bool,
}

impl Kinds {
    /// The kinds in the text of one statement; none where it is empty.
    ///
    /// Beside the keyword that a statement begins with, these count: what EXPLAIN, PREPARE, DECLARE,
    /// COPY, CREATE … AS and CREATE SCHEMA hold; changes of rows in WITH, and those of ON CONFLICT and MERGE; `create`
    /// for SELECT INTO. What functions do, and code in literals as that of DO, is not seen.
    #[must_use]
    pub fn of(sql: &str) -> Kinds {
        let words = lex::words(sql);
        let mut kinds = Kinds::default();
        let Some(leading) = kinds.lead(&words) else {
            return kinds;
        };
        kinds.add_grants(leading);
        if !names_privileges_or_events(leading) {
            kinds.add_changes(&words);
            kinds.add_select_into(&words);
        }
        kinds.uncounted |= kinds.has("explain") && kinds.changes_rows();
        if words.iter().any(is_ambiguous) {
            kinds.add_every_word(sql);
        }
        kinds
    }

    /// Their keywords, in lower case and in order; [`UNKNOWN`] for what no statement begins with.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied()
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether rows of a table are inserted, updated or deleted.
    #[must_use]
    pub fn changes_rows(&self) -> bool {
        CHANGES.iter().any(|change| self.has(change))
    }

    /// Whether all are queries or describe something.
    #[must_use]
    pub fn only_read(&self) -> bool {
        let mut names = self.names();
        names.all(|name| ["select", "show", "explain"].contains(&name))
    }

    /// Whether all are queries, changes of rows, or describe something.
    #[must_use]
    pub fn only_read_or_change_rows(&self) -> bool {
        let mut names = self.names();
        names.all(|name| ["select", "show", "explain"].contains(&name) || CHANGES.contains(&name))
    }

    /// Whether rows change that the server leaves out when it counts the rows of the statement: those
    /// that a WITH query or EXPLAIN ANALYZE changes.
    #[must_use]
    pub fn changes_uncounted_rows(&self) -> bool {
        self.uncounted
    }

    fn add(&mut self, name: &'static str) {
        self.names.insert(name);
    }

    /// Adds what the statement begins with, and what those begin with that it holds. Gives the words
    /// of the innermost; none where there are none.
    fn lead<'w, 't>(&mut self, words: &'w [Token<'t>]) -> Option<&'w [Token<'t>]> {
        let mut rest = words;
        loop {
            let opening = rest.iter().take_while(|word| word.is("(")).count();
            rest = rest.get(opening..).unwrap_or_default();
            let (first, behind) = rest.split_first()?;
            let is = |word: &&&str| first.is_word(word);
            let keyword = match KINDS.iter().chain(&QUERIES).find(is) {
                Some(&("values" | "table")) => "select",
                Some(keyword) => *keyword,
                None if first.is_word("analyse") => "analyze",
                // The server will refuse it, or knows more than this table.
                None => UNKNOWN,
            };
            if keyword != "with" {
                self.add(keyword);
            }
            let inner = match keyword {
                "explain" => Some(behind_options(behind)),
                "prepare" => behind_word(behind, "as"),
                "declare" => behind_word(behind, "for"),
                "copy" => Some(behind).filter(|behind| begins_with(behind, "(")),
                "create" => query_of(rest),
                "with" => {
                    let selects = is_any(&QUERIES[..3]);
                    if behind.iter().any(selects) {
                        self.add("select");
                    }
                    None
                }
                _ => None,
            };
            match inner {
                Some(inner) if !inner.is_empty() => rest = inner,
                _ => return Some(rest),
            }
        }
    }

    /// Adds what CREATE SCHEMA and ALTER DEFAULT PRIVILEGES hold.
    fn add_grants(&mut self, words: &[Token<'_>]) {
        let holds = match words {
            [first, second, ..] => {
                (first.is_word("create") && second.is_word("schema"))
                    || (first.is_word("alter") && second.is_word("default"))
            }
            _ => false,
        };
        for kind in ["grant", "revoke"] {
            if holds && words.iter().any(|word| word.is_word(kind)) {
                self.add(kind);
            }
        }
    }

    /// Adds changes of rows wherever one may begin.
    fn add_changes(&mut self, words: &[Token<'_>]) {
        let mut depth = 0_usize;
        for (at, word) in words.iter().enumerate() {
            if word.is("(") {
                depth += 1;
            } else if word.is(")") {
                depth = depth.saturating_sub(1);
            }
            let change = CHANGES.iter().find(|change| word.is_word(change));
            let before = words.get(..at).unwrap_or_default();
            if let Some(change) = change.filter(|_| may_begin_behind(before)) {
                self.add(change);
                // ON CONFLICT DO UPDATE and WHEN MATCHED THEN DELETE belong to what is counted.
                let own = before.last().is_some_and(is_any(&["do", "then"]));
                self.uncounted |= depth > 0 && !own;
            }
        }
    }

    /// Adds `create` for INTO that is not of INSERT or MERGE.
    fn add_select_into(&mut self, words: &[Token<'_>]) {
        for (at, _) in words
            .iter()
            .enumerate()
            .filter(|(_, word)| word.is_word("into"))
        {
            let before = words.get(..at).unwrap_or_default();
            let behind = words.get(at + 1..).unwrap_or_default();
            let inserts = before.last().is_some_and(is_any(&["insert", "merge"]));
            if !inserts || ends_a_select_list(behind) {
                self.add("create");
            }
        }
    }

    /// Adds what any word of the text could stand for, be it in a literal or a comment.
    fn add_every_word(&mut self, sql: &str) {
        self.uncounted |= {
            let words = sql.split(|c: char| !lex::continues_ident(c));
            let found = words.map(str::to_ascii_lowercase);
            let before = self.names.len();
            for word in found {
                match word.as_str() {
                    "into" => self.add("create"),
                    word => self
                        .names
                        .extend(INNER.iter().find(|inner| **inner == word)),
                }
            }
            self.names.len() > before
        };
    }
}

fn is_any(list: &[&str]) -> impl Fn(&Token<'_>) -> bool {
    move |token| list.iter().any(|word| token.is_word(word))
}

fn begins_with(words: &[Token<'_>], text: &str) -> bool {
    words.first().is_some_and(|word| word.is(text))
}

/// What stands behind the first `word`.
fn behind_word<'w, 't>(words: &'w [Token<'t>], word: &str) -> Option<&'w [Token<'t>]> {
    let at = words.iter().position(|token| token.is_word(word))?;
    words.get(at + 1..)
}

/// What EXPLAIN explains.
fn behind_options<'w, 't>(words: &'w [Token<'t>]) -> &'w [Token<'t>] {
    let skipped = if begins_with(words, "(") {
        let inner = words.iter().find(|word| !word.is("("));
        if inner.is_some_and(is_any(&QUERIES)) {
            0
        } else {
            let end = words.iter().position(|word| word.is(")"));
            end.map_or(words.len(), |end| end + 1)
        }
    } else {
        let option = is_any(&["analyze", "analyse", "verbose"]);
        words.iter().take_while(|word| option(word)).count()
    };
    words.get(skipped..).unwrap_or_default()
}

/// The query of CREATE TABLE AS, of a view or of a materialized view.
fn query_of<'w, 't>(words: &'w [Token<'t>]) -> Option<&'w [Token<'t>]> {
    let begins = |behind: &&[Token<'_>]| {
        let inner = behind.iter().find(|word| !word.is("("));
        inner.is_some_and(|word| is_any(&QUERIES)(word) || word.is_word("execute"))
    };
    let positions = words.iter().enumerate();
    positions
        .filter(|(_, word)| word.is_word("as"))
        .filter_map(|(at, _)| words.get(at + 1..))
        .find(begins)
}

/// GRANT and REVOKE list privileges, CREATE TRIGGER events: by the names of kinds.
fn names_privileges_or_events(words: &[Token<'_>]) -> bool {
    let Some((first, behind)) = words.split_first() else {
        return false;
    };
    let modifier = is_any(&["or", "replace", "constraint", "event"]);
    let mut behind = behind.iter().skip_while(|word| modifier(word));
    is_any(&["grant", "revoke"])(first)
        || (first.is_word("create") && behind.next().is_some_and(is_any(&["trigger"])))
}

/// Whether a statement may begin behind these words. Those that rule it out are reserved, so none of
/// them can be the name in front of a statement, as in `WITH … SEARCH … SET name DELETE`.
fn may_begin_behind(words: &[Token<'_>]) -> bool {
    match words {
        [.., last] if last.is(".") || last.is(",") => false,
        [.., last] if is_any(&["for", "on", "or", "grant"])(last) => false,
        [.., a, b, c] => !(a.is_word("for") && b.is_word("no") && c.is_word("key")),
        _ => true,
    }
}

/// Whether these words, behind INTO, name the table of SELECT INTO: what follows the name cannot
/// follow that of INSERT or MERGE. `insert` is a name of the select list then.
fn ends_a_select_list(words: &[Token<'_>]) -> bool {
    const PERSISTENCE: [&str; 6] = ["local", "global", "temporary", "temp", "unlogged", "table"];
    const CLAUSES: [&str; 13] = [
        "from",
        "where",
        "group",
        "having",
        "window",
        "union",
        "intersect",
        "except",
        "order",
        "limit",
        "offset",
        "fetch",
        "for",
    ];
    let mut rest = words
        .iter()
        .skip_while(|word| is_any(&PERSISTENCE)(word))
        .skip(1)
        .peekable();
    // A name has three parts at most, so long texts take no longer.
    for _ in 0..2 {
        if rest.next_if(|word| word.is(".")).is_some() {
            rest.next();
        }
    }
    rest.next()
        .is_none_or(|next| next.is(")") || next.is(";") || is_any(&CLAUSES)(next))
}

/// A literal that ends elsewhere where the session has `standard_conforming_strings` off, or one that
/// goes on behind a line break.
fn is_ambiguous(token: &Token<'_>) -> bool {
    let literal = matches!(token.kind, Kind::String | Kind::Unterminated);
    literal && token.text.contains('\\') && !token.text.starts_with(['e', 'E', '$'])
}

#[cfg(test)]
mod tests;
