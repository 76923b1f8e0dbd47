//! `%s` and `%(name)s` in SQL text become parameters.
//!
//! Placeholders count outside literals, quoted identifiers and comments. `%%` means `%` everywhere,
//! unless `values` is null: then the text is left alone.

use airlock_connector::lex::{self, Kind};
use airlock_connector::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use airlock_connector::{Argument, Failure, Sealed, Sql, params};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

use crate::errors::{KEY_ERROR, PROGRAMMING_ERROR, TYPE_ERROR, UNDEFINED_PARAMETER, VALUE_ERROR};
use crate::python;

/// What fills the placeholders.
#[derive(Debug)]
pub(crate) enum Values {
    /// `%s` in order.
    List(usize),
    /// `%(name)s` by name.
    Named(Vec<String>),
    /// Neither a list nor an object.
    Scalar(Sealed),
}

impl Default for Values {
    fn default() -> Self {
        Values::List(0)
    }
}

/// Turns the placeholders of successive statements into parameters.
pub(crate) struct Placeholders<'a> {
    whole: &'a str,
    values: &'a Values,
    used: usize,
    quoted: bool,
}

impl<'a> Placeholders<'a> {
    /// `whole` is the text that all statements are part of.
    pub(crate) fn new(whole: &'a str, values: &'a Values) -> Placeholders<'a> {
        Placeholders {
            whole,
            values,
            used: 0,
            quoted: false,
        }
    }

    /// Reads one statement, which begins at `start` in the whole text.
    pub(crate) fn statement(&mut self, text: &str, start: usize) -> Result<Sql, Failure> {
        if let Some(token) = lex::tokens(text).find(|token| token.kind == Kind::Parameter) {
            let message = format!(
                "there is no parameter {}\nwrite %s for each value",
                token.text
            );
            return Err(UNDEFINED_PARAMETER.failure(message).at("/schema/sql"));
        }
        if matches!(self.values, Values::Scalar(Sealed::Null)) {
            return Ok(Sql::default().caller_text(text));
        }
        let mut sql = Sql::default();
        let mut code_start = 0;
        for token in lex::tokens(text) {
            let quoted = matches!(token.kind, Kind::String | Kind::QuotedIdent);
            if !quoted && !matches!(token.kind, Kind::Comment | Kind::Unterminated) {
                continue;
            }
            let code = text.get(code_start..token.start).unwrap_or_default();
            sql = self.code(sql, code, start + code_start)?;
            self.quoted |= quoted && (token.text.contains("%s") || token.text.contains("%("));
            sql = sql.caller_text(&token.text.replace("%%", "%"));
            code_start = token.start + token.text.len();
        }
        self.code(
            sql,
            text.get(code_start..).unwrap_or_default(),
            start + code_start,
        )
    }

    /// Checks that all values of a list were used.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Values::List(length) = *self.values else {
            return Ok(());
        };
        // Without any placeholder the values are ignored, as they always were.
        if length > self.used && self.quoted {
            return Err(python::too_many_values(
                "placeholders inside quotes are not filled; write for example (%s || ' days')::interval".into(),
            )
            .at("/schema/values"));
        }
        if length > self.used && self.used > 0 {
            return Err(python::too_many_values(format!(
                "there are {length} values for {} placeholders",
                self.used
            ))
            .at("/schema/values"));
        }
        Ok(())
    }

    fn code(&mut self, mut sql: Sql, code: &str, start: usize) -> Result<Sql, Failure> {
        let mut rest = code;
        while let Some((before, after)) = rest.split_once('%') {
            sql = sql.caller_text(before);
            let at = start + code.len() - after.len();
            if let Some(after) = after.strip_prefix('%') {
                sql = sql.caller_text("%");
                rest = after;
            } else if let Some(after) = after.strip_prefix('s') {
                sql = sql.argument(self.next()?);
                rest = after;
            } else if let Some(after) = after.strip_prefix('(') {
                let Some((name, after)) = after.split_once(')') else {
                    return Err(PROGRAMMING_ERROR
                        .failure("incomplete placeholder: '%(' without ')'")
                        .at("/schema/sql"));
                };
                sql = sql.argument(self.named(name)?);
                rest = after
                    .strip_prefix('s')
                    .ok_or_else(|| self.unsupported(after, at + name.len() + 2))?;
            } else if self.has_values() {
                return Err(self.unsupported(after, at));
            } else {
                sql = sql.caller_text("%");
                rest = after;
            }
        }
        Ok(sql.caller_text(rest))
    }

    fn has_values(&self) -> bool {
        match self.values {
            Values::List(length) => *length > 0,
            Values::Named(names) => !names.is_empty(),
            Values::Scalar(_) => false,
        }
    }

    fn next(&mut self) -> Result<Argument, Failure> {
        let at = self.used;
        self.used += 1;
        match self.values {
            Values::List(length) if at < *length => {
                Ok(Argument::Input(format!("/schema/values/{at}")))
            }
            Values::List(length) => Err(python::too_few_values(format!(
                "there are more placeholders than the {length} values"
            ))
            .at("/schema/values")),
            Values::Named(_) => {
                let message = "dict is not a sequence\n\
                               values is an object, so placeholders are written %(name)s";
                Err(TYPE_ERROR
                    .in_statement()
                    .failure(message)
                    .at("/schema/values"))
            }
            Values::Scalar(kind) => {
                let message = format!(
                    "'{}' object does not support indexing\nvalues must be a list or an object",
                    python::type_name(*kind)
                );
                Err(TYPE_ERROR
                    .in_statement()
                    .failure(message)
                    .at("/schema/values"))
            }
        }
    }

    fn named(&self, name: &str) -> Result<Argument, Failure> {
        match self.values {
            Values::Named(names) if names.iter().any(|known| known == name) => {
                Ok(Argument::Input(params::child("/schema/values", name)))
            }
            Values::Named(_) => {
                let message = format!("'{name}'\nthere is no value of this name");
                Err(KEY_ERROR
                    .in_statement()
                    .failure(message)
                    .at("/schema/values"))
            }
            Values::List(_) | Values::Scalar(_) => {
                let message = "list indices must be integers or slices, not str\n\
                               values must be an object for %(name)s placeholders";
                Err(TYPE_ERROR
                    .in_statement()
                    .failure(message)
                    .at("/schema/values"))
            }
        }
    }

    /// `%` followed by anything else while there are values: a modulo must be written `%%`.
    fn unsupported(&self, after: &str, byte: usize) -> Failure {
        let character = after.chars().next().unwrap_or(' ');
        let index = self
            .whole
            .get(..byte)
            .map_or(byte, |text| text.chars().count());
        let message = format!(
            "unsupported format character '{character}' ({:#x}) at index {index}\n\
             write %% for a percent sign next to placeholders",
            u32::from(character)
        );
        VALUE_ERROR
            .in_statement()
            .failure(message)
            .at("/schema/sql")
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValues;

        impl<'de> Visitor<'de> for AnyValues {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list or an object of values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Values, A::Error> {
                let mut length = 0;
                while seq.next_element::<de::IgnoredAny>()?.is_some() {
                    length += 1;
                }
                Ok(Values::List(length))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, de::IgnoredAny>()? {
                    names.push(name);
                }
                Ok(Values::Named(names))
            }

            fn visit_str<E: de::Error>(self, kind: &str) -> Result<Values, E> {
                Ok(Values::Scalar(kind.parse().unwrap_or(Sealed::String)))
            }
        }

        deserializer.deserialize_any(AnyValues)
    }
}

impl JsonSchema for Values {
    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Values for the placeholders: a list for %s, an object for %(name)s.",
            "type": ["array", "object", "null"]
        })
    }
}
