//! Reads conditions from the sealed call.

use super::{Condition, Group, Where};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

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
