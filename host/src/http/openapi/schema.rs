//! Takes over the JSON Schema that a connector gives for a parameter.
//!
//! It is the word of somebody who need not be trusted, so it must not spoil the document: references stay
//! within the schema and lead to something, nothing in it is a resource with a name of its own, and what
//! looks like a reference to simple readers is one.

use serde_json::{Map, Value, json};

/// Deepest schema that is taken, in levels: readers of JSON take 128 for the whole document.
const MAX_DEPTH: usize = 64;

/// The keyword of references.
const REFERENCE: &str = "$ref";

/// Where the document keeps schemas.
const SCHEMAS: &str = "#/components/schemas/";

/// A reference to the schema of this name.
pub(super) fn reference(name: &str) -> Value {
    json!({ REFERENCE: place(name) })
}

/// Where the schema of this name is.
pub(super) fn place(name: &str) -> String {
    format!("{SCHEMAS}{name}")
}

/// The schema as part of the document, under `name`. None where the text is no schema, or nests too deep.
pub(super) fn take(text: &str, name: &str) -> Option<Value> {
    let schema: Value = serde_json::from_str(text).ok()?;
    let taking = Taking {
        whole: &schema,
        place: place(name),
    };
    let taken = taking.schema(&schema, 0)?;
    taking.all_lead_somewhere(&taken, &taken).then_some(taken)
}

struct Taking<'a> {
    whole: &'a Value,
    /// Where it goes, as a reference.
    place: String,
}

impl Taking<'_> {
    fn schema(&self, schema: &Value, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let members = match schema {
            Value::Bool(_) => return Some(schema.clone()),
            Value::Object(members) => members,
            _ => return None,
        };
        let mut taken = Map::new();
        for (keyword, value) in members {
            if let Some(value) = self.member(keyword, value, depth)? {
                taken.insert(keyword.clone(), value);
            }
        }
        Some(taken.into())
    }

    /// A keyword with its value; none inside where it is left out.
    fn member(&self, keyword: &str, value: &Value, depth: usize) -> Option<Option<Value>> {
        let depth = depth + 1;
        Some(match (keyword, value) {
            (REFERENCE, _) => self.here(value),
            (
                "$id" | "$schema" | "$anchor" | "$dynamicAnchor" | "$dynamicRef" | "$vocabulary",
                _,
            ) => None,
            (
                "$defs" | "definitions" | "properties" | "patternProperties" | "dependentSchemas",
                Value::Object(named),
            ) => {
                let schemas = named.iter();
                let schemas = schemas
                    .map(|(name, schema)| Some((name.clone(), self.schema(schema, depth + 1)?)));
                Some(Value::Object(schemas.collect::<Option<_>>()?))
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                let schemas = schemas.iter().map(|schema| self.schema(schema, depth + 1));
                Some(schemas.collect::<Option<_>>()?)
            }
            (
                "items"
                | "contains"
                | "additionalProperties"
                | "unevaluatedItems"
                | "unevaluatedProperties"
                | "propertyNames"
                | "not"
                | "if"
                | "then"
                | "else",
                _,
            ) => Some(self.schema(value, depth)?),
            _ if is_deeper(value, (MAX_DEPTH + 1).saturating_sub(depth)) => return None,
            _ => (!has_reference(value)).then(|| value.clone()),
        })
    }

    /// A reference within the schema, as one within the document.
    fn here(&self, reference: &Value) -> Option<Value> {
        let pointer = reference.as_str()?.strip_prefix('#')?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~$".contains(&byte);
        let leads_somewhere = self.whole.pointer(pointer).is_some();
        (leads_somewhere && pointer.bytes().all(is_plain))
            .then(|| format!("{}{pointer}", self.place).into())
    }

    /// Whether all references in a part of what was taken lead to something in there: parts were left out.
    fn all_lead_somewhere(&self, part: &Value, taken: &Value) -> bool {
        match part {
            Value::Array(items) => items
                .iter()
                .all(|item| self.all_lead_somewhere(item, taken)),
            Value::Object(members) => members.iter().all(|(name, value)| match value {
                Value::String(reference) if name == REFERENCE => reference
                    .strip_prefix(&self.place)
                    .is_some_and(|pointer| taken.pointer(pointer).is_some()),
                _ => self.all_lead_somewhere(value, taken),
            }),
            _ => true,
        }
    }
}

/// Whether there is a member in it that looks like a reference.
fn has_reference(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_reference),
        Value::Object(members) => {
            members.contains_key(REFERENCE) || members.values().any(has_reference)
        }
        _ => false,
    }
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    let mut inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => return false,
    };
    levels == 0 || inner.any(|value| is_deeper(value, levels - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(schema: Value) -> Option<Value> {
        take(&schema.to_string(), "c.C.p")
    }

    #[test]
    fn references_lead_to_the_same_in_the_document() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": {
                "a": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
                "$ref": {"items": {"$ref": "#"}},
            },
            "const": {"properties": {"x": 1}},
            "$defs": {"A": {"type": "integer"}},
        });
        let expected = json!({
            "properties": {
                "a": {"anyOf": [{"$ref": "#/components/schemas/c.C.p/$defs/A"}, {"type": "null"}]},
                "$ref": {"items": {"$ref": "#/components/schemas/c.C.p"}},
            },
            "const": {"properties": {"x": 1}},
            "$defs": {"A": {"type": "integer"}},
        });
        assert_eq!(taken(schema), Some(expected));
    }

    #[test]
    fn what_leads_elsewhere_or_nowhere_is_left_out() {
        for reference in [
            "#/$defs/B",
            "#A",
            "http://evil.example/schema",
            "file:///etc/passwd",
            "other.json#/A",
            "",
            "#/$defs/a b",
        ] {
            let schema = json!({
                "$id": "http://evil.example/",
                "items": {"$ref": reference, "type": "string"},
                "$defs": {"a b": true},
            });
            let expected = json!({"items": {"type": "string"}, "$defs": {"a b": true}});
            assert_eq!(taken(schema), Some(expected), "{reference}");
        }
        let evil = json!([{"$ref": "http://evil.example/schema"}]);
        let hidden = json!({"$ref": ["#"], "$anchor": "a", "const": evil, "x": {"y": evil}});
        assert_eq!(taken(hidden), Some(json!({})));
        let behind = json!({"items": {"$ref": "#/x/0"}, "x": evil});
        assert_eq!(taken(behind), None);
    }

    #[test]
    fn what_is_no_schema_or_too_deep_is_not_taken() {
        assert_eq!(taken(json!(true)), Some(json!(true)));
        for schema in [json!("text"), json!({"items": 1}), json!({"anyOf": [[]]})] {
            assert_eq!(taken(schema.clone()), None, "{schema}");
        }
        assert_eq!(take("{", "c.C.p"), None);
        for keyword in ["not", "const", "x"] {
            let nested = |levels| (0..levels).fold(json!({}), |inner, _| json!({ keyword: inner }));
            assert!(taken(nested(MAX_DEPTH)).is_some(), "{keyword}");
            assert_eq!(taken(nested(MAX_DEPTH + 1)), None, "{keyword}");
        }
    }
}
