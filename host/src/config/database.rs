//! `[databases.NAME]`: where the connection string of a database is.

use super::table::{At, Table};
use crate::databases;
use crate::policy::DatabaseName;
use crate::secret::Secret;
use std::env::VarError;
use std::fs;
use std::path::Path;

/// The environment.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Result<String, VarError>;

/// Reads the table of the database `name`; none where it is mistaken.
pub(super) fn read(
    name: At<&str>,
    table: Table<'_>,
    directory: &Path,
    variables: Variables<'_>,
) -> Option<(DatabaseName, Secret)> {
    let mistakes = table.mistakes();
    let named = DatabaseName::new(name.value);
    if let Err(error) = named {
        mistakes.add(name.at, format!("{:?}: {error}", name.value));
    }
    let variable = table.text("connection_string_env");
    let file = table.text("connection_string_file");
    table.finish();
    let (at, read) = match (variable, file) {
        (Some(variable), None) => (variable.at, from_variable(variable.value, variables)),
        (None, Some(file)) => (file.at, from_file(&directory.join(file.value))),
        (Some(_), Some(file)) => (
            file.at,
            Err("give connection_string_env or connection_string_file, not both".into()),
        ),
        (None, None) => (
            name.at,
            Err("give connection_string_env or connection_string_file".into()),
        ),
    };
    match read {
        Ok(connection_string) => Some((named.ok()?, connection_string)),
        Err(reason) => {
            mistakes.add(at, reason);
            None
        }
    }
}

fn from_variable(name: &str, variables: Variables<'_>) -> Result<Secret, String> {
    match variables(name) {
        Ok(text) => checked(&text, &format!("the variable {name}")),
        Err(VarError::NotPresent) => Err(format!("the variable {name} is not set")),
        Err(VarError::NotUnicode(_)) => Err(format!("the variable {name} is not UTF-8")),
    }
}

fn from_file(path: &Path) -> Result<Secret, String> {
    match fs::read_to_string(path) {
        Ok(text) => {
            // Editors end a file with a line break.
            let line = text.strip_suffix('\n').unwrap_or(&text);
            let line = line.strip_suffix('\r').unwrap_or(line);
            checked(line, &format!("the file {}", path.display()))
        }
        Err(cause) => Err(format!("cannot read {}: {cause}", path.display())),
    }
}

fn checked(text: &str, holder: &str) -> Result<Secret, String> {
    match databases::check(text) {
        Ok(()) => Ok(Secret::new(text)),
        Err(reason) => Err(format!("{holder} holds no connection string: {reason}")),
    }
}
