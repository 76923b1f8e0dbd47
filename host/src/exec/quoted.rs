//! Values in statements that take no parameters, such as CREATE TABLE … DEFAULT $1.
//!
//! The server itself puts them in place as quoted literals, by its function `format`. Nothing is
//! quoted here.

use super::bind::{self, Text};
use airlock_connector::lex::{self, Kind};
use serde_json::Value;
use std::fmt::Write as _;
use tokio_postgres::types::Type;

/// The question to ask the server, whose answer is the statement to run.
pub(super) struct Question<'v> {
    /// `SELECT format($1, $2, …)`
    pub(super) sql: String,
    /// The format, and the values; all of them are text.
    pub(super) texts: Vec<Text<'v>>,
}

/// Whether a statement that begins so takes parameters although it is no query.
pub(super) fn takes_parameters(sql: &str) -> bool {
    let words = lex::words(sql);
    words
        .first()
        .is_some_and(|first| first.is_word("call") || first.is_word("declare"))
}

/// The question for `sql` with `values`. The index of a value that has no text is the error.
pub(super) fn question<'v>(sql: &str, values: &[&'v Value]) -> Result<Question<'v>, usize> {
    let mut format = String::new();
    for token in lex::tokens(sql) {
        let number = token
            .text
            .get(1..)
            .and_then(|digits| digits.parse::<usize>().ok());
        match (token.kind, number) {
            (Kind::Parameter, Some(number)) => {
                let value = number.checked_sub(1).and_then(|at| values.get(at));
                // Numbers go in bare: some statements take nothing else.
                let bare = matches!(value, Some(Value::Number(_) | Value::Bool(_)));
                let _ = write!(format, " %{number}${}", if bare { 's' } else { 'L' });
            }
            _ => format.push_str(&token.text.replace('%', "%%")),
        }
    }
    let mut texts = vec![Text::of(format)];
    for (at, value) in values.iter().enumerate() {
        // Arrays are wanted as the text of the literal, so no other type will do.
        texts.push(bind::text(value, &Type::TEXT_ARRAY).map_err(|_| at)?);
    }
    let parameters: Vec<String> = (1..=texts.len()).map(|at| format!("${at}")).collect();
    let sql = format!("SELECT format({})", parameters.join(", "));
    Ok(Question { sql, texts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_gets_a_format() {
        let (text, number) = (Value::from("d'x"), Value::from(-5));
        let question = question(
            "CREATE TABLE \"a%\" (a text DEFAULT $1, b int DEFAULT $2)",
            &[&text, &number],
        );
        let question = question.unwrap_or_else(|_| panic!("no question"));
        assert_eq!(question.sql, "SELECT format($1, $2, $3)");
        assert_eq!(
            question.texts[0].as_str(),
            Some("CREATE TABLE \"a%%\" (a text DEFAULT  %1$L, b int DEFAULT  %2$s)")
        );
    }
}
