//! What a type says of itself, so that it can be the type of a parameter.

use super::TYPE_ERROR;
use crate::{Failure, ParameterKind, Sealed};
use serde_json::{Value, json};

/// A type that a parameter, or an element of a list, can have.
pub trait Typed: Sized {
    /// Kind of value, as engines show it.
    const KIND: ParameterKind;

    /// What it is called in messages, such as `text`.
    const WORD: &'static str;

    /// Whether a scalar in its place arrives sealed.
    const SEALED: bool = false;

    /// Which values inside are sealed: patterns relative to the parameter.
    #[must_use]
    fn sealed() -> Vec<String> {
        Vec::new()
    }

    /// JSON Schema of the values that [`Typed::read`] takes, as an object.
    fn schema() -> Value;

    /// Reads a value of the sealed call that is there and not null; `pointer` leads to it.
    ///
    /// # Errors
    /// Those of [`ERRORS`](super::ERRORS).
    fn read(value: &Value, pointer: &str) -> Result<Self, Failure>;

    /// What a parameter is that the call leaves out or gives as null; none where it must be given.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

/// The failure of a value that is no `T`.
pub(super) fn unsuited<T: Typed>(value: &Value, pointer: &str) -> Failure {
    let sealed = value.as_str().filter(|_| T::SEALED);
    let found = match sealed.and_then(|kind| kind.parse().ok()) {
        Some(kind) => kind,
        None => match value {
            Value::Null => Sealed::Null,
            Value::Bool(_) => Sealed::Boolean,
            Value::Number(_) => Sealed::Numeric,
            Value::String(_) => Sealed::String,
            Value::Array(_) => Sealed::Array,
            Value::Object(_) => Sealed::Object,
        },
    };
    let message = format!("{} was expected, not {}", T::WORD, found.word());
    TYPE_ERROR.failure(message).at(pointer)
}

/// May be left out.
impl<T: Typed> Typed for Option<T> {
    const KIND: ParameterKind = T::KIND;
    const WORD: &'static str = T::WORD;
    const SEALED: bool = T::SEALED;

    fn sealed() -> Vec<String> {
        T::sealed()
    }

    fn schema() -> Value {
        T::schema()
    }

    fn read(value: &Value, pointer: &str) -> Result<Self, Failure> {
        T::read(value, pointer).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// True or false. The connector sees it.
impl Typed for bool {
    const KIND: ParameterKind = ParameterKind::Boolean;
    const WORD: &'static str = "true or false";

    fn schema() -> Value {
        json!({"type": "boolean"})
    }

    fn read(value: &Value, pointer: &str) -> Result<Self, Failure> {
        value
            .as_bool()
            .ok_or_else(|| unsuited::<Self>(value, pointer))
    }
}

/// Text that the connector sees. For text that it only passes through, take
/// [`Passed`](crate::params::Passed).
impl Typed for String {
    const KIND: ParameterKind = ParameterKind::Text;
    const WORD: &'static str = "text";

    fn schema() -> Value {
        json!({"type": "string"})
    }

    fn read(value: &Value, pointer: &str) -> Result<Self, Failure> {
        let text = value.as_str();
        text.map(str::to_owned)
            .ok_or_else(|| unsuited::<Self>(value, pointer))
    }
}
