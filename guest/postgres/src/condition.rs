//! The `where` list: which rows a command is about.

use airlock_connector::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use airlock_connector::{Argument, ErrorCode, Failure, Sealed, Sql};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

use crate::errors::{EXCEPTION, VALUE_ERROR};
use crate::grammar;

/// Where the values of conditions stand, relative to `schema`. Groups of different kinds nest two
/// deep; whatever is nested deeper is sealed whole.
pub(crate) const SEALED: [&str; 11] = [
    "/where/*/2",
    "/where/*/or/*/2",
    "/where/*/and/*/2",
    "/where/*/or/*/and/*/2",
    "/where/*/and/*/or/*/2",
    "/where/*/or/*/or",
    "/where/*/and/*/and",
    "/where/*/or/*/and/*/or",
    "/where/*/or/*/and/*/and",
    "/where/*/and/*/or/*/or",
    "/where/*/and/*/or/*/and",
];

/// Conditions joined by AND. None select all rows.
#[derive(Debug, Default)]
pub(crate) struct Where(Vec<Condition>);

#[derive(Debug)]
enum Condition {
    Test {
        column: String,
        operator: String,
        value: Option<Sealed>,
    },
    Group {
        word: &'static str,
        conditions: Group,
    },
}

/// What is in a group: conditions, or something nested too deep, which is sealed.
#[derive(Debug)]
enum Group {
    Conditions(Vec<Condition>),
    Sealed,
}

impl Where {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends `WHERE …`, or nothing where there are no conditions.
    pub(crate) fn append(&self, sql: Sql) -> Result<Sql, Failure> {
        if self.is_empty() {
            return Ok(sql);
        }
        join(sql.text(" WHERE "), &self.0, "and", "/schema/where")
    }
}

fn join(
    mut sql: Sql,
    conditions: &[Condition],
    word: &'static str,
    pointer: &str,
) -> Result<Sql, Failure> {
    for (at, condition) in conditions.iter().enumerate() {
        if at > 0 {
            sql = sql.text(if word == "and" { " AND " } else { " OR " });
        }
        sql = condition.append(sql, &format!("{pointer}/{at}"))?;
    }
    Ok(sql)
}

impl Condition {
    fn append(&self, sql: Sql, pointer: &str) -> Result<Sql, Failure> {
        match self {
            Condition::Test {
                column,
                operator,
                value,
            } => {
                let sql = grammar::scalar(sql, column)
                    .map_err(|refused| refused.at(&format!("{pointer}/0")))?;
                test(sql, operator, *value, pointer)
            }
            Condition::Group { word, conditions } => {
                let inner = format!("{pointer}/{word}");
                let refused = |message| Err(VALUE_ERROR.failure(message).at(&inner));
                match conditions {
                    Group::Sealed => refused(
                        "groups of conditions nest two deep, or in and or and in or; use DoSQL for more",
                    ),
                    Group::Conditions(conditions) if conditions.is_empty() => {
                        refused("a group needs at least one condition")
                    }
                    Group::Conditions(conditions) => {
                        Ok(join(sql.text("("), conditions, word, &inner)?.text(")"))
                    }
                }
            }
        }
    }
}

/// The operators, for messages.
const OPERATORS: &str = "=, !=, <>, <, >, <=, >=, [NOT] LIKE, [NOT] ILIKE, [NOT] IN, \
                         [NOT] BETWEEN, IS [NOT] NULL, IS DISTINCT FROM";

/// Operators that stand between a column and one value, as written and as SQL.
const COMPARISONS: [(&str, &str); 12] = [
    ("=", " = "),
    ("!=", " <> "),
    ("<>", " <> "),
    ("<", " < "),
    (">", " > "),
    ("<=", " <= "),
    (">=", " >= "),
    ("LIKE", " LIKE "),
    ("NOT LIKE", " NOT LIKE "),
    ("ILIKE", " ILIKE "),
    ("NOT ILIKE", " NOT ILIKE "),
    ("IS DISTINCT FROM", " IS DISTINCT FROM "),
];

/// Appends the operator and the value of a condition whose column is already there.
fn test(sql: Sql, operator: &str, value: Option<Sealed>, pointer: &str) -> Result<Sql, Failure> {
    let argument = |path: &str| Argument::Input(format!("{pointer}/2{path}"));
    let upper = operator.to_ascii_uppercase();
    let name = upper.as_str();
    if let Some((_, text)) = COMPARISONS.iter().find(|(written, _)| *written == name) {
        wants_value(value, operator, pointer)?;
        return Ok(sql.text(text).argument(argument("")));
    }
    let refused =
        |code: ErrorCode, message: String| code.failure(message).at(format!("{pointer}/2"));
    match (name, value) {
        ("IS NULL", None | Some(Sealed::Null)) | ("IS", Some(Sealed::Null)) => {
            Ok(sql.text(" IS NULL"))
        }
        ("IS NOT NULL", None | Some(Sealed::Null)) | ("IS NOT", Some(Sealed::Null)) => {
            Ok(sql.text(" IS NOT NULL"))
        }
        ("IS NULL" | "IS NOT NULL", Some(_)) => {
            Err(refused(VALUE_ERROR, format!("{name} takes no value")))
        }
        ("IN", Some(Sealed::Array)) => Ok(sql.text(" = ANY(").argument(argument("")).text(")")),
        ("NOT IN", Some(Sealed::Array)) => {
            Ok(sql.text(" <> ALL(").argument(argument("")).text(")"))
        }
        ("BETWEEN" | "NOT BETWEEN", Some(Sealed::Array)) => {
            let sql = sql.text(if name == "BETWEEN" {
                " BETWEEN "
            } else {
                " NOT BETWEEN "
            });
            let sql = sql.argument(argument("/0")).text(" AND ");
            Ok(sql.argument(argument("/1")))
        }
        ("IN" | "NOT IN" | "BETWEEN" | "NOT BETWEEN", _) => Err(refused(
            EXCEPTION,
            format!("Unsupported value for {name} in where clause: give a list such as [1, 5]"),
        )),
        _ => Err(EXCEPTION
            .failure(format!(
                "Unsupported operator {:?} in where clause; use one of {OPERATORS}",
                grammar::shorten(operator)
            ))
            .at(format!("{pointer}/1"))),
    }
}

fn wants_value(value: Option<Sealed>, operator: &str, pointer: &str) -> Result<(), Failure> {
    match value {
        Some(_) => Ok(()),
        None => Err(VALUE_ERROR
            .failure(format!("the condition has no value for {operator}"))
            .at(pointer)),
    }
}

const TRIPLE: &str = "a condition such as [\"id\", \"=\", 5]";

/// A sealed scalar in the place of conditions. Text has the wrong length, anything else the wrong
/// type: so existing workflows know it.
fn misplaced<E: de::Error>(kind: &str) -> E {
    match kind {
        "string" => E::invalid_length(1, &TRIPLE),
        kind => E::invalid_type(de::Unexpected::Str(kind), &TRIPLE),
    }
}

impl<'de> Deserialize<'de> for Where {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Conditions;

        impl<'de> Visitor<'de> for Conditions {
            type Value = Where;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of conditions such as [[\"id\", \"=\", 5]]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Where, A::Error> {
                let mut conditions = Vec::new();
                while let Some(condition) = seq.next_element()? {
                    conditions.push(condition);
                }
                Ok(Where(conditions))
            }

            fn visit_str<E: de::Error>(self, kind: &str) -> Result<Where, E> {
                Err(misplaced(kind))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Where, A::Error> {
                match map.next_key::<de::IgnoredAny>()? {
                    None => Ok(Where::default()),
                    Some(_) => Err(de::Error::invalid_length(2, &TRIPLE)),
                }
            }
        }

        deserializer.deserialize_any(Conditions)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Test;

        impl<'de> Visitor<'de> for Test {
            type Value = Condition;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{TRIPLE} or a group such as {{\"or\": […]}}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Condition, A::Error> {
                let missing = |length| de::Error::invalid_length(length, &TRIPLE);
                let Column(column) = seq.next_element()?.ok_or_else(|| missing(0))?;
                let operator: Value = seq.next_element()?.ok_or_else(|| missing(1))?;
                // Whatever is no text is no operator either; planning says so.
                let operator = match operator {
                    Value::String(operator) => operator,
                    other => other.to_string(),
                };
                let value = seq.next_element()?;
                match seq.next_element::<de::IgnoredAny>()? {
                    None => Ok(Condition::Test {
                        column,
                        operator,
                        value,
                    }),
                    Some(_) => Err(missing(4)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Condition, A::Error> {
                let word = match map.next_key::<Cow<'de, str>>()?.as_deref() {
                    Some("or") => "or",
                    Some("and") => "and",
                    _ => {
                        return Err(de::Error::invalid_length(
                            0,
                            &"a group such as {\"or\": […]}",
                        ));
                    }
                };
                let conditions = map.next_value()?;
                match map.next_key::<de::IgnoredAny>()? {
                    None => Ok(Condition::Group { word, conditions }),
                    Some(_) => Err(de::Error::invalid_length(2, &"one key, or or and")),
                }
            }

            fn visit_str<E: de::Error>(self, kind: &str) -> Result<Condition, E> {
                Err(misplaced(kind))
            }
        }

        deserializer.deserialize_any(Test)
    }
}

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Group;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of conditions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Group, A::Error> {
                let mut conditions = Vec::new();
                while let Some(condition) = seq.next_element()? {
                    conditions.push(condition);
                }
                Ok(Group::Conditions(conditions))
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Group, E> {
                Ok(Group::Sealed)
            }
        }

        deserializer.deserialize_any(Members)
    }
}

/// The left side of a condition: text, or a number that stands for itself.
struct Column(String);

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Column;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Column, E> {
                Ok(Column(text.into()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Column, E> {
                Ok(Column(number.to_string()))
            }
        }

        deserializer.deserialize_any(Text)
    }
}

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
