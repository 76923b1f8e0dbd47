//! Values that a connector passes to the database without seeing them.

use super::typed::{Typed, unsuited};
use crate::{Argument, Failure, ParameterKind, Sealed};
use serde_json::{Value, json};
use std::marker::PhantomData;

/// A value that the connector passes through. It is sealed, so the connector knows of which kind it is
/// and where it stands; as an argument of a statement it is a pointer to there.
///
/// `K` says which kinds it may have: `String`, `f64` for any number, `bool`, or
/// [`Value`](serde_json::Value) for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed<K> {
    pointer: String,
    kind: Sealed,
    admitted: PhantomData<K>,
}

impl<K> Passed<K> {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Sealed {
        self.kind
    }

    /// JSON Pointer to where it stands in the call.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }
}

impl<K> From<Passed<K>> for Argument {
    fn from(passed: Passed<K>) -> Argument {
        Argument::Input(passed.pointer)
    }
}

impl<K> From<&Passed<K>> for Argument {
    fn from(passed: &Passed<K>) -> Argument {
        Argument::Input(passed.pointer.clone())
    }
}

/// What a value that is passed through may be.
pub trait Passable {
    /// Kind of value, as engines show it.
    const KIND: ParameterKind;
    /// What it is called in messages.
    const WORD: &'static str;

    /// JSON Schema of the values.
    fn schema() -> Value;

    /// Whether it may have this kind.
    fn admits(kind: Sealed) -> bool;
}

impl<K: Passable> Typed for Passed<K> {
    const KIND: ParameterKind = K::KIND;
    const WORD: &'static str = K::WORD;
    const SEALED: bool = true;

    fn sealed() -> Vec<String> {
        vec![String::new()]
    }

    fn schema() -> Value {
        K::schema()
    }

    fn read(value: &Value, pointer: &str) -> Result<Self, Failure> {
        let kind = value.as_str().and_then(|kind| kind.parse().ok());
        match kind.filter(|kind| K::admits(*kind)) {
            Some(kind) => Ok(Passed {
                pointer: pointer.into(),
                kind,
                admitted: PhantomData,
            }),
            None => Err(unsuited::<Self>(value, pointer)),
        }
    }
}

impl Passable for String {
    const KIND: ParameterKind = ParameterKind::Text;
    const WORD: &'static str = "text";

    fn schema() -> Value {
        json!({"type": "string"})
    }

    fn admits(kind: Sealed) -> bool {
        kind == Sealed::String
    }
}

impl Passable for f64 {
    const KIND: ParameterKind = ParameterKind::Any;
    const WORD: &'static str = "a number";

    fn schema() -> Value {
        json!({"type": "number"})
    }

    fn admits(kind: Sealed) -> bool {
        matches!(kind, Sealed::Int4 | Sealed::Int8 | Sealed::Numeric)
    }
}

impl Passable for bool {
    const KIND: ParameterKind = ParameterKind::Boolean;
    const WORD: &'static str = "true or false";

    fn schema() -> Value {
        json!({"type": "boolean"})
    }

    fn admits(kind: Sealed) -> bool {
        kind == Sealed::Boolean
    }
}

impl Passable for Value {
    const KIND: ParameterKind = ParameterKind::Any;
    const WORD: &'static str = "a value";

    fn schema() -> Value {
        json!({})
    }

    fn admits(_: Sealed) -> bool {
        true
    }
}
