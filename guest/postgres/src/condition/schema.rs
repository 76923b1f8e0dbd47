//! The JSON Schema of conditions.

use super::operator::OPERATORS;
use super::{Condition, Where};
use airlock_connector::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

impl JsonSchema for Where {
    fn schema_name() -> Cow<'static, str> {
        "Where".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Conditions joined by AND.",
            "type": "array",
            "items": generator.subschema_for::<Condition>(),
        })
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let group = json_schema!({
            "type": "array",
            "items": generator.subschema_for::<Condition>(),
            "minItems": 1,
        });
        json_schema!({
            "anyOf": [
                {
                    "description": "Column, operator and value.",
                    "type": "array",
                    "prefixItems": [
                        {
                            "type": ["string", "integer"],
                            "minimum": 0,
                            "maximum": u64::MAX,
                            "description": "Column or expression over columns.",
                        },
                        { "type": "string", "description": OPERATORS },
                        { "description": "The value; a list for IN and BETWEEN; none for IS NULL." }
                    ],
                    "minItems": 2,
                    "maxItems": 3
                },
                {
                    "description": "A group of conditions, of which one (or) or all (and) must hold. Groups nest two deep, or in and, or and in or.",
                    "type": "object",
                    "properties": { "or": group, "and": group },
                    "additionalProperties": false,
                    "minProperties": 1,
                    "maxProperties": 1
                }
            ]
        })
    }
}
