//! The input of a call: what the arguments of a plan point into.

use crate::seal::{Content, SealedValue};
use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The parameters of a call: their text without what is sealed, and what is sealed. Long arrays are
/// kept as the text that they came in, and are read only where somebody points into them. Prints
/// without its contents.
#[derive(Default)]
pub struct Input {
    sealed: String,
    /// What is sealed, in the order of [`compare`].
    leaves: Vec<Leaf>,
    /// All of it as one value, for whoever points to what is not sealed.
    whole: OnceLock<Value>,
}

/// A sealed value.
struct Leaf {
    pointer: String,
    value: OnceLock<Value>,
    /// The text of a long array.
    unread: Option<Arc<RawValue>>,
}

impl Input {
    /// The parameters with the text `sealed`, in which kinds stand in the places of `values`.
    pub(crate) fn new(sealed: String, values: Vec<SealedValue>) -> Input {
        let mut leaves: Vec<Leaf> = values.into_iter().map(Leaf::from).collect();
        leaves.sort_by(|a, b| compare(&a.pointer, &b.pointer));
        Input {
            sealed,
            leaves,
            whole: OnceLock::new(),
        }
    }

    /// The parameters as the connector sees them, a JSON object.
    #[must_use]
    pub fn sealed(&self) -> &str {
        &self.sealed
    }

    /// The value that a JSON Pointer points to.
    #[must_use]
    pub fn value(&self, pointer: &str) -> Option<&Value> {
        if let Some(leaf) = self.last_up_to(pointer)
            && let Some(rest) = pointer.strip_prefix(leaf.pointer.as_str())
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return value_at(leaf.value(), rest);
        }
        value_at(self.whole(), pointer)
    }

    /// All parameters as one value, an object.
    #[must_use]
    pub fn whole(&self) -> &Value {
        self.whole.get_or_init(|| self.put_together())
    }

    /// The last leaf that does not stand behind `pointer`. Leaves do not stand inside each other, so
    /// where one is at or above `pointer`, it is this one.
    fn last_up_to(&self, pointer: &str) -> Option<&Leaf> {
        let behind = |leaf: &Leaf| compare(&leaf.pointer, pointer) == Ordering::Greater;
        let end = self.leaves.partition_point(|leaf| !behind(leaf));
        self.leaves.get(end.checked_sub(1)?)
    }

    fn at(&self, pointer: &str) -> Option<&Leaf> {
        self.last_up_to(pointer)
            .filter(|leaf| leaf.pointer == pointer)
    }

    fn put_together(&self) -> Value {
        // It was written as JSON.
        let mut whole: Value = serde_json::from_str(&self.sealed).unwrap_or_default();
        for leaf in &self.leaves {
            if let Some(slot) = whole.pointer_mut(&leaf.pointer) {
                *slot = leaf.value().clone();
            }
        }
        whole
    }

    /// The text of the long array at a JSON Pointer, where it was left unread.
    #[must_use]
    pub fn unread(&self, pointer: &str) -> Option<Arc<RawValue>> {
        self.at(pointer)?.unread.clone()
    }

    /// Number of elements of the array at a JSON Pointer, counted up to `most`; 0 where there is none.
    #[must_use]
    pub fn count(&self, pointer: &str, most: usize) -> usize {
        match self.at(pointer).and_then(|leaf| leaf.unread.as_ref()) {
            Some(text) => count(text, most),
            None => self
                .value(pointer)
                .and_then(Value::as_array)
                .map_or(0, |items| items.len().min(most)),
        }
    }
}

impl From<SealedValue> for Leaf {
    fn from(sealed: SealedValue) -> Self {
        let (value, unread) = match sealed.content {
            Content::Read(value) => (OnceLock::from(value), None),
            Content::Unread(text) => (OnceLock::new(), Some(text.into())),
        };
        Leaf {
            pointer: sealed.pointer,
            value,
            unread,
        }
    }
}

impl Leaf {
    fn value(&self) -> &Value {
        self.value.get_or_init(|| {
            // It was found to be JSON when it was set aside.
            let text = self.unread.as_ref().map_or("null", |text| text.get());
            serde_json::from_str(text).unwrap_or_default()
        })
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// Orders JSON Pointers step by step, so that what stands inside of a value follows it at once.
fn compare(a: &str, b: &str) -> Ordering {
    let by_step = |byte| match byte {
        b'/' => 0,
        other => u16::from(other) + 1,
    };
    let bytes = a.bytes().map(by_step);
    bytes.cmp(b.bytes().map(by_step))
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

    fn sealed(pointer: &str, content: Content) -> SealedValue {
        SealedValue {
            pointer: pointer.into(),
            content,
        }
    }

    fn batch(value: &Value) -> Input {
        let unread = RawValue::from_string(value.to_string()).unwrap();
        Input::new(
            r#"{"schema":{"values":"array","a":["int4",{"b":6}],"a-":"int4"}}"#.into(),
            vec![
                sealed("/schema/values", Content::Unread(unread)),
                sealed("/schema/a/0", Content::Read(json!(5))),
                sealed("/schema/a-", Content::Read(json!(7))),
            ],
        )
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
            ("/schema/a/0", Some(json!(5))),
            ("/schema/a-", Some(json!(7))),
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
        let schema = json!({"values": [[1], [2]], "a": [5, {"b": 6}], "a-": 7});
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
