//! Replaces the values that a connector only passes through by their kinds.
//!
//! A pattern is a JSON Pointer in which the step `*` matches every array element or object member.
//! Where a value ends before the pattern does, the value itself is sealed: a connector never sees a
//! scalar that stands where the values to seal were expected.

mod pattern;
mod plain;

pub use pattern::Pattern;

use crate::limits::{MAX_JSON_DEPTH, MAX_SEALED_VALUES};
use pattern::Place;
use plain::Plain;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// Most patterns of one parameter: the sealing of a value follows all of them at once, one bit each.
pub const MAX_PATTERNS: usize = u64::BITS as usize;

/// Arrays at the end of a pattern whose text is shorter than this are read at once, in bytes.
const BATCH_BYTES: usize = 1 << 10;

/// Room for the sealed text of most parameters, in bytes.
const USUAL_BYTES: usize = 256;

/// How `serde_json` hands over a number that is no 64-bit integer, so that its digits are kept: as the
/// only member of an object, with this name.
const NUMBER: &str = "$serde_json::private::Number";

/// How `serde_json` hands over text that is left unread. Whoever reads an object with a member of this
/// name gets what its text says in the place of the object, or cannot read it.
const RAW: &str = "$serde_json::private::RawValue";

/// The error where an object has two members of one name.
pub const REPEATED: &str = "a name is repeated";

/// The error where a value nests deeper than [`MAX_JSON_DEPTH`], in the words of the reader.
pub const TOO_DEEP: &str = "recursion limit exceeded";

/// The error where there are more than [`MAX_SEALED_VALUES`].
pub const TOO_MANY: &str = "too many values";

/// What was read of a parameter.
#[derive(Debug, Default)]
pub struct Sealed {
    /// The value as JSON text, with everything that a pattern matches replaced by the name of its kind.
    pub text: Vec<u8>,
    /// What was replaced, in the order of the text.
    pub values: Vec<SealedValue>,
}

/// A value whose kind stands in its place. Prints without its contents.
pub struct SealedValue {
    /// JSON Pointer to where it stood in the call.
    pub pointer: String,
    /// What it is.
    pub content: Content,
}

/// What a sealed value is.
pub enum Content {
    /// A value that was read.
    Read(Value),
    /// The text of a long array. It is left unread: often it goes to the database as it is.
    Unread(Box<RawValue>),
}

impl fmt::Debug for SealedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (redacted)", self.pointer)
    }
}

/// Reads the parameter `name` from JSON and seals it by `patterns`. Patterns beyond [`MAX_PATTERNS`]
/// are not looked at.
///
/// # Errors
/// When the text is not JSON, or with [`REPEATED`].
pub fn read<'de, D: Deserializer<'de>>(
    name: &str,
    patterns: &[Pattern],
    json: D,
) -> Result<Sealed, D::Error> {
    let all = patterns.iter().take(MAX_PATTERNS).enumerate();
    let mut sealed = Sealed {
        text: Vec::with_capacity(USUAL_BYTES),
        ..Sealed::default()
    };
    let reader = Reader {
        patterns,
        live: all.fold(0, |live, (at, _)| live | 1 << at),
        depth: 0,
        pointer: &mut pointer(name),
        text: &mut sealed.text,
        values: &mut sealed.values,
    };
    reader.deserialize(json)?;
    Ok(sealed)
}

fn pointer(name: &str) -> String {
    let mut pointer = String::new();
    push_step(&mut pointer, name);
    pointer
}

fn push_step(pointer: &mut String, name: &str) {
    pointer.push('/');
    if !name.contains(['~', '/']) {
        pointer.push_str(name);
        return;
    }
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// Reads one value at `depth` and seals it.
struct Reader<'a> {
    patterns: &'a [Pattern],
    /// A bit for each pattern that has matched so far.
    live: u64,
    depth: usize,
    pointer: &'a mut String,
    text: &'a mut Vec<u8>,
    values: &'a mut Vec<SealedValue>,
}

/// The name of an object's member.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.live == 0 {
            return Plain(self.text).deserialize(json);
        }
        if !self.any(|pattern| pattern.0.len() == self.depth) {
            return json.deserialize_any(self);
        }
        let raw = <&RawValue>::deserialize(json)?;
        let long = raw.get().len() >= BATCH_BYTES;
        if long && raw.get().starts_with('[') {
            if is_deeper(raw.get(), MAX_JSON_DEPTH) {
                return Err(D::Error::custom(TOO_DEEP));
            }
            write(self.text, "array");
            self.values.push(SealedValue {
                pointer: self.pointer.clone(),
                content: Content::Unread(raw.to_owned()),
            });
            return Ok(());
        }
        let value = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        self.seal(value);
        Ok(())
    }
}

/// A value whose patterns go on: what is no container is sealed.
impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.seal(Value::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.seal(Value::Bool(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.seal(Value::from(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.seal(Value::from(value));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.seal(Value::from(value));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.text.push(b'[');
        let length = self.pointer.len();
        for at in 0.. {
            self.bound()?;
            let end = self.text.len();
            if at > 0 {
                self.text.push(b',');
            }
            self.pointer.push('/');
            self.pointer.push_str(itoa::Buffer::new().format(at));
            let item = items.next_element_seed(self.inner(Place::Item(at)))?;
            self.pointer.truncate(length);
            if item.is_none() {
                self.text.truncate(end);
                break;
            }
        }
        self.text.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        self.text.push(b'{');
        while let Some(name) = members.next_key::<Name<'de>>()? {
            self.bound()?;
            // Behind another member it is a name like any other.
            if name.0 == NUMBER && names.is_empty() {
                self.text.pop();
                let number = members.next_value::<Cow<'de, str>>()?;
                let number: Number = number.parse().map_err(A::Error::custom)?;
                self.seal(Value::Number(number));
                return Ok(());
            }
            if name.0 == RAW {
                return Err(A::Error::custom("a name is reserved"));
            }
            if !names.is_empty() {
                self.text.push(b',');
            }
            write(self.text, &*name.0);
            self.text.push(b':');
            let length = self.pointer.len();
            push_step(self.pointer, &name.0);
            members.next_value_seed(self.inner(Place::Member(&name.0)))?;
            self.pointer.truncate(length);
            if !names.insert(name) {
                return Err(A::Error::custom(REPEATED));
            }
        }
        self.text.push(b'}');
        Ok(())
    }
}

impl Reader<'_> {
    fn seal(self, value: Value) {
        write(self.text, kind(&value));
        self.values.push(SealedValue {
            pointer: self.pointer.clone(),
            content: Content::Read(value),
        });
    }

    /// Values that are sealed one by one take more room than their text.
    fn bound<E: serde::de::Error>(&self) -> Result<(), E> {
        match self.values.len() > MAX_SEALED_VALUES {
            true => Err(E::custom(TOO_MANY)),
            false => Ok(()),
        }
    }

    /// Reads what stands at `place` inside of this value.
    fn inner(&mut self, place: Place<'_>) -> Reader<'_> {
        Reader {
            live: self.advance(place),
            depth: self.depth + 1,
            patterns: self.patterns,
            pointer: self.pointer,
            text: self.text,
            values: self.values,
        }
    }

    /// The live patterns whose next step matches as well.
    fn advance(&self, place: Place<'_>) -> u64 {
        let steps = self.patterns.iter().enumerate();
        steps.fold(0, |matched, (at, pattern)| {
            let bit = 1_u64.checked_shl(at as u32).unwrap_or(0) & self.live;
            let step = pattern.0.get(self.depth).filter(|_| bit != 0);
            match step {
                Some(step) if step.matches(place) => matched | bit,
                _ => matched,
            }
        })
    }

    fn any(&self, holds: impl Fn(&Pattern) -> bool) -> bool {
        let mut patterns = self.patterns.iter().enumerate();
        patterns.any(|(at, pattern)| {
            1_u64.checked_shl(at as u32).unwrap_or(0) & self.live != 0 && holds(pattern)
        })
    }
}

/// Whether JSON text nests deeper than this. What is left unread is read later, and must not fail then.
fn is_deeper(json: &str, most: usize) -> bool {
    let mut depth = 0_usize;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(byte) = bytes.next().filter(|byte| *byte != b'"') {
                    if byte == b'\\' {
                        bytes.next();
                    }
                }
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

fn write(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// Name of the kind of a value: that of the type which its SQL literal would have.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) => number_kind(number),
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Name of the type that a value has in Python, for messages that callers know.
#[must_use]
pub fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.as_str().contains(['.', 'e', 'E']) => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn number_kind(number: &Number) -> &'static str {
    match number.as_i64() {
        Some(integer) if i32::try_from(integer).is_ok() => "int4",
        Some(_) => "int8",
        None => "numeric",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(patterns: &[&str], value: &Value, expected: &Value) {
        let patterns: Vec<_> = patterns
            .iter()
            .map(|p| Pattern::parse(p).unwrap())
            .collect();
        let text = value.to_string();
        let mut json = serde_json::Deserializer::from_str(&text);
        let sealed = read("p", &patterns, &mut json).unwrap();
        assert_eq!(
            String::from_utf8(sealed.text).unwrap(),
            expected.to_string()
        );
        for sealed in &sealed.values {
            let pointer = sealed.pointer.strip_prefix("/p").unwrap();
            let Content::Read(read) = &sealed.content else {
                panic!("nothing here is long");
            };
            assert_eq!(Some(read), value.pointer(pointer));
        }
    }

    #[test]
    fn long_arrays_are_left_unread() {
        let rows = json!([vec!["x".repeat(BATCH_BYTES)]]);
        let text = json!({"a/b": {"values": rows, "n": 5}}).to_string();
        let patterns = [
            Pattern::parse("/a~1b/values").unwrap(),
            Pattern::parse("/*/n").unwrap(),
        ];
        let mut json = serde_json::Deserializer::from_str(&text);
        let sealed = read("p~", &patterns, &mut json).unwrap();
        assert_eq!(sealed.text, br#"{"a/b":{"values":"array","n":"int4"}}"#);
        let [values, n] = sealed.values.as_slice() else {
            panic!("two values are sealed");
        };
        let (Content::Unread(raw), Content::Read(five)) = (&values.content, &n.content) else {
            panic!("the long one is unread, the other one is not");
        };
        assert_eq!(
            (values.pointer.as_str(), raw.get()),
            ("/p~0/a~1b/values", &*rows.to_string())
        );
        assert_eq!((n.pointer.as_str(), five), ("/p~0/a~1b/n", &json!(5)));
    }

    /// Left unread, they would be found out when it is too late to tell.
    #[test]
    fn long_arrays_that_nobody_can_read_are_refused() {
        let patterns = [Pattern::parse("").unwrap()];
        let refused = |text: &str| {
            let mut json = serde_json::Deserializer::from_str(text);
            read("p", &patterns, &mut json)
                .err()
                .map(|error| error.to_string())
        };
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let brackets = format!("\"{}\\\"{}\"", "[".repeat(300), "{".repeat(300));
        let filler = format!("{},{brackets}", vec!["[]"; BATCH_BYTES].join(","));
        for depth in [MAX_JSON_DEPTH - 1, MAX_JSON_DEPTH] {
            let text = format!("[{filler},{}]", nested(depth));
            let readable = serde_json::from_str::<Value>(&text).is_ok();
            assert_eq!(readable, depth < MAX_JSON_DEPTH);
            let refusal = refused(&text).unwrap_or_default();
            assert_eq!(refusal.contains(TOO_DEEP), !readable, "{refusal}");
        }
        assert!(refused(&nested(100_000)).unwrap().contains(TOO_DEEP));
    }

    #[test]
    fn values_sealed_one_by_one_are_bounded() {
        let patterns = [Pattern::parse("/*/x").unwrap()];
        let mut json = vec![r#"{"x":1}"#; MAX_SEALED_VALUES + 2].join(",");
        json = format!("[{json}]");
        let mut json = serde_json::Deserializer::from_str(&json);
        let error = read("p", &patterns, &mut json).unwrap_err();
        assert!(error.to_string().starts_with(TOO_MANY), "{error}");
    }

    #[test]
    fn seals_what_matches_and_nothing_else() {
        let value = json!({"columns": ["a"], "where": [["a", "=", 5], ["b", "<", [1]], {"or": [["c", "=", "x"]]}]});
        check(
            &["/where/*/2", "/where/*/or/*/2"],
            &value,
            &json!({"columns": ["a"], "where": [["a", "=", "int4"], ["b", "<", "array"], {"or": [["c", "=", "string"]]}]}),
        );
        check(&[""], &value, &json!("object"));
        check(&[], &value, &value);
        check(
            &["/0/1", "/1/0"],
            &json!([[1, 2, 3], [4, 5]]),
            &json!([[1, "int4", 3], ["int4", 5]]),
        );
        check(
            &["/a~1b"],
            &json!({"a/b": 1, "c": 2}),
            &json!({"a/b": "int4", "c": 2}),
        );
    }

    #[test]
    fn seals_scalars_in_the_place_of_containers() {
        check(
            &["/where/*/2"],
            &json!({"where": ["secret"]}),
            &json!({"where": ["string"]}),
        );
        check(
            &["/values/*"],
            &json!("a secret in quotes"),
            &json!("string"),
        );
        for number in ["5", "-5", "-0", "1.50", "1e400", "18446744073709551616"] {
            let number: Value = serde_json::from_str(number).unwrap();
            check(
                &["/values/*"],
                &json!({"values": number}),
                &json!({"values": kind(&number)}),
            );
        }
        check(
            &["/values/*"],
            &json!({"values": null}),
            &json!({"values": "null"}),
        );
    }

    #[test]
    fn the_name_of_a_number_can_be_that_of_a_member() {
        let text = format!(r#"{{"a": {{"b": 1, "{NUMBER}": "2"}}}}"#);
        let patterns = [Pattern::parse("/a/*").unwrap()];
        let mut json = serde_json::Deserializer::from_str(&text);
        let sealed = read("p", &patterns, &mut json).unwrap();
        let expected = format!(r#"{{"a":{{"b":"int4","{NUMBER}":"string"}}}}"#);
        assert_eq!(String::from_utf8(sealed.text).unwrap(), expected);
    }

    #[test]
    fn the_name_of_unread_text_is_refused() {
        let text = format!(r#"{{"a": {{"{RAW}": "1 []"}}}}"#);
        let patterns = [Pattern::parse("/a/b").unwrap()];
        let mut json = serde_json::Deserializer::from_str(&text);
        let refused = read("p", &patterns, &mut json).unwrap_err();
        assert!(refused.to_string().starts_with("a name is reserved"));
    }

    #[test]
    fn kinds_follow_sql_literals() {
        for (text, expected) in [
            ("2147483647", "int4"),
            ("2147483648", "int8"),
            ("-9223372036854775808", "int8"),
            ("9223372036854775808", "numeric"),
            ("1.0", "numeric"),
            ("1e2", "numeric"),
            ("true", "boolean"),
        ] {
            assert_eq!(
                kind(&serde_json::from_str(text).unwrap()),
                expected,
                "{text}"
            );
        }
    }
}
