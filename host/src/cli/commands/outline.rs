//! The JSON Schema of a parameter as rows of a table: what is in the parameter, by dotted names.
//!
//! A schema is the word of its connector: it can refer to itself and fan out without end, so names, rows
//! and steps are bounded. What is left out is still in the schema.

use super::text::code;
use airlock::plan::{Parameter, ParameterKind};
use serde_json::{Map, Value};
use std::ptr;

/// Deepest name, in parts.
const MAX_DEPTH: usize = 6;

/// Most parts of a schema that are looked at; long texts count as several.
const MAX_STEPS: usize = 2_000;

/// Bytes of text that count as a step.
const STEP_BYTES: usize = 256;

/// The kind of what may be anything.
const ANY: &str = "any";

/// Most values that are listed in the place of a kind.
const MAX_CHOICES: usize = 12;

/// A parameter, or something in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Where it is, such as `schema.columns`; `[]` stands for each element of a list.
    pub name: String,
    /// What it may be, as Markdown.
    pub kind: String,
    /// Whether it has to be there.
    pub is_required: bool,
    /// What is taken where it is not there, as JSON.
    pub default: Option<String>,
    /// What it means.
    pub meaning: String,
}

/// The rows of a parameter, its own first.
pub(super) fn rows(parameter: &Parameter) -> Vec<Row> {
    let schema = parameter.schema.as_deref();
    let schema = schema.and_then(|schema| serde_json::from_str(schema).ok());
    let schema: Value = schema.unwrap_or(Value::Bool(true));
    let mut outline = Outline {
        whole: &schema,
        steps: 0,
        path: Vec::new(),
        rows: Vec::new(),
    };
    let alternatives = outline.alternatives(&schema);
    let kind = match (parameter.kind, outline.kind(&alternatives)) {
        (ParameterKind::Connection, _) => "connection".into(),
        // The schema says more than the kind, where it says something.
        (_, kind) if kind != ANY => kind,
        (ParameterKind::Text, _) => "text".into(),
        (ParameterKind::Integer, _) => "integer".into(),
        (ParameterKind::Boolean, _) => "boolean".into(),
        (ParameterKind::Any, _) => ANY.into(),
    };
    outline.rows.push(Row {
        name: parameter.name.clone(),
        kind,
        is_required: parameter.required,
        default: default(&schema),
        meaning: parameter.summary.clone(),
    });
    outline.inside(&parameter.name, &alternatives, 1);
    outline.rows
}

struct Outline<'a> {
    whole: &'a Value,
    steps: usize,
    /// The schemas that are being looked into.
    path: Alternatives<'a>,
    rows: Vec<Row>,
}

type Alternatives<'a> = Vec<&'a Map<String, Value>>;

impl<'a> Outline<'a> {
    /// What a value may be: references and choices are followed, and null is left out.
    fn alternatives(&mut self, schema: &'a Value) -> Alternatives<'a> {
        let mut found = Vec::new();
        self.find(schema, MAX_DEPTH, &mut found);
        found
    }

    fn find(&mut self, schema: &'a Value, depth: usize, found: &mut Alternatives<'a>) {
        self.steps += 1;
        let Some(members) = schema.as_object() else {
            return;
        };
        if depth == 0 || self.steps > MAX_STEPS {
            return;
        }
        if members.get("type").is_some_and(|kind| kind == "null") {
            return;
        }
        let reference = members.get("$ref").and_then(Value::as_str);
        let reference = reference.and_then(|reference| reference.strip_prefix('#'));
        if let Some(target) = reference.and_then(|pointer| self.whole.pointer(pointer)) {
            return self.find(target, depth - 1, found);
        }
        let choices = ["anyOf", "oneOf", "allOf"];
        let choices = choices
            .iter()
            .filter_map(|keyword| members.get(*keyword)?.as_array());
        let mut is_choice = false;
        for choice in choices.flatten() {
            is_choice = true;
            self.find(choice, depth - 1, found);
        }
        if !is_choice || members.contains_key("properties") {
            found.push(members);
        }
    }

    /// The kinds of the alternatives, each once.
    fn kind(&mut self, alternatives: &[&'a Map<String, Value>]) -> String {
        let mut kinds: Vec<String> = Vec::new();
        for members in alternatives {
            for kind in self.kinds(members) {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
        if kinds.is_empty() || kinds.len() > MAX_CHOICES {
            return ANY.into();
        }
        kinds.join(" or ")
    }

    fn kinds(&mut self, members: &'a Map<String, Value>) -> Vec<String> {
        if let Some(value) = members.get("const") {
            return vec![code(&value.to_string())];
        }
        if let Some(values) = members.get("enum").and_then(Value::as_array) {
            let values = values.iter().filter(|value| !value.is_null());
            return values.map(|value| code(&value.to_string())).collect();
        }
        let named = match members.get("type") {
            Some(Value::String(kind)) => vec![kind.as_str()],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let named = named.into_iter().filter_map(|kind| match kind {
            "string" => Some("text".to_owned()),
            "array" => Some(self.list(members)),
            "integer" | "number" | "boolean" | "object" => Some(kind.to_owned()),
            _ => None,
        });
        named.collect()
    }

    /// What a list is called, by what all its elements are.
    fn list(&mut self, members: &'a Map<String, Value>) -> String {
        let alternatives = members.get("items").map(|items| self.alternatives(items));
        let mut kinds = Vec::new();
        for element in alternatives.iter().flatten() {
            // What is in a list within the list is said no more.
            let kind = element.get("type").and_then(Value::as_str);
            kinds.push(match kind {
                Some("string") => "texts",
                Some("array") => "lists",
                Some("integer") => "integers",
                Some("number") => "numbers",
                Some("boolean") => "booleans",
                Some("object") => "objects",
                _ => return "list".into(),
            });
        }
        kinds.dedup();
        match kinds.as_slice() {
            [] => "list".into(),
            kinds => format!("list of {}", kinds.join(" or ")),
        }
    }

    /// The rows of what is in a value.
    fn inside(&mut self, name: &str, alternatives: &[&'a Map<String, Value>], depth: usize) {
        if depth >= MAX_DEPTH {
            return;
        }
        for members in alternatives {
            if self.is_within(members) {
                continue;
            }
            self.path.push(members);
            let required = members.get("required").and_then(Value::as_array);
            let is_required =
                |key: &str| required.is_some_and(|keys| keys.iter().any(|it| it == key));
            let properties = members.get("properties").and_then(Value::as_object);
            let mut properties: Vec<_> = properties.into_iter().flatten().collect();
            properties.sort_by_key(|(key, _)| !is_required(key));
            for (key, schema) in properties {
                self.row(format!("{name}.{key}"), schema, is_required(key), depth);
            }
            let least = members.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            let places = members.get("prefixItems").and_then(Value::as_array);
            for (at, schema) in (0u64..).zip(places.into_iter().flatten()) {
                self.row(format!("{name}[{at}]"), schema, at < least, depth);
            }
            if let Some(items) = members.get("items") {
                self.elements(&format!("{name}[]"), items, depth);
            }
            self.path.pop();
        }
    }

    /// Whether a schema is the one of something around: its rows are there.
    fn is_within(&self, members: &'a Map<String, Value>) -> bool {
        self.path.iter().any(|around| ptr::eq(*around, members))
    }

    /// The rows of the elements of a list: their own only where they differ.
    fn elements(&mut self, name: &str, items: &'a Value, depth: usize) {
        let alternatives = self.alternatives(items);
        if alternatives.iter().any(|members| self.is_within(members)) {
            return;
        }
        let differ = alternatives.len() > 1;
        for element in alternatives {
            let element = [element];
            if differ && self.steps <= MAX_STEPS {
                let kind = self.kind(&element);
                let [members] = element;
                self.rows.push(Row {
                    name: name.to_owned(),
                    kind,
                    is_required: false,
                    default: None,
                    meaning: described(members),
                });
            }
            self.inside(name, &element, depth + 1);
        }
    }

    fn row(&mut self, name: String, schema: &'a Value, is_required: bool, depth: usize) {
        let alternatives = self.alternatives(schema);
        if self.steps > MAX_STEPS {
            return;
        }
        let kind = self.kind(&alternatives);
        let own = schema.as_object().map(described).unwrap_or_default();
        let meaning = match alternatives.as_slice() {
            [members] if own.is_empty() => described(members),
            _ => own,
        };
        let default = default(schema);
        let bytes =
            name.len() + kind.len() + meaning.len() + default.as_ref().map_or(0, String::len);
        self.steps += bytes / STEP_BYTES;
        self.rows.push(Row {
            name: name.clone(),
            kind,
            is_required,
            default,
            meaning,
        });
        self.inside(&name, &alternatives, depth + 1);
    }
}

fn described(members: &Map<String, Value>) -> String {
    let description = members.get("description").and_then(Value::as_str);
    description.unwrap_or_default().to_owned()
}

/// The default; null is what is taken for everything that is not there.
fn default(schema: &Value) -> Option<String> {
    let default = schema.get("default")?;
    (!default.is_null()).then(|| default.to_string())
}
