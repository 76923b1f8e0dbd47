//! Words of which a call chooses one.

use super::VALUE_ERROR;
use super::typed::{Typed, unsuited};
use crate::Failure;
use serde_json::{Value, json};

/// Declares the words that a parameter can have, as an enum.
///
/// ```
/// use airlock_connector::params::Typed as _;
///
/// airlock_connector::choices! {
///     /// How a plan is shown.
///     enum Format {
///         /// As JSON.
///         Json = "json",
///         /// As lines of text.
///         Text = "text",
///     }
/// }
///
/// assert_eq!(Format::read(&"text".into(), "/format").unwrap(), Format::Text);
/// let failure = Format::read(&"xml".into(), "/format").unwrap_err();
/// assert_eq!(failure.message, "one of \"json\", \"text\" was expected");
/// ```
#[macro_export]
macro_rules! choices {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident {
            $($(#[$doc:meta])* $choice:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $visibility enum $name {
            $($(#[$doc])* $choice),+
        }

        impl $name {
            /// Each choice with its word.
            const WORDS: &'static [(&'static str, $name)] = &[$(($word, $name::$choice)),+];
        }

        impl $crate::params::Typed for $name {
            const KIND: $crate::ParameterKind = $crate::ParameterKind::Text;
            const WORD: &'static str = "text";

            fn schema() -> $crate::serde_json::Value {
                $crate::params::schema_of($name::WORDS)
            }

            fn read(value: &$crate::serde_json::Value, pointer: &str) -> Result<Self, $crate::Failure> {
                $crate::params::choice($name::WORDS, value, pointer)
            }
        }

        impl From<$name> for $crate::serde_json::Value {
            fn from(choice: $name) -> Self {
                match choice {
                    $($name::$choice => $word.into()),+
                }
            }
        }
    };
}

/// JSON Schema of a choice among words.
#[must_use]
pub fn schema_of<T>(words: &[(&str, T)]) -> Value {
    let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    json!({"type": "string", "enum": words})
}

/// The choice whose word `value` is.
///
/// # Errors
/// `TypeError` where it is no text, `ValueError` where it is another word.
pub fn choice<T: Typed + Copy>(
    words: &[(&str, T)],
    value: &Value,
    pointer: &str,
) -> Result<T, Failure> {
    let text = value
        .as_str()
        .ok_or_else(|| unsuited::<T>(value, pointer))?;
    let chosen = words.iter().find(|(word, _)| *word == text);
    chosen.map(|(_, choice)| *choice).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        let message = format!("one of {} was expected", known.join(", "));
        VALUE_ERROR.failure(message).at(pointer)
    })
}
