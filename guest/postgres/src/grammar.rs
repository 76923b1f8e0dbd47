//! The part of SQL that callers may write where the commands take names and expressions.
//!
//! Each parser reads tokens and appends them to [`Sql`] in canonical form: identifiers quoted,
//! literals quoted anew, key words and operators from fixed lists. The tokens keep their order, so
//! the server decides about precedence; what is refused here never reaches it.

mod column_definition;
mod column_type;
mod expression;
mod functions;
mod items;

pub(crate) use column_definition::{column_definition, table_constraint};
pub(crate) use items::{dropped_tables, order, scalar, select_items, source, table};

use airlock_connector::lex::{self, Kind, Token};
use airlock_connector::{Failure, Ident, Sql};

use crate::errors::SYNTAX_ERROR;

/// Deepest nesting of parentheses, far beyond what people write, well within the stack.
const MAX_DEPTH: usize = 50;

/// Why a text is not in the grammar.
#[derive(Debug)]
pub(crate) struct Refused(String);

impl Refused {
    pub(crate) fn at(self, pointer: &str) -> Failure {
        SYNTAX_ERROR.failure(self.0).at(pointer)
    }
}

impl From<airlock_connector::InvalidIdent> for Refused {
    fn from(error: airlock_connector::InvalidIdent) -> Self {
        Refused(error.to_string())
    }
}

type Parsed = Result<Sql, Refused>;

/// The tokens of one text and how far it has been read.
struct Reader<'a> {
    words: Vec<Token<'a>>,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Comments are refused along with everything that is no SQL token: nobody needs them in a name
    /// or an expression, and smuggled SQL does.
    fn new(text: &'a str) -> Result<Reader<'a>, Refused> {
        let odd = lex::tokens(text).find(|t| {
            matches!(
                t.kind,
                Kind::Comment | Kind::Unterminated | Kind::Unknown | Kind::Parameter
            )
        });
        match odd {
            Some(token) => Err(Refused(format!(
                "{:?} is not allowed here",
                shorten(token.text)
            ))),
            None => Ok(Reader {
                words: lex::words(text),
                at: 0,
                depth: 0,
            }),
        }
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.words.get(self.at).copied()
    }

    fn peek_second(&self) -> Option<Token<'a>> {
        self.words.get(self.at + 1).copied()
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// Reads the punctuation or operator `text` if it comes next.
    fn takes(&mut self, text: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(text));
        self.at += usize::from(found);
        found
    }

    /// Reads the key words if they come next.
    fn takes_words(&mut self, phrase: &str) -> bool {
        let found = phrase.split(' ').enumerate().all(|(ahead, word)| {
            self.words
                .get(self.at + ahead)
                .is_some_and(|token| token.is_word(word))
        });
        if found {
            self.at += phrase.split(' ').count();
        }
        found
    }

    /// Reads the first phrase of `phrases` that comes next.
    fn takes_phrase(&mut self, phrases: &[&'static str]) -> Option<&'static str> {
        phrases
            .iter()
            .copied()
            .find(|phrase| self.takes_words(phrase))
    }

    fn expects(&mut self, text: &str) -> Result<(), Refused> {
        if self.takes(text) {
            Ok(())
        } else {
            Err(self.unexpected(text))
        }
    }

    fn expects_words(&mut self, phrase: &str) -> Result<(), Refused> {
        if self.takes_words(phrase) {
            Ok(())
        } else {
            Err(self.unexpected(phrase))
        }
    }

    fn ident(&mut self) -> Result<Ident, Refused> {
        match self.peek() {
            Some(token) if matches!(token.kind, Kind::Word | Kind::QuotedIdent) => {
                self.at += 1;
                Ok(Ident::from_token(token)?)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    /// A possibly qualified name, quoted.
    fn qualified_name(&mut self, sql: Sql) -> Parsed {
        let mut sql = sql.ident(&self.ident()?);
        while self.takes(".") {
            sql = sql.text(".").ident(&self.ident()?);
        }
        Ok(sql)
    }

    /// `( item, item … )`
    fn parenthesised(
        &mut self,
        sql: Sql,
        item: &mut dyn FnMut(&mut Self, Sql) -> Parsed,
    ) -> Parsed {
        self.expects("(")?;
        let mut sql = item(self, sql.text("("))?;
        while self.takes(",") {
            sql = item(self, sql.text(", "))?;
        }
        self.expects(")")?;
        Ok(sql.text(")"))
    }

    /// A string in plain quotes: its value.
    fn string(&mut self) -> Result<String, Refused> {
        match self.next() {
            Some(token) if token.kind == Kind::String => string_value(token),
            _ => Err(Refused("a string in single quotes was expected".into())),
        }
    }

    fn whole_number(&mut self) -> Result<u64, Refused> {
        let number = self
            .peek()
            .filter(|t| t.kind == Kind::Number)
            .and_then(|t| t.text.parse().ok());
        self.at += usize::from(number.is_some());
        number.ok_or_else(|| self.unexpected("a whole number"))
    }

    fn end(&self) -> Result<(), Refused> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("nothing more")),
        }
    }

    fn nest<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        if self.depth >= MAX_DEPTH {
            return Err(Refused(format!("nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn unexpected(&self, wanted: &str) -> Refused {
        Refused(match self.peek() {
            Some(token) => format!(
                "syntax error at or near \"{}\": {wanted} was expected. Names and simple expressions \
                 are allowed here; use DoSQL for other SQL",
                shorten(token.text)
            ),
            None => format!("syntax error at the end: {wanted} was expected"),
        })
    }
}

fn string_value(token: Token<'_>) -> Result<String, Refused> {
    let inner = token
        .text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''));
    match inner {
        Some(inner) if !inner.contains('\0') => Ok(inner.replace("''", "'")),
        _ => Err(Refused(format!(
            "{}: write the string in plain single quotes",
            shorten(token.text)
        ))),
    }
}

/// The beginning of a text of the caller, for a message.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
