//! Arrays, records and JSON as PostgreSQL reads them.

use serde_json::Value;
use serde_json::ser::Formatter;
use std::io;
use tokio_postgres::types::{Field, Type};

/// The type of `ARRAY[…]` with these elements. None where the literal would be the string `'{}'`.
pub(super) fn literal_type(items: &[Value]) -> Option<Type> {
    let mut leaves = Vec::new();
    collect_leaves(items, &mut leaves);
    let kinds: Vec<_> = leaves
        .into_iter()
        .map(crate::seal::kind)
        .filter(|kind| *kind != "null")
        .collect();
    let any = |wanted: &str| kinds.contains(&wanted);
    if kinds.is_empty() {
        None
    } else if any("boolean") {
        Some(Type::BOOL_ARRAY)
    } else if any("numeric") {
        Some(Type::NUMERIC_ARRAY)
    } else if any("int8") {
        Some(Type::INT8_ARRAY)
    } else if any("int4") {
        Some(Type::INT4_ARRAY)
    } else {
        Some(Type::TEXT_ARRAY)
    }
}

fn collect_leaves<'a>(items: &'a [Value], leaves: &mut Vec<&'a Value>) {
    for item in items {
        match item {
            Value::Array(inner) => collect_leaves(inner, leaves),
            leaf => leaves.push(leaf),
        }
    }
}

/// `{1,2,NULL}`, nested for nested arrays. With `json`, the elements are JSON and do not nest.
pub(super) fn array(items: &[Value], json: bool) -> String {
    let mut text = String::from("{");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        match item {
            Value::Null => text.push_str("NULL"),
            Value::Array(inner) if !json => text.push_str(&array(inner, false)),
            _ if json => quote(&self::json(item), &mut text),
            Value::Bool(value) => text.push_str(if *value { "t" } else { "f" }),
            Value::Number(number) => text.push_str(&number.to_string()),
            Value::String(string) => quote(string, &mut text),
            Value::Array(_) | Value::Object(_) => quote(&self::json(item), &mut text),
        }
    }
    text.push('}');
    text
}

/// `(1,"a b",)`: an array fills the fields in order, an object by name.
pub(super) fn record(value: &Value, fields: &[Field]) -> String {
    let mut text = String::from("(");
    let count = match value {
        Value::Array(items) => items.len(),
        _ => fields.len(),
    };
    for at in 0..count {
        if at > 0 {
            text.push(',');
        }
        let (item, field_type) = match (value, fields.get(at)) {
            (Value::Object(members), Some(field)) => {
                (members.get(field.name()), Some(field.type_()))
            }
            (Value::Array(items), field) => (items.get(at), field.map(Field::type_)),
            _ => (None, None),
        };
        match item.unwrap_or(&Value::Null) {
            Value::Null => {}
            Value::Array(items) if field_type.is_some_and(is_array) => {
                quote(&array(items, false), &mut text)
            }
            Value::String(string) => quote(string, &mut text),
            other => quote(&json(other), &mut text),
        }
    }
    text.push(')');
    text
}

fn is_array(field_type: &Type) -> bool {
    matches!(
        super::bind::base(field_type).kind(),
        tokio_postgres::types::Kind::Array(_)
    )
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

/// JSON text with a space after each colon and comma, as it has always reached `json` columns.
pub(super) fn json(value: &Value) -> String {
    struct Spaced;

    impl Formatter for Spaced {
        fn begin_array_value<W: ?Sized + io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> io::Result<()> {
            if first {
                Ok(())
            } else {
                writer.write_all(b", ")
            }
        }

        fn begin_object_key<W: ?Sized + io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> io::Result<()> {
            if first {
                Ok(())
            } else {
                writer.write_all(b", ")
            }
        }

        fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
            writer.write_all(b": ")
        }
    }

    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    match serde::Serialize::serialize(value, &mut serializer) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items(value: &Value) -> &[Value] {
        value.as_array().unwrap()
    }

    #[test]
    fn literals() {
        assert_eq!(
            array(items(&json!([1, null, "a\"b\\", true, [1.5]])), false),
            r#"{1,NULL,"a\"b\\",t,{1.5}}"#
        );
        assert_eq!(
            array(items(&json!([{"a": [1]}, [2]])), true),
            r#"{"{\"a\": [1]}","[2]"}"#
        );
        assert_eq!(
            super::json(&json!({"b": 1, "a": [1, 2.5]})),
            r#"{"b": 1, "a": [1, 2.5]}"#
        );
    }

    #[test]
    fn types() {
        assert_eq!(literal_type(items(&json!([]))), None);
        assert_eq!(literal_type(items(&json!([null, [null]]))), None);
        assert_eq!(
            literal_type(items(&json!([1, "2"]))),
            Some(Type::INT4_ARRAY)
        );
        assert_eq!(
            literal_type(items(&json!([1.5, 2]))),
            Some(Type::NUMERIC_ARRAY)
        );
        assert_eq!(
            literal_type(items(&json!([["a"], ["b"]]))),
            Some(Type::TEXT_ARRAY)
        );
    }
}
