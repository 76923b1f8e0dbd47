//! The type of an array literal.

use crate::seal;
use serde_json::Value;
use tokio_postgres::types::Type;

/// The type of `ARRAY[…]` with these elements. None where the literal would be the string `'{}'`.
pub(super) fn literal_type(items: &[Value]) -> Option<Type> {
    Some(match most_general(items) {
        Leaf::Null => return None,
        Leaf::Other => Type::TEXT_ARRAY,
        Leaf::Int4 => Type::INT4_ARRAY,
        Leaf::Int8 => Type::INT8_ARRAY,
        Leaf::Numeric => Type::NUMERIC_ARRAY,
        Leaf::Boolean => Type::BOOL_ARRAY,
    })
}

/// What an array holds, each in the order in which the type of the whole follows it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Leaf {
    Null,
    Other,
    Int4,
    Int8,
    Numeric,
    Boolean,
}

fn most_general(items: &[Value]) -> Leaf {
    let leaves = items.iter().map(|item| match item {
        Value::Array(inner) => most_general(inner),
        leaf => match seal::kind(leaf) {
            "null" => Leaf::Null,
            "int4" => Leaf::Int4,
            "int8" => Leaf::Int8,
            "numeric" => Leaf::Numeric,
            "boolean" => Leaf::Boolean,
            _ => Leaf::Other,
        },
    });
    leaves.max().unwrap_or(Leaf::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types() {
        for (value, expected) in [
            (json!([]), None),
            (json!([null, [null]]), None),
            (json!([1, "2"]), Some(Type::INT4_ARRAY)),
            (json!([1, 5_000_000_000_i64]), Some(Type::INT8_ARRAY)),
            (json!([1.5, 2]), Some(Type::NUMERIC_ARRAY)),
            (json!([true, 2]), Some(Type::BOOL_ARRAY)),
            (json!([["a"], ["b"]]), Some(Type::TEXT_ARRAY)),
        ] {
            let items = value.as_array().unwrap();
            assert_eq!(literal_type(items), expected, "{value}");
        }
    }
}
