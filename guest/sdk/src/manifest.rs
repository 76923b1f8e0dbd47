//! Helpers to describe commands and to put plans together.

use crate::{Access, Argument, Arguments, Batch, Parameter, ParameterKind, Sql, Statement};
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

impl Statement {
    /// A statement that runs once.
    #[must_use]
    pub fn once(sql: Sql, access: Access) -> Statement {
        let (sql, arguments) = sql.into_parts();
        let arguments = match arguments.is_empty() {
            true => Arguments::None,
            false => Arguments::Once(arguments),
        };
        Statement {
            sql,
            arguments,
            access,
            max_affected: None,
        }
    }

    /// A statement that runs once for each row of the array that `rows` points to.
    #[must_use]
    pub fn each(sql: Sql, rows: &str, access: Access) -> Statement {
        let (sql, arguments): (String, Vec<Argument>) = sql.into_parts();
        let batch = Batch {
            rows: rows.into(),
            width: arguments.len() as u32,
        };
        Statement {
            sql,
            arguments: Arguments::Each(batch),
            access,
            max_affected: None,
        }
    }
}
