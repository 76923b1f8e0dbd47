//! `[network]`: which servers may be dialled.

use super::files;
use super::table::{At, Table};
use crate::certificates::Roots;
use crate::network::{Network, SslMode};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Reads the table; the default where there is none.
pub(super) fn read(file: &Table<'_>, directory: &Path) -> Network {
    let Some(table) = file.table("network") else {
        return Network::default();
    };
    let allow = parsed(&table, "allow");
    let deny = parsed(&table, "deny").unwrap_or_default();
    let ports = parsed(&table, "ports");
    let unix_sockets = unix_sockets(&table);
    let least = table.choice("least_sslmode", &SslMode::NAMED);
    let roots = roots(&table, directory);
    table.finish();
    Network {
        allow,
        deny,
        ports,
        unix_sockets,
        least_ssl_mode: least.map_or(SslMode::default(), |least| least.value),
        roots,
    }
}

/// The certificates of `ca_file`.
pub(super) fn roots(table: &Table<'_>, directory: &Path) -> Option<Roots> {
    let At { at, value } = table.text("ca_file")?;
    let path = directory.join(value);
    let roots = files::text(&path).and_then(|pem| {
        Roots::from_pem(&pem).map_err(|reason| format!("ca_file: {}: {reason}", path.display()))
    });
    roots
        .map_err(|reason| table.mistakes().add(at, reason))
        .ok()
}

fn parsed<T: FromStr<Err = String>>(table: &Table<'_>, key: &'static str) -> Option<Vec<T>> {
    let texts = table.texts(key)?.value;
    let mut parsed = Vec::new();
    for At { at, value } in texts {
        match value.parse() {
            Ok(value) => parsed.push(value),
            Err(reason) => table.mistakes().add(at, format!("{key}: {reason}")),
        }
    }
    Some(parsed)
}

fn unix_sockets(table: &Table<'_>) -> Vec<PathBuf> {
    let texts = table.texts("unix_sockets").map(|texts| texts.value);
    for At { at, value } in texts.iter().flatten() {
        if !value.starts_with('/') {
            let message = format!(
                "unix_sockets: {value:?} is no absolute path of a directory, such as \"/var/run/postgresql\""
            );
            table.mistakes().add(*at, message);
        }
    }
    let texts = texts.into_iter().flatten();
    texts.map(|text| PathBuf::from(text.value)).collect()
}
