//! Parameters as fields of a struct: described, sealed and read by one declaration.

use super::{KEY_ERROR, TYPE_ERROR, Typed, child};
use crate::{Call, Failure, Parameter};
use serde_json::{Map, Value, json};

/// The parameters of a command. [`parameters!`](crate::parameters) implements it.
pub trait Parameters: Sized {
    /// Describes them, in order.
    fn describe() -> Vec<Parameter>;

    /// Reads those of a call.
    ///
    /// # Errors
    /// Those of [`ERRORS`](super::ERRORS), with a pointer to the parameter.
    fn read(call: &Call) -> Result<Self, Failure>;
}

/// The connection parameter, and those of `P`.
#[must_use]
pub fn on_database<P: Parameters>() -> Vec<Parameter> {
    let mut parameters = vec![Parameter::connection()];
    parameters.extend(P::describe());
    parameters
}

/// Declares the parameters of a command as a struct.
///
/// Each field is a parameter: its doc comment is the summary, its type says what values it takes and
/// whether it must be given, and `= value` is what it is where it is not. Fields are [`Passed`], for
/// values that the connector never sees, or `bool`, `String`, [`Integer`], [`List`] and what
/// [`choices!`](crate::choices) declares, for those that decide something; each of them in an `Option`
/// where it may be left out. A null counts as left out.
///
/// [`Passed`]: crate::params::Passed
/// [`Integer`]: crate::params::Integer
/// [`List`]: crate::params::List
///
/// ```
/// use airlock_connector::params::{Integer, Parameters as _, Passed};
/// use airlock_connector::{Call, Sql, parameters};
///
/// parameters! {
///     /// What ListTables takes.
///     struct Input {
///         /// Only tables of this schema.
///         schema: Option<Passed<String>>,
///         /// Most rows.
///         limit: Integer<1, 1000> = Integer::of::<100>(),
///     }
/// }
///
/// // What the connector sees where a caller gives {"schema": "sales"}.
/// let call = |input: &str| Call { command: "ListTables".into(), input: input.into() };
/// let input = Input::read(&call(r#"{"schema": "string"}"#)).unwrap();
/// let sql = Sql::new("SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE true")
///     .given(input.schema, |sql, schema| sql.text(" AND nspname = ").argument(schema))
///     .text(" LIMIT ")
///     .argument(input.limit);
/// assert!(sql.as_str().ends_with("WHERE true AND nspname = $1 LIMIT $2"));
///
/// let failure = Input::read(&call(r#"{"limit": 5000}"#)).unwrap_err();
/// assert_eq!(
///     (failure.code.as_str(), failure.pointer.as_deref(), failure.message.as_str()),
///     ("ValueError", Some("/limit"), "a whole number from 1 to 1000 was expected")
/// );
/// let limit = &Input::describe()[1];
/// assert_eq!((limit.name.as_str(), limit.summary.as_str(), limit.required), ("limit", "Most rows.", false));
/// assert!(limit.schema.as_deref().unwrap().contains(r#""maximum":1000"#));
/// ```
#[macro_export]
macro_rules! parameters {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $($(#[doc = $summary:literal])+ $field:ident : $type:ty $(= $default:expr)?),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $visibility struct $name {
            $($(#[doc = $summary])+ $field: $type,)*
        }

        impl $crate::params::Parameters for $name {
            fn describe() -> Vec<$crate::Parameter> {
                vec![$($crate::params::declare::<$type>(
                    $crate::params::name(stringify!($field)),
                    concat!($($summary),+).trim(),
                    $crate::parameters!(@shown $type $(= $default)?),
                )),*]
            }

            fn read(call: &$crate::Call) -> Result<Self, $crate::Failure> {
                let members = $crate::params::Members::of(call, &[$($crate::params::name(stringify!($field))),*])?;
                Ok($name {
                    $($field: members.read::<$type>(
                        $crate::params::name(stringify!($field)),
                        $crate::parameters!(@default $type $(= $default)?),
                    )?,)*
                })
            }
        }
    };
    (@shown $type:ty) => { None };
    (@shown $type:ty = $default:expr) => {{
        let default: $type = $default;
        Some($crate::serde_json::Value::from(default))
    }};
    (@default $type:ty) => { None };
    (@default $type:ty = $default:expr) => { Some((|| $default) as fn() -> $type) };
}

/// The name of a parameter whose field is called so: `type` for `r#type`.
#[must_use]
pub fn name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// Describes one parameter; `default` is what it is where a call does not give it.
#[must_use]
pub fn declare<T: Typed>(name: &str, summary: &str, default: Option<Value>) -> Parameter {
    let required = default.is_none() && T::absent().is_none();
    let mut schema = T::schema();
    if let Some(members) = schema.as_object_mut() {
        if !required {
            allow_null(members);
        }
        members.insert("description".into(), summary.into());
        if let Some(default) = default {
            members.insert("default".into(), default);
        }
    }
    Parameter {
        name: name.into(),
        kind: T::KIND,
        required,
        summary: summary.into(),
        schema: Some(schema.to_string()),
        sealed: T::sealed(),
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind @ Value::String(_)) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(choices)) = schema.get_mut("enum") {
        choices.push(Value::Null);
    }
}

/// The parameters of a call by name.
#[derive(Debug)]
pub struct Members(Map<String, Value>);

impl Members {
    /// Takes those of a call, which may be none but the `known` ones.
    ///
    /// # Errors
    /// [`TYPE_ERROR`].
    pub fn of(call: &Call, known: &[&str]) -> Result<Members, Failure> {
        let members: Map<String, Value> = super::parse(call)?;
        match members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => {
                let message = match known {
                    [] => format!("{} takes no parameters", call.command),
                    known => format!("{} takes {}", call.command, known.join(", ")),
                };
                Err(TYPE_ERROR.failure(message).at(child("", unknown)))
            }
            None => Ok(Members(members)),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`KEY_ERROR`] where it must be given and is not, or what is wrong with it.
    pub fn read<T: Typed>(&self, name: &str, default: Option<fn() -> T>) -> Result<T, Failure> {
        let pointer = child("", name);
        match self.0.get(name).filter(|value| !is_null::<T>(value)) {
            Some(value) => T::read(value, &pointer),
            None => default
                .map(|default| default())
                .or_else(T::absent)
                .ok_or_else(|| {
                    let message = format!("{name} is missing; it takes {}", T::WORD);
                    KEY_ERROR.failure(message).at(pointer)
                }),
        }
    }
}

fn is_null<T: Typed>(value: &Value) -> bool {
    value.is_null() || (T::SEALED && *value == "null")
}

#[cfg(test)]
mod tests;
