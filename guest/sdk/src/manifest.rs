//! Helpers to describe parameters.

use crate::{Parameter, ParameterKind};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

impl Parameter {
    /// A required parameter without a schema and without sealed values.
    pub fn required(name: &str, kind: ParameterKind, summary: &str) -> Parameter {
        Parameter {
            name: name.into(),
            kind,
            required: true,
            summary: summary.into(),
            schema: None,
            sealed: Vec::new(),
        }
    }

    /// A parameter that a call may leave out, without a schema and without sealed values.
    pub fn optional(name: &str, kind: ParameterKind, summary: &str) -> Parameter {
        Parameter {
            required: false,
            ..Parameter::required(name, kind, summary)
        }
    }

    /// The connection parameter, `database_connection_str`. It never reaches the connector.
    #[must_use]
    pub fn connection() -> Parameter {
        Parameter::required(
            "database_connection_str",
            ParameterKind::Connection,
            "Connection string, such as dbname=shop user=app password=secret host=db port=5432.",
        )
    }

    /// Adds the JSON Schema of the type that parses this parameter.
    #[must_use]
    pub fn with_schema<T: JsonSchema>(self) -> Parameter {
        Parameter {
            schema: Some(json_schema::<T>()),
            ..self
        }
    }

    /// Seals the values that the patterns match.
    #[must_use]
    pub fn sealing(self, patterns: &[&str]) -> Parameter {
        Parameter {
            sealed: patterns.iter().map(ToString::to_string).collect(),
            ..self
        }
    }
}

/// The JSON Schema (draft 2020-12) of `T` as JSON text, with everything in place.
#[must_use]
pub fn json_schema<T: JsonSchema>() -> String {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = false);
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
        .to_string()
}
