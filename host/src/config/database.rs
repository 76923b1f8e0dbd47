//! `[databases.NAME]`: where the connection string of a database is, and its certificates.

use super::table::{At, Table};
use super::{files, network};
use crate::certificates::{Certificates, ClientCertificate};
use crate::databases;
use crate::exec::Login;
use crate::limits::Limits;
use crate::policy::DatabaseName;
use crate::secret::Secret;
use std::env::VarError;
use std::path::{Path, PathBuf};

/// The environment.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Result<String, VarError>;

/// Reads the table of the database `name`; none where it is mistaken. The files with its secrets are added
/// to `secret_files`.
pub(super) fn read(
    name: At<&str>,
    table: Table<'_>,
    directory: &Path,
    variables: Variables<'_>,
    limits: &Limits,
    secret_files: &mut Vec<PathBuf>,
) -> Option<(DatabaseName, Login)> {
    let mistakes = table.mistakes();
    let named = DatabaseName::new(name.value);
    if let Err(error) = named {
        mistakes.add(name.at, format!("{:?}: {error}", name.value));
    }
    let variable = table.text("connection_string_env");
    let file = table.text("connection_string_file");
    let certificates = Certificates {
        roots: network::roots(&table, directory),
        client: client_certificate(&table, directory, secret_files),
    };
    secret_files.extend(file.map(|file| directory.join(file.value)));
    table.finish();
    let (at, read) = match (variable, file) {
        (Some(variable), None) => (
            variable.at,
            from_variable(variable.value, variables, limits),
        ),
        (None, Some(file)) => (file.at, from_file(&directory.join(file.value), limits)),
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
        Ok(connection_string) => {
            let login = Login {
                connection_string,
                operator: Some(certificates),
            };
            Some((named.ok()?, login))
        }
        Err(reason) => {
            mistakes.add(at, reason);
            None
        }
    }
}

fn from_variable(name: &str, variables: Variables<'_>, limits: &Limits) -> Result<Secret, String> {
    match variables(name) {
        Ok(text) => checked(&text, &format!("the variable {name}"), limits),
        Err(VarError::NotPresent) => Err(format!("the variable {name} is not set")),
        Err(VarError::NotUnicode(_)) => Err(format!("the variable {name} is not UTF-8")),
    }
}

fn from_file(path: &Path, limits: &Limits) -> Result<Secret, String> {
    let text = files::text(path)?;
    // Editors end a file with a line break.
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    checked(line, &format!("the file {}", path.display()), limits)
}

/// The certificate that the server knows the login by, where there is one.
fn client_certificate(
    table: &Table<'_>,
    directory: &Path,
    secret_files: &mut Vec<PathBuf>,
) -> Option<ClientCertificate> {
    let chain = table.text("client_certificate_file");
    let key = table.text("client_key_file");
    let (chain, key) = match (chain, key) {
        (None, None) => return None,
        (Some(chain), Some(key)) => (chain, key),
        (Some(one), None) | (None, Some(one)) => {
            let message = "give client_certificate_file and client_key_file, both";
            table.mistakes().add(one.at, message);
            return None;
        }
    };
    secret_files.push(directory.join(key.value));
    let text = |given: At<&str>| {
        let text = files::text(&directory.join(given.value));
        text.map_err(|reason| table.mistakes().add(given.at, reason))
            .ok()
    };
    let (pem, key_pem) = (text(chain)?, text(key)?);
    ClientCertificate::from_pem(&pem, &key_pem)
        .map_err(|reason| {
            let message = format!("client_certificate_file and client_key_file: {reason}");
            table.mistakes().add(chain.at, message);
        })
        .ok()
}

fn checked(text: &str, holder: &str, limits: &Limits) -> Result<Secret, String> {
    match databases::check(text, limits) {
        Ok(()) => Ok(Secret::new(text)),
        Err(reason) => Err(format!("{holder} holds no connection string: {reason}")),
    }
}
