//! Values that the connector passes through without seeing them.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de};
use std::borrow::Cow;
use std::str::FromStr;

/// A sealed value: only its kind is known. Refer to the value itself by pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// JSON null.
    Null,
    /// true or false.
    Boolean,
    /// An integer of 32 bits.
    Int4,
    /// An integer of 64 bits that does not fit 32.
    Int8,
    /// Any other number.
    Numeric,
    /// Text.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Sealed {
    /// What callers call it, for messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Sealed::Null => "null",
            Sealed::Boolean => "true or false",
            Sealed::Int4 | Sealed::Int8 | Sealed::Numeric => "a number",
            Sealed::String => "text",
            Sealed::Array => "a list",
            Sealed::Object => "an object",
        }
    }
}

/// The text is not the name of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownKind;

impl FromStr for Sealed {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Ok(match name {
            "null" => Sealed::Null,
            "boolean" => Sealed::Boolean,
            "int4" => Sealed::Int4,
            "int8" => Sealed::Int8,
            "numeric" => Sealed::Numeric,
            "string" => Sealed::String,
            "array" => Sealed::Array,
            "object" => Sealed::Object,
            _ => return Err(UnknownKind),
        })
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(|UnknownKind| {
            de::Error::invalid_value(de::Unexpected::Str(&name), &"a sealed value")
        })
    }
}

/// To a caller, a sealed value is any JSON value.
impl JsonSchema for Sealed {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::from(true)
    }
}
