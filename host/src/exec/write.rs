//! JSON values in the text forms in which the server reads them.
//!
//! One walk over a value and the type that it is wanted as: the reverse of `to_json`. Nothing is
//! checked here; what does not fit is written all the same and refused by the server.
//!
//! The cost is that of the text. As in the server's own output, a quoted part is quoted once more in
//! each composite around it, so it grows with the nesting of the types, never with that of the value.

use super::bind::base;
use super::json_text::json;
use serde_json::{Map, Value};
use tokio_postgres::types::{Field, Kind, Type};

/// The text of `value`, which is not null, as `target`. A string is JSON text only where JSON is wanted.
pub(super) fn text(value: &Value, target: &Type) -> String {
    let mut out = String::new();
    form(value, target, &mut out);
    out
}

fn form(value: &Value, target: &Type, out: &mut String) {
    let target = base(target);
    match (value, target.kind()) {
        _ if is_json(target) => json(value, out),
        (Value::Array(items), Kind::Array(_)) if is_vector(target) => vector(items, out),
        (Value::Array(items), Kind::Array(element)) => array(items, element, out),
        (Value::Array(items), Kind::Composite(fields)) => {
            let types = fields
                .iter()
                .map(Field::type_)
                .chain(std::iter::repeat(&Type::TEXT));
            record(items.iter().zip(types), out);
        }
        (Value::Object(members), Kind::Composite(fields)) => {
            let member = |field: &Field| members.get(field.name()).unwrap_or(&Value::Null);
            record(
                fields.iter().map(|field| (member(field), field.type_())),
                out,
            );
        }
        (Value::Object(members), Kind::Simple) if target.name() == "hstore" => hstore(members, out),
        (Value::String(text), _) => out.push_str(text),
        // Numbers, booleans, and what the server will refuse.
        _ => json(value, out),
    }
}

/// `{1,2,NULL}`
fn array(items: &[Value], element: &Type, out: &mut String) {
    let target = base(element);
    let nests = match target.kind() {
        // The members of an inner array are those of one element.
        _ if is_json(target) => false,
        Kind::Array(_) => false,
        Kind::Composite(_) => holds_objects(items),
        _ => true,
    };
    dimension(items, element, nests, out);
}

/// One level of an array; `nests` says whether an array in it is another level or an element.
fn dimension(items: &[Value], element: &Type, nests: bool, out: &mut String) {
    out.push('{');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(delimiter(element));
        }
        match item {
            Value::Null => out.push_str("NULL"),
            Value::Array(inner) if nests => dimension(inner, element, nests, out),
            item => quoted(item, element, out),
        }
    }
    out.push('}');
}

/// Whether objects, or nulls, are all that an array holds at its innermost level. Composites in it are
/// then objects, as `to_json` gives them; else they are arrays of their fields.
fn holds_objects(items: &[Value]) -> bool {
    items.iter().all(|item| match item {
        Value::Null | Value::Object(_) => true,
        Value::Array(inner) => holds_objects(inner),
        _ => false,
    })
}

/// `(1,"a b",)`
fn record<'v>(fields: impl Iterator<Item = (&'v Value, &'v Type)>, out: &mut String) {
    out.push('(');
    for (at, (value, target)) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if !value.is_null() {
            quoted(value, target, out);
        }
    }
    out.push(')');
}

/// `"a"=>"1","b"=>NULL`
fn hstore(members: &Map<String, Value>, out: &mut String) {
    for (at, (key, value)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        quote(key, out);
        out.push_str("=>");
        match value {
            Value::Null => out.push_str("NULL"),
            value => quoted(value, &Type::TEXT, out),
        }
    }
}

/// `1 2`, the form of `int2vector` and `oidvector`.
fn vector(items: &[Value], out: &mut String) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        form(item, &Type::TEXT, out);
    }
}

/// Writes a part of a larger text.
fn quoted(value: &Value, target: &Type, out: &mut String) {
    match value {
        Value::Number(_) | Value::Bool(_) => form(value, target, out),
        Value::String(string) if !is_json(base(target)) => quote(string, out),
        _ => quote(&text(value, target), out),
    }
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

/// What stands between the elements of an array of this type.
fn delimiter(element: &Type) -> char {
    match base(element).name() {
        "box" => ';',
        // Of PostGIS.
        "geometry" | "geography" => ':',
        _ => ',',
    }
}

/// Whether the text of this type is JSON.
pub(super) fn is_json(target: &Type) -> bool {
    matches!(*target, Type::JSON | Type::JSONB)
}

fn is_vector(target: &Type) -> bool {
    matches!(*target, Type::INT2_VECTOR | Type::OID_VECTOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made(name: &str, kind: Kind) -> Type {
        Type::new(name.into(), 0, kind, "public".into())
    }

    fn pair() -> Type {
        let fields = vec![
            Field::new("a".into(), Type::INT4),
            Field::new("b".into(), Type::TEXT),
        ];
        made("pair", Kind::Composite(fields))
    }

    fn check(cases: &[(Value, &Type, &str)]) {
        for (value, target, expected) in cases {
            assert_eq!(text(value, target), *expected, "{value} as {target}");
        }
    }

    #[test]
    fn arrays() {
        let domain = made("tags", Kind::Domain(Type::TEXT_ARRAY));
        let domains = made("_tags", Kind::Array(domain.clone()));
        check(&[
            (json!([1, null, 1.50]), &Type::NUMERIC_ARRAY, "{1,NULL,1.5}"),
            (
                json!([[true], [false]]),
                &Type::BOOL_ARRAY,
                "{{true},{false}}",
            ),
            (
                json!(["", "NULL", "a\"\"b\\\\", " ", "\"", "é,"]),
                &Type::TEXT_ARRAY,
                r#"{"","NULL","a\"\"b\\\\"," ","\"","é,"}"#,
            ),
            (json!([]), &Type::TEXT_ARRAY, "{}"),
            (
                json!([{"a": [1]}]),
                &Type::TEXT_ARRAY,
                r#"{"{\"a\": [1]}"}"#,
            ),
            (
                json!(["(1,1),(0,0)", null]),
                &Type::BOX_ARRAY,
                r#"{"(1,1),(0,0)";NULL}"#,
            ),
            (
                json!([{"a": [1]}, [2], "x", 3, null]),
                &Type::JSONB_ARRAY,
                r#"{"{\"a\": [1]}","[2]","\"x\"",3,NULL}"#,
            ),
            (json!(["a b"]), &domain, r#"{"a b"}"#),
            (json!([["a"], []]), &domains, r#"{"{\"a\"}","{}"}"#),
            (json!([1, 2]), &Type::INT2_VECTOR, "1 2"),
            (
                json!([[1, 2], []]),
                &Type::INT2_VECTOR_ARRAY,
                r#"{"1 2",""}"#,
            ),
        ]);
    }

    #[test]
    fn composites() {
        let pairs = made("_pair", Kind::Array(pair()));
        let fields = vec![
            Field::new("p".into(), made("some_pair", Kind::Domain(pair()))),
            Field::new("ps".into(), pairs.clone()),
            Field::new("j".into(), Type::JSONB),
        ];
        let outer = made("outermost", Kind::Composite(fields));
        check(&[
            (json!({"b": "x", "a": 1, "c": 2}), &pair(), r#"(1,"x")"#),
            (json!({"b": ""}), &pair(), r#"(,"")"#),
            (json!([null, "\"\\"]), &pair(), r#"(,"\"\\")"#),
            (json!([1]), &pair(), "(1)"),
            (json!([1, "b", [2]]), &pair(), r#"(1,"b","[2]")"#),
            (json!([{"a": 1}, null]), &pairs, r#"{"(1,)",NULL}"#),
            (json!([[{"a": 1}], [null]]), &pairs, r#"{{"(1,)"},{NULL}}"#),
            (
                json!([[1, "b"], [null, null]]),
                &pairs,
                r#"{"(1,\"b\")","(,)"}"#,
            ),
            (
                json!({"p": {"a": 1, "b": "x"}, "ps": [{"b": "\""}], "j": "x"}),
                &outer,
                r#"("(1,\"x\")","{\"(,\\\"\\\\\\\"\\\")\"}","\"x\"")"#,
            ),
        ]);
    }

    #[test]
    fn extension_types() {
        let hstore = made("hstore", Kind::Simple);
        check(&[
            (
                json!({"a": 1, "b\"": null, "c": "x\\", "d": [1]}),
                &hstore,
                r#""a"=>1,"b\""=>NULL,"c"=>"x\\","d"=>"[1]""#,
            ),
            (json!({}), &hstore, ""),
            (
                json!([{"a": "1"}]),
                &made("_hstore", Kind::Array(hstore.clone())),
                r#"{"\"a\"=>\"1\""}"#,
            ),
        ]);
    }
}
