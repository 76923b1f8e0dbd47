//! `[tls]`: what the server shows of itself to clients.

use super::table::Table;
use std::path::{Path, PathBuf};

/// The files with which the server speaks TLS, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Its certificate, and those that lead to its authority.
    pub certificate_file: PathBuf,
    /// The key of the certificate.
    pub key_file: PathBuf,
    /// The authorities of clients; none asks no client for a certificate.
    pub client_ca_file: Option<PathBuf>,
}

/// Reads the table; none where there is none.
pub(super) fn read(outer: &Table<'_>, directory: &Path) -> Option<Tls> {
    let table = outer.table("tls")?;
    let file = |key| {
        let given = table.text(key)?;
        let path = directory.join(given.value);
        if !path.is_file() {
            let message = format!("{key}: there is no file {}", path.display());
            table.mistakes().add(given.at, message);
        }
        Some(path)
    };
    let certificate_file = file("certificate_file");
    let key_file = file("key_file");
    let client_ca_file = file("client_ca_file");
    table.finish();
    if certificate_file.is_none() || key_file.is_none() {
        let message = "[tls] needs a certificate_file and a key_file";
        outer.mistakes().add(outer.at("tls"), message);
    }
    Some(Tls {
        certificate_file: certificate_file?,
        key_file: key_file?,
        client_ca_file,
    })
}
