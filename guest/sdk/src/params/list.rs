//! Lists of bounded length.

use super::typed::{Typed, unsuited};
use super::{VALUE_ERROR, child};
use crate::{Failure, ParameterKind};
use serde_json::{Value, json};
use std::ops::Deref;

/// A list of `MIN` to `MAX` elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MIN: usize, const MAX: usize>(Vec<T>);

impl<T, const MIN: usize, const MAX: usize> Deref for List<T, MIN, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// The list of these elements. It does not compile where they are too few or too many.
    #[must_use]
    pub fn of<const N: usize>(elements: [T; N]) -> Self {
        const { assert!(MIN <= N && N <= MAX) };
        List(elements.into())
    }
}

impl<T: Typed, const MIN: usize, const MAX: usize> Typed for List<T, MIN, MAX> {
    const KIND: ParameterKind = ParameterKind::Any;
    const WORD: &'static str = "a list";
    const SEALED: bool = T::SEALED;

    fn sealed() -> Vec<String> {
        let inner = T::sealed().into_iter();
        inner.map(|pattern| format!("/*{pattern}")).collect()
    }

    fn schema() -> Value {
        json!({"type": "array", "items": T::schema(), "minItems": MIN, "maxItems": MAX})
    }

    fn read(value: &Value, pointer: &str) -> Result<Self, Failure> {
        let Value::Array(elements) = value else {
            return Err(unsuited::<Self>(value, pointer));
        };
        if !(MIN..=MAX).contains(&elements.len()) {
            let message = format!("a list of {MIN} to {MAX} elements was expected");
            return Err(VALUE_ERROR.failure(message).at(pointer));
        }
        let elements = elements.iter().enumerate();
        let read = elements.map(|(at, element)| T::read(element, &child(pointer, &at.to_string())));
        read.collect::<Result<_, _>>().map(List)
    }
}

impl<T: Into<Value>, const MIN: usize, const MAX: usize> From<List<T, MIN, MAX>> for Value {
    fn from(list: List<T, MIN, MAX>) -> Value {
        list.0.into_iter().map(Into::into).collect()
    }
}
