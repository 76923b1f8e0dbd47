//! Whole numbers within a range.

use super::VALUE_ERROR;
use super::typed::{Typed, unsuited};
use crate::{Argument, Failure, ParameterKind};
use serde_json::{Value, json};

/// A whole number from `MIN` to `MAX`. The connector sees it.
///
/// As an argument of a statement it is bound, so the text of the statement is the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Integer<MIN, MAX> {
    /// The number `N`. It does not compile where that is out of range.
    #[must_use]
    pub const fn of<const N: i64>() -> Self {
        const { assert!(MIN <= N && N <= MAX) };
        Integer(N)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> Typed for Integer<MIN, MAX> {
    const KIND: ParameterKind = ParameterKind::Integer;
    const WORD: &'static str = "a whole number";

    fn schema() -> Value {
        json!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }

    fn read(value: &Value, pointer: &str) -> Result<Self, Failure> {
        let Value::Number(number) = value else {
            return Err(unsuited::<Self>(value, pointer));
        };
        // Engines write 5.0 for 5; JSON Schema takes both for whole.
        let whole = number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
            (float.abs() < MAX_EXACT).then_some(float as i64)
        });
        match whole {
            Some(whole) if (MIN..=MAX).contains(&whole) => Ok(Integer(whole)),
            _ => {
                let message = format!("a whole number from {MIN} to {MAX} was expected");
                Err(VALUE_ERROR.failure(message).at(pointer))
            }
        }
    }
}

/// Below this, each whole number has a floating-point number of its own.
const MAX_EXACT: f64 = (1_u64 << 53) as f64;

impl<const MIN: i64, const MAX: i64> From<Integer<MIN, MAX>> for Value {
    fn from(number: Integer<MIN, MAX>) -> Value {
        number.0.into()
    }
}

impl<const MIN: i64, const MAX: i64> From<Integer<MIN, MAX>> for Argument {
    fn from(number: Integer<MIN, MAX>) -> Argument {
        Argument::Literal(number.0.to_string())
    }
}
