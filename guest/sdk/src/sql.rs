//! The one type through which SQL text is put together.

use crate::lex::{Kind, Token};
use crate::{Argument, Ident, QualifiedName};
use std::fmt::Write as _;

/// A statement under construction: its text and the arguments of its parameters.
///
/// Text that is not known when the connector is compiled has no way in except as an identifier,
/// which is quoted, as an argument, which becomes a parameter, as a literal, which is quoted, or
/// through [`Sql::caller_text`], whose name tells what it is.
///
/// ```
/// use airlock_connector::{Argument, QualifiedName, Sql};
///
/// let table = QualifiedName::parse("public.Users")?;
/// let sql = Sql::new("SELECT * FROM ").name(&table).text(" WHERE \"id\" = ").argument(
///     Argument::Input("/schema/id".into()),
/// );
/// assert_eq!(sql.as_str(), r#"SELECT * FROM "public"."users" WHERE "id" = $1"#);
/// # Ok::<(), airlock_connector::InvalidIdent>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sql {
    text: String,
    arguments: Vec<Argument>,
}

impl Sql {
    /// Begins with `text`.
    #[must_use]
    pub fn new(text: &'static str) -> Sql {
        Sql::default().text(text)
    }

    /// Appends text that is part of the connector.
    #[must_use]
    pub fn text(mut self, text: &'static str) -> Sql {
        self.text.push_str(text);
        self
    }

    /// Appends a quoted identifier.
    #[must_use]
    pub fn ident(mut self, ident: &Ident) -> Sql {
        let _ = write!(self.text, "{ident}");
        self
    }

    /// Appends a quoted, possibly qualified name.
    #[must_use]
    pub fn name(mut self, name: &QualifiedName) -> Sql {
        let _ = write!(self.text, "{name}");
        self
    }

    /// Appends the parameter `$n` and remembers what fills it: an [`Argument`], or a parameter of the
    /// call such as [`Passed`](crate::params::Passed).
    #[must_use]
    pub fn argument(mut self, argument: impl Into<Argument>) -> Sql {
        self.arguments.push(argument.into());
        self.parameter()
    }

    /// Appends `text` where `holds`.
    #[must_use]
    pub fn when(self, holds: bool, text: &'static str) -> Sql {
        match holds {
            true => self.text(text),
            false => self,
        }
    }

    /// Appends what `append` adds for a value that is given, and nothing where it is not.
    ///
    /// ```
    /// use airlock_connector::Sql;
    ///
    /// let limited = |limit: Option<u64>| {
    ///     Sql::new("TABLE t").given(limit, |sql, limit| sql.text(" LIMIT ").number(limit))
    /// };
    /// assert_eq!(limited(Some(5)).as_str(), "TABLE t LIMIT 5");
    /// assert_eq!(limited(None).as_str(), "TABLE t");
    /// ```
    #[must_use]
    pub fn given<T>(self, value: Option<T>, append: impl FnOnce(Sql, T) -> Sql) -> Sql {
        match value {
            Some(value) => append(self, value),
            None => self,
        }
    }

    /// Appends the parameter that the next column of a batch fills.
    #[must_use]
    pub fn batch_argument(mut self) -> Sql {
        self.arguments.push(Argument::Literal("null".into()));
        self.parameter()
    }

    fn parameter(mut self) -> Sql {
        let _ = write!(self.text, "${}", self.arguments.len());
        self
    }

    /// Appends a non-negative whole number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Sql {
        let _ = write!(self.text, "{number}");
        self
    }

    /// Appends a number as it is written: digits, a point, an exponent.
    ///
    /// Any other token is appended as a string literal, so nothing else can get in here.
    #[must_use]
    pub fn number_token(mut self, token: Token<'_>) -> Sql {
        if token.kind != Kind::Number {
            return self.literal(token.text);
        }
        self.text.push_str(token.text);
        self
    }

    /// Appends a quoted string literal. It means the same whatever the session's
    /// `standard_conforming_strings` is.
    #[must_use]
    pub fn literal(mut self, value: &str) -> Sql {
        let quoted = value.replace('\'', "''");
        if quoted.contains('\\') {
            let _ = write!(self.text, " E'{}'", quoted.replace('\\', "\\\\"));
        } else {
            let _ = write!(self.text, "'{quoted}'");
        }
        self
    }

    /// Appends SQL that the caller wrote and is entitled to run. Only commands that are declared
    /// `raw` may use it.
    #[must_use]
    pub fn caller_text(mut self, text: &str) -> Sql {
        self.text.push_str(text);
        self
    }

    /// Fills parameters that the text names itself, such as `$1` in the caller's text. Appends nothing.
    #[must_use]
    pub fn filling(mut self, arguments: impl IntoIterator<Item = impl Into<Argument>>) -> Sql {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Appends what `append` adds for each item, separated by `separator`.
    #[must_use]
    pub fn list<T>(
        mut self,
        items: impl IntoIterator<Item = T>,
        separator: &'static str,
        mut append: impl FnMut(Sql, T) -> Sql,
    ) -> Sql {
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self = self.text(separator);
            }
            self = append(self, item);
        }
        self
    }

    /// The text so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text and the arguments of `$1`, `$2` ….
    #[must_use]
    pub fn into_parts(self) -> (String, Vec<Argument>) {
        (self.text, self.arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_quoted() {
        assert_eq!(Sql::new("").literal("O'Brien").as_str(), "'O''Brien'");
        assert_eq!(Sql::new("x").literal(r"a\'b").as_str(), r"x E'a\\''b'");
    }
}
