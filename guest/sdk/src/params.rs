//! Reads the parameters of a call into the connector's own types.
//!
//! [`parameters!`](crate::parameters) declares them as a struct of [`Typed`] fields: what a manifest
//! says of them, their JSON Schema, which values are sealed, and how they are read all come from the
//! types of the fields. [`parse`] reads anything else that serde reads, such as objects in objects.

mod choice;
mod declaration;
mod integer;
mod list;
mod passed;
mod typed;

pub use choice::{choice, schema_of};
pub use declaration::{Members, Parameters, declare, name, on_database};
pub use integer::Integer;
pub use list::List;
pub use passed::{Passable, Passed};
pub use typed::Typed;

use crate::{Call, ErrorCode, Failure, Sealed};
use serde::Deserialize;
use serde_path_to_error::{Path, Segment};

/// The code for a parameter that is missing.
pub const KEY_ERROR: ErrorCode = ErrorCode::parameters(
    "KeyError",
    "A parameter, or a key of one, is missing. Add it.",
);

/// The code for a value of the wrong type, and for parameters that nobody knows.
pub const TYPE_ERROR: ErrorCode = ErrorCode::parameters(
    "TypeError",
    "A value has the wrong type, such as text where a list belongs, or a parameter is unknown.",
);

/// The code for a value that is out of range.
pub const VALUE_ERROR: ErrorCode = ErrorCode::parameters(
    "ValueError",
    "A number is out of range, a list has the wrong length, or a word is not among the choices.",
);

/// The errors of reading parameters.
pub const ERRORS: &[ErrorCode] = &[KEY_ERROR, TYPE_ERROR, VALUE_ERROR];

/// Reads the input of `call` as `T`.
///
/// # Errors
/// With a pointer to the offending part. The code tells what is wrong, in the words that callers of
/// this protocol know: `KeyError` for a missing key, `ValueError` for a list of the wrong length or
/// an unknown choice, `TypeError` for any other value of the wrong type.
pub fn parse<'a, T: Deserialize<'a>>(call: &'a Call) -> Result<T, Failure> {
    let mut input = serde_json::Deserializer::from_str(&call.input);
    serde_path_to_error::deserialize(&mut input).map_err(|error| {
        let message = without_position(&error.inner().to_string());
        code(&message)
            .failure(readable(&message))
            .at(pointer(error.path()))
    })
}

/// Chooses the code from the words in which serde reports what it expected. They are fixed by the
/// provided methods of `serde::de::Error`.
fn code(message: &str) -> ErrorCode {
    let begins = |prefix| message.starts_with(prefix);
    if begins("missing field") {
        KEY_ERROR
    } else if begins("invalid length") || begins("invalid value") || begins("unknown variant") {
        VALUE_ERROR
    } else {
        TYPE_ERROR
    }
}

/// Turns `invalid type: string "null", expected X` around. Sealed values are strings that name their
/// kind, so the kind is what was found.
fn readable(message: &str) -> String {
    let parts = message.split_once(": ").and_then(|(what, rest)| {
        let (found, expected) = rest.split_once(", expected ")?;
        matches!(what, "invalid type" | "invalid value").then_some((found, expected))
    });
    let Some((found, expected)) = parts else {
        return message.to_owned();
    };
    let sealed = found
        .strip_prefix("string \"")
        .and_then(|found| found.strip_suffix('"'))
        .filter(|kind| kind.parse::<Sealed>().is_ok());
    format!(
        "{} was expected, not {}",
        json_word(expected),
        json_word(sealed.unwrap_or(found))
    )
}

/// The words of JSON for those of serde.
fn json_word(word: &str) -> &str {
    match word {
        "sequence" | "a sequence" | "array" => "a list",
        "map" | "a map" | "object" => "an object",
        "a string" | "string" => "text",
        "int4" | "int8" | "numeric" => "a number",
        "a boolean" | "boolean" => "true or false",
        other => other,
    }
}

/// The sealed input has other line and column numbers than what the caller wrote.
fn without_position(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text)
        .to_owned()
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer = child(&pointer, &index.to_string()),
            Segment::Map { key } => pointer = child(&pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// The JSON Pointer to the member `key` of what `pointer` points to.
#[must_use]
pub fn child(pointer: &str, key: &str) -> String {
    let key = key.replace('~', "~0").replace('/', "~1");
    [pointer, "/", &key].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug)]
    struct Input {
        #[allow(dead_code)]
        schema: Schema,
    }

    #[derive(Deserialize, Debug)]
    struct Schema {
        #[allow(dead_code)]
        columns: Vec<String>,
        #[allow(dead_code)]
        pair: Option<(u8, u8)>,
    }

    #[test]
    fn errors_name_the_code_and_the_place() {
        for (input, code, pointer) in [
            (r#"{"schema": {}}"#, "KeyError", "/schema"),
            (r#"{"schema": null}"#, "TypeError", "/schema"),
            (
                r#"{"schema": {"columns": "a"}}"#,
                "TypeError",
                "/schema/columns",
            ),
            (
                r#"{"schema": {"columns": ["a", 1]}}"#,
                "TypeError",
                "/schema/columns/1",
            ),
            (
                r#"{"schema": {"columns": [], "pair": [1]}}"#,
                "ValueError",
                "/schema/pair",
            ),
        ] {
            let call = Call {
                command: "C".into(),
                input: input.into(),
            };
            let failure = parse::<Input>(&call).unwrap_err();
            assert_eq!(
                (failure.code.as_str(), failure.pointer.as_deref()),
                (code, Some(pointer)),
                "{input}: {failure:?}"
            );
            assert!(
                !failure.message.contains(" at line "),
                "{}",
                failure.message
            );
        }
        assert_eq!(child("/a", "b/c~"), "/a/b~1c~0");
    }
}
