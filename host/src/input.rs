//! The input of a call: what the arguments of a plan point into.

use crate::seal::Sealed;
use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The parameters of a call. Long arrays of sealed values are kept as the text that they came in, and
/// are read only where somebody points into them. Prints without its contents.
#[derive(Default)]
pub struct Input {
    /// Null stands in the place of a batch.
    tree: Value,
    batches: BTreeMap<String, Batch>,
    /// The tree with the batches in their places, for whoever points above one.
    whole: OnceLock<Value>,
}

/// A long array, unread.
struct Batch {
    text: Arc<RawValue>,
    read: OnceLock<Value>,
}

impl Input {
    /// Adds a parameter.
    pub(crate) fn add(&mut self, name: &str, sealed: Sealed) {
        if let Value::Null = self.tree {
            self.tree = Value::Object(Map::new());
        }
        if let Value::Object(members) = &mut self.tree {
            members.insert(name.to_owned(), sealed.value);
        }
        let batches = sealed.batches.into_iter().map(|(pointer, text)| {
            let batch = Batch {
                text: text.into(),
                read: OnceLock::new(),
            };
            (pointer, batch)
        });
        self.batches.extend(batches);
    }

    /// The value that a JSON Pointer points to.
    #[must_use]
    pub fn value(&self, pointer: &str) -> Option<&Value> {
        for (place, batch) in &self.batches {
            if let Some(rest) = pointer.strip_prefix(place.as_str())
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return value_at(batch.value(), rest);
            }
            let below = place.strip_prefix(pointer);
            if below.is_some_and(|rest| rest.starts_with('/')) {
                return value_at(self.whole.get_or_init(|| self.put_together()), pointer);
            }
        }
        value_at(&self.tree, pointer)
    }

    fn put_together(&self) -> Value {
        let mut whole = self.tree.clone();
        for (place, batch) in &self.batches {
            if let Some(slot) = whole.pointer_mut(place) {
                *slot = batch.value().clone();
            }
        }
        whole
    }

    /// The text of the long array at a JSON Pointer, where it was left unread.
    #[must_use]
    pub fn unread(&self, pointer: &str) -> Option<Arc<RawValue>> {
        self.batches.get(pointer).map(|batch| batch.text.clone())
    }

    /// Number of elements of the array at a JSON Pointer, counted up to `most`; 0 where there is none.
    #[must_use]
    pub fn count(&self, pointer: &str, most: usize) -> usize {
        match self.batches.get(pointer) {
            Some(batch) => count(&batch.text, most),
            None => self
                .value(pointer)
                .and_then(Value::as_array)
                .map_or(0, |items| items.len().min(most)),
        }
    }
}

impl Batch {
    fn value(&self) -> &Value {
        // It was found to be JSON when it was set aside.
        self.read
            .get_or_init(|| serde_json::from_str(self.text.get()).unwrap_or_default())
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// As [`Value::pointer`]; quick where the pointer holds no escapes.
fn value_at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    if pointer.contains('~') || !pointer.starts_with('/') {
        return value.pointer(pointer);
    }
    let mut steps = pointer.split('/').skip(1);
    steps.try_fold(value, |value, step| match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => {
            let canonical = step == "0" || !step.starts_with(['0', '+']);
            items.get(step.parse::<usize>().ok().filter(|_| canonical)?)
        }
        _ => None,
    })
}

/// Counts the elements of an array without reading beyond the last that counts.
fn count(text: &RawValue, most: usize) -> usize {
    struct Count {
        most: usize,
        counted: Cell<usize>,
    }

    impl<'de> Visitor<'de> for &Count {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
            while self.counted.get() < self.most && items.next_element::<IgnoredAny>()?.is_some() {
                self.counted.set(self.counted.get() + 1);
            }
            Ok(())
        }
    }

    let count = Count {
        most,
        counted: Cell::new(0),
    };
    let mut json = serde_json::Deserializer::from_str(text.get());
    // That elements are left over is no error here.
    let _ = json.deserialize_seq(&count);
    count.counted.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn batch(value: &Value) -> Input {
        let sealed = Sealed {
            value: json!({"values": null, "a": [5, {"b": 6}]}),
            text: Vec::new(),
            batches: vec![(
                "/schema/values".into(),
                RawValue::from_string(value.to_string()).unwrap(),
            )],
        };
        let mut input = Input::default();
        input.add("schema", sealed);
        input
    }

    #[test]
    fn pointers_reach_into_what_is_unread() {
        let input = batch(&json!([[1, "x"], [2, {"y~/": 3}]]));
        for (pointer, expected) in [
            ("/schema/values/1/0", Some(json!(2))),
            ("/schema/values/1/1/y~0~1", Some(json!(3))),
            ("/schema/values/0", Some(json!([1, "x"]))),
            ("/schema/values/2", None),
            ("/schema/values/01", None),
            ("/schema/valuesx", None),
            ("/schema/a/1/b", Some(json!(6))),
            ("/schema/a/x", None),
            ("/none", None),
        ] {
            assert_eq!(input.value(pointer), expected.as_ref(), "{pointer}");
        }
    }

    #[test]
    fn what_stands_above_the_unread_is_whole() {
        let input = batch(&json!([[1], [2]]));
        let schema = json!({"values": [[1], [2]], "a": [5, {"b": 6}]});
        assert_eq!(input.value("/schema"), Some(&schema));
        assert_eq!(input.value(""), Some(&json!({"schema": schema})));
        assert_eq!(input.value("/sch"), None);
    }

    #[test]
    fn elements_are_counted() {
        for value in [json!([]), json!([[1, 2]]), json!([[1], [2], [3], [4]])] {
            let expected = value.as_array().unwrap().len().min(3);
            assert_eq!(batch(&value).count("/schema/values", 3), expected);
        }
        assert_eq!(batch(&json!([])).count("/schema/a", 9), 2);
        assert_eq!(batch(&json!([])).count("/schema", 9), 0);
    }
}
