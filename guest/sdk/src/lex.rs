//! PostgreSQL's lexical rules: where words, literals, comments and operators begin and end.
//!
//! This module cuts SQL text into tokens and never changes a byte of it: the tokens laid end to end
//! are the text again. It follows the server's scanner with `standard_conforming_strings` on. What
//! the tokens mean is left to [`crate::statements`] and to the connectors' own grammars.

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// White space.
    Space,
    /// `-- …` or `/* … */`, nested.
    Comment,
    /// An unquoted identifier or key word.
    Word,
    /// `"…"`, with the quotes.
    QuotedIdent,
    /// `'…'`, `E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'` or `$tag$…$tag$`, with the quotes.
    String,
    /// An integer or decimal number, without a sign.
    Number,
    /// `$1`
    Parameter,
    /// `( ) [ ] , ; .` and the colons `:`, `::`, `:=`
    Punctuation,
    /// A run of operator characters.
    Operator,
    /// A literal, comment or quoted identifier that the text ends inside of.
    Unterminated,
    /// A character that begins no token.
    Unknown,
}

/// One piece of SQL text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// The text, exactly as written.
    pub text: &'a str,
    /// Offset of the text in bytes.
    pub start: usize,
}

impl Token<'_> {
    /// Whether this is the key word or unquoted identifier `word`, in any case.
    #[must_use]
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether this is the punctuation or operator `text`.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Punctuation | Kind::Operator) && self.text == text
    }

    /// Whether the server skips this token.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::Space | Kind::Comment)
    }
}

/// Cuts `sql` into tokens.
pub fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = sql.get(start..).filter(|rest| !rest.is_empty())?;
        let (kind, length) = first(rest);
        let text = rest.get(..length)?;
        let token = Token { kind, text, start };
        start += length;
        Some(token)
    })
}

/// Cuts `sql` into tokens, without white space and comments.
#[must_use]
pub fn words(sql: &str) -> Vec<Token<'_>> {
    tokens(sql).filter(|token| !token.is_blank()).collect()
}

/// Kind and length in bytes of the first token of `rest`, which is not empty.
fn first(rest: &str) -> (Kind, usize) {
    let mut characters = rest.chars();
    let Some(head) = characters.next() else {
        return (Kind::Unknown, 0);
    };
    let next = characters.next();
    match head {
        c if is_space(c) => (Kind::Space, run(rest, is_space)),
        '-' if next == Some('-') => (Kind::Comment, rest.find(['\n', '\r']).unwrap_or(rest.len())),
        '/' if next == Some('*') => block_comment(rest),
        '\'' => quoted(rest, 0, Kind::String, false),
        '"' => quoted(rest, 0, Kind::QuotedIdent, false),
        'e' | 'E' if next == Some('\'') => quoted(rest, 1, Kind::String, true),
        'b' | 'B' | 'x' | 'X' | 'n' | 'N' if next == Some('\'') => {
            quoted(rest, 1, Kind::String, false)
        }
        'u' | 'U' if rest.get(1..3) == Some("&'") => quoted(rest, 2, Kind::String, false),
        'u' | 'U' if rest.get(1..3) == Some("&\"") => quoted(rest, 2, Kind::QuotedIdent, false),
        c if starts_ident(c) => (Kind::Word, run(rest, continues_ident)),
        '$' => dollar(rest),
        '0'..='9' => (Kind::Number, number(rest)),
        '.' if next.is_some_and(|c| c.is_ascii_digit()) => (Kind::Number, number(rest)),
        '(' | ')' | '[' | ']' | ',' | ';' | '.' => (Kind::Punctuation, 1),
        ':' if matches!(next, Some(':' | '=')) => (Kind::Punctuation, 2),
        ':' => (Kind::Punctuation, 1),
        c if is_operator(c) => (Kind::Operator, operator(rest)),
        c => (Kind::Unknown, c.len_utf8()),
    }
}

/// White space as the server's scanner has it.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Whether an unquoted identifier can begin with `c`.
pub(crate) fn starts_ident(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

/// Whether an unquoted identifier can go on with `c`.
pub(crate) fn continues_ident(c: char) -> bool {
    starts_ident(c) || c.is_ascii_digit() || c == '$'
}

fn is_operator(c: char) -> bool {
    matches!(
        c,
        '+' | '-'
            | '*'
            | '/'
            | '<'
            | '>'
            | '='
            | '~'
            | '!'
            | '@'
            | '#'
            | '%'
            | '^'
            | '&'
            | '|'
            | '`'
            | '?'
    )
}

/// Length in bytes of the longest prefix whose characters all satisfy `accept`.
fn run(rest: &str, accept: fn(char) -> bool) -> usize {
    rest.find(|c| !accept(c)).unwrap_or(rest.len())
}

/// Comments nest: `/* a /* b */ c */` is one.
fn block_comment(rest: &str) -> (Kind, usize) {
    let bytes = rest.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return (Kind::Comment, at);
        }
    }
    (Kind::Unterminated, rest.len())
}

/// A quoted token whose quote stands at `prefix`. A doubled quote stands for itself; with
/// `backslash`, so does an escaped one.
fn quoted(rest: &str, prefix: usize, kind: Kind, backslash: bool) -> (Kind, usize) {
    let bytes = rest.as_bytes();
    let quote = bytes.get(prefix).copied();
    let mut at = prefix + 1;
    while let Some(byte) = bytes.get(at).copied() {
        if backslash && byte == b'\\' {
            at += 2;
        } else if Some(byte) != quote {
            at += 1;
        } else if bytes.get(at + 1).copied() == quote {
            at += 2;
        } else {
            return (kind, at + 1);
        }
    }
    (Kind::Unterminated, rest.len())
}

/// `$1`, or a dollar-quoted string, whose tag is empty or an identifier without dollar signs.
fn dollar(rest: &str) -> (Kind, usize) {
    let digits = rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        return (Kind::Parameter, 1 + digits);
    }
    let tag = rest.get(1..).and_then(|tail| {
        let name = tail.split_once('$')?.0;
        let valid = name.chars().all(|c| continues_ident(c) && c != '$')
            && name.chars().next().is_none_or(starts_ident);
        valid.then(|| rest.get(..name.len() + 2)).flatten()
    });
    let Some(tag) = tag else {
        return (Kind::Unknown, 1);
    };
    match rest.get(tag.len()..).and_then(|body| body.find(tag)) {
        Some(end) => (Kind::String, tag.len() + end + tag.len()),
        None => (Kind::Unterminated, rest.len()),
    }
}

/// `42`, `4.2`, `.5`, `4.`, `1e5`, `0x1F`, `1_000`; a letter that follows begins the next token.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let radix: Option<fn(&u8) -> bool> = match bytes.get(..2) {
        Some(b"0x" | b"0X") => Some(u8::is_ascii_hexdigit),
        Some(b"0o" | b"0O") => Some(|byte| (b'0'..=b'7').contains(byte)),
        Some(b"0b" | b"0B") => Some(|byte| (b'0'..=b'1').contains(byte)),
        _ => None,
    };
    if let Some(digit) = radix {
        let end = digits(bytes, 2, true, digit);
        return if end > 2 { end } else { 1 };
    }
    let decimals = |from| digits(bytes, from, false, u8::is_ascii_digit);
    let mut end = decimals(0);
    // `1..10` is a range in PL/pgSQL, not a decimal.
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1) != Some(&b'.') {
        end = decimals(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = decimals(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}

/// Where the digits end that begin at `from`. Single underscores may stand between them, and in front
/// of the first one behind a `prefix`.
fn digits(bytes: &[u8], from: usize, prefix: bool, digit: fn(&u8) -> bool) -> usize {
    let mut end = from;
    loop {
        let underscore = (prefix || end > from) && bytes.get(end) == Some(&b'_');
        let next = end + usize::from(underscore);
        if !bytes.get(next).is_some_and(digit) {
            return end;
        }
        end = next + 1;
    }
}

/// A run of operator characters stops before a comment.
fn operator(rest: &str) -> usize {
    let length = run(rest, is_operator);
    let run = rest.get(..length).unwrap_or(rest);
    let comment = [run.find("--"), run.find("/*")].into_iter().flatten().min();
    match comment {
        Some(0) | None => length,
        Some(start) => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &[(Kind, &str)]) {
        let found: Vec<_> = tokens(sql).filter(|t| t.kind != Kind::Space).collect();
        let found: Vec<_> = found.iter().map(|t| (t.kind, t.text)).collect();
        assert_eq!(found, expected, "{sql}");
        let joined: String = tokens(sql).map(|t| t.text).collect();
        assert_eq!(joined, sql);
    }

    #[test]
    fn literals_and_comments() {
        use Kind::{Comment, Number, Operator, Parameter, QuotedIdent, String, Unterminated, Word};
        check("'it''s'", &[(String, "'it''s'")]);
        check(r"'a\' 'b'", &[(String, r"'a\'"), (String, "'b'")]);
        check(r"E'a\'b' x", &[(String, r"E'a\'b'"), (Word, "x")]);
        check(
            "U&'x' U&\"y\"",
            &[(String, "U&'x'"), (QuotedIdent, "U&\"y\"")],
        );
        check(
            "$$a;b$$ $t$ $$ $t$",
            &[(String, "$$a;b$$"), (String, "$t$ $$ $t$")],
        );
        check("a$b $1", &[(Word, "a$b"), (Parameter, "$1")]);
        check(
            "/* a /* ; */ b */ 1",
            &[(Comment, "/* a /* ; */ b */"), (Number, "1")],
        );
        check(
            "1 -- ;\n2",
            &[(Number, "1"), (Comment, "-- ;"), (Number, "2")],
        );
        check("'open", &[(Unterminated, "'open")]);
        check("$a$ open", &[(Unterminated, "$a$ open")]);
        check(
            "3-.5e-2",
            &[(Number, "3"), (Operator, "-"), (Number, ".5e-2")],
        );
        check(
            "110._ 1_0 0x 0x_1F 1__0",
            &[
                (Number, "110."),
                (Word, "_"),
                (Number, "1_0"),
                (Number, "0"),
                (Word, "x"),
                (Number, "0x_1F"),
                (Number, "1"),
                (Word, "__0"),
            ],
        );
        check("a<@--x", &[(Word, "a"), (Operator, "<@"), (Comment, "--x")]);
        check("日本 é", &[(Word, "日本"), (Word, "é")]);
    }
}
