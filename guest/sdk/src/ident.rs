//! Names of tables, columns and other database objects.

use crate::lex::{self, Kind};
use std::fmt;

/// Longest name that PostgreSQL keeps: it would cut a longer one, so two names could become one.
pub const MAX_NAME_BYTES: usize = 63;

/// Most parts of a qualified name: database, schema and object.
const MAX_NAME_PARTS: usize = 3;

/// One name as the server stores it. It is quoted wherever it goes into SQL, so a reserved word or
/// a name with spaces is as good as any other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidIdent(String);

impl fmt::Display for InvalidIdent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidIdent {}

impl Ident {
    /// Reads one name by PostgreSQL's rules: a bare name folds to lower case, a quoted one keeps
    /// its case. White space around it is ignored.
    ///
    /// # Errors
    /// When `text` is anything but one name, or is longer than [`MAX_NAME_BYTES`].
    pub fn parse(text: &str) -> Result<Ident, InvalidIdent> {
        let name = QualifiedName::parse(text)?;
        match <[Ident; 1]>::try_from(name.0) {
            Ok([ident]) => Ok(ident),
            Err(_) => Err(InvalidIdent(format!(
                "{} is a qualified name; one name is wanted",
                shown(text)
            ))),
        }
    }

    /// Reads the identifier that the word or quoted identifier `token` spells.
    ///
    /// # Errors
    /// When the token is neither, or the name is longer than [`MAX_NAME_BYTES`].
    pub fn from_token(token: lex::Token<'_>) -> Result<Ident, InvalidIdent> {
        let name = match token.kind {
            Kind::Word => token.text.to_ascii_lowercase(),
            Kind::QuotedIdent if token.text.starts_with('"') => {
                let inner = token.text.get(1..token.text.len() - 1).unwrap_or_default();
                inner.replace("\"\"", "\"")
            }
            _ => return Err(InvalidIdent(format!("{} is not a name", shown(token.text)))),
        };
        Ident::new(name)
    }

    /// Takes `name` as it is, without folding.
    ///
    /// # Errors
    /// When it is empty, holds a NUL or is longer than [`MAX_NAME_BYTES`].
    pub fn new(name: String) -> Result<Ident, InvalidIdent> {
        if name.is_empty() {
            return Err(InvalidIdent("a name must not be empty".into()));
        }
        if name.contains('\0') {
            return Err(InvalidIdent(
                "a name must not contain a NUL character".into(),
            ));
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(InvalidIdent(format!(
                "{} is longer than the {MAX_NAME_BYTES} bytes that a name can have",
                shown(&name)
            )));
        }
        Ok(Ident(name))
    }

    /// The name as the server stores it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name in double quotes, as it goes into SQL.
impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// One to three names joined by dots, such as `public.users`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualifiedName(Vec<Ident>);

impl QualifiedName {
    /// Reads a name such as `users`, `public.users` or `"My Schema"."My Table"`.
    ///
    /// # Errors
    /// When `text` is anything but such a name.
    pub fn parse(text: &str) -> Result<QualifiedName, InvalidIdent> {
        let words = lex::words(text);
        if lex::tokens(text).any(|token| token.kind == Kind::Comment) {
            return Err(not_a_name(text));
        }
        let mut parts = Vec::new();
        for (at, token) in words.iter().enumerate() {
            if at % 2 == 0 {
                parts.push(Ident::from_token(*token).map_err(|error| match token.kind {
                    Kind::Word | Kind::QuotedIdent => error,
                    _ => not_a_name(text),
                })?);
            } else if !token.is(".") {
                return Err(not_a_name(text));
            }
        }
        if parts.is_empty() || parts.len() > MAX_NAME_PARTS || words.len().is_multiple_of(2) {
            return Err(not_a_name(text));
        }
        Ok(QualifiedName(parts))
    }

    /// The parts, outermost first. There is at least one.
    #[must_use]
    pub fn parts(&self) -> &[Ident] {
        &self.0
    }
}

impl From<Ident> for QualifiedName {
    fn from(ident: Ident) -> Self {
        QualifiedName(vec![ident])
    }
}

/// The quoted names joined by dots, as they go into SQL.
impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            write!(f, "{part}")?;
        }
        Ok(())
    }
}

fn not_a_name(text: &str) -> InvalidIdent {
    InvalidIdent(format!(
        "{} is not a name; write users, public.users or \"Any Text\" in double quotes",
        shown(text)
    ))
}

/// The text for a message, cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_server() {
        for (text, expected) in [
            ("users", r#""users""#),
            ("Users", r#""users""#),
            ("  users\n", r#""users""#),
            (r#""Users""#, r#""Users""#),
            (r#""a""b""#, r#""a""b""#),
            ("public.users", r#""public"."users""#),
            (r#"Public . "My Table""#, r#""public"."My Table""#),
            ("select", r#""select""#),
            ("naïve$1", r#""naïve$1""#),
            ("ÉTÉ", r#""ÉtÉ""#),
        ] {
            assert_eq!(
                QualifiedName::parse(text).unwrap().to_string(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", " ", ".", "a.", ".a", "a..b", "a b", "a;", "a--", "a/**/", "a,b", "1a", "$a",
            "a.b.c.d", "\"\"", "\"open", "a\"b\"", "'a'", "a(", "a.*", "U&\"x\"", "\"a\0b\"",
            "a\0b",
        ] {
            assert!(QualifiedName::parse(text).is_err(), "{text:?}");
        }
        assert!(QualifiedName::parse(&"x".repeat(63)).is_ok());
        assert!(QualifiedName::parse(&"x".repeat(64)).is_err());
        assert!(Ident::parse("a.b").is_err());
    }
}
