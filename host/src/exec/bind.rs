//! JSON values as the text of PostgreSQL parameters.
//!
//! Each value is declared with the type that its SQL literal would have, so operators and casts
//! resolve as they do in SQL. Objects and arrays are written for the type that the server infers.
//! The server does all parsing.

use super::array;
use super::write;
use crate::fault::Fault;
use crate::seal;
use bytes::BytesMut;
use serde_json::Value;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type, to_sql_checked};

/// What callers have always been told about such text.
pub(super) const NUL_IN_TEXT: &str = "A string literal cannot contain NUL (0x00) characters.";

/// The type that the literal of `value` would have; unknown where the server infers.
pub(super) fn declared_type(value: &Value) -> Type {
    match seal::kind(value) {
        "boolean" => Type::BOOL,
        "int4" => Type::INT4,
        "int8" => Type::INT8,
        "numeric" => Type::NUMERIC,
        _ => Type::UNKNOWN,
    }
}

/// The text of one parameter, or NULL.
pub(super) struct Text<'a>(Option<Cow<'a, str>>);

impl Text<'_> {
    /// Text of the host's own.
    pub(super) fn of(text: String) -> Text<'static> {
        Text(Some(Cow::Owned(text)))
    }

    /// The text; none for NULL.
    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// A parameter cannot be written for the type that the server inferred.
pub(super) enum Unsuited {
    /// Declare it with this type instead, as its literal would be.
    Declare(Type),
    /// No text can be right.
    Refuse(Fault),
}

/// Writes `value` for a parameter of type `parameter`.
pub(super) fn text<'a>(value: &'a Value, parameter: &Type) -> Result<Text<'a>, Unsuited> {
    let text = match value {
        Value::Null => return Ok(Text(None)),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => Cow::Borrowed(number.as_str()),
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Array(items) => Cow::Owned(array_text(value, items, parameter)?),
        Value::Object(_) => Cow::Owned(write::text(value, parameter)),
    };
    if text.contains('\0') {
        return Err(Unsuited::Refuse(Fault::statement(
            "ValueError",
            NUL_IN_TEXT,
        )));
    }
    Ok(Text(Some(text)))
}

fn array_text(value: &Value, items: &[Value], parameter: &Type) -> Result<String, Unsuited> {
    let target = base(parameter);
    match (target.kind(), array::literal_type(items)) {
        // As in SQL, numbers with a fraction are rounded to integers by assignment, not refused.
        (Kind::Array(element), Some(Type::NUMERIC_ARRAY)) if is_integer(element) => {
            Err(Unsuited::Declare(Type::NUMERIC_ARRAY))
        }
        (Kind::Array(_) | Kind::Composite(_), _) => Ok(write::text(value, target)),
        _ if write::is_json(target) => Ok(write::text(value, target)),
        // Not a type for arrays: the server says so, or casts as it does from the literal.
        (_, Some(declared)) => Err(Unsuited::Declare(declared)),
        (_, None) => Ok(write::text(value, &Type::TEXT_ARRAY)),
    }
}

/// The type under any domains.
pub(super) fn base(parameter: &Type) -> &Type {
    match parameter.kind() {
        Kind::Domain(inner) => base(inner),
        _ => parameter,
    }
}

fn is_integer(parameter: &Type) -> bool {
    matches!(*base(parameter), Type::INT2 | Type::INT4 | Type::INT8)
}

impl ToSql for Text<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.as_str() {
            None => Ok(IsNull::Yes),
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// Values never show, whatever logs this.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}
