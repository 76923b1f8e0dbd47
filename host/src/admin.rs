//! Where a server is administered, and the token that opens it.

use crate::secret::Secret;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Where the admin surface listens unless told otherwise: on loopback, beside the server.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7005);

/// Random bytes in a token that is made here: nobody guesses as many.
const TOKEN_BYTES: usize = 32;

/// The admin surface of a server.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Where its token comes from.
    pub token: Token,
    /// Whether metrics, and nothing else, are read without the token.
    pub metrics_without_token: bool,
}

/// Where the token of an admin surface comes from.
#[derive(Debug, Clone)]
pub enum Token {
    /// It is this.
    Given(Secret),
    /// It is the text of this file.
    File(PathBuf),
}

impl Token {
    /// The token.
    ///
    /// # Errors
    /// When the file cannot be read or is empty.
    pub fn read(&self) -> io::Result<Secret> {
        match self {
            Token::Given(token) => Ok(token.clone()),
            Token::File(path) => read(path).map_err(|error| about(path, &error)),
        }
    }

    /// The token; a file that does not exist is written first, with a token that nobody knows and for
    /// nobody else to read.
    ///
    /// # Errors
    /// When the file cannot be written or read, or is empty.
    pub fn read_or_make(&self) -> io::Result<Secret> {
        if let Token::File(path) = self {
            match make(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(about(path, &error));
                }
                _ => {}
            }
        }
        self.read()
    }
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    let message = format!(
        "the token of the admin surface in {}: {error}",
        path.display()
    );
    io::Error::new(error.kind(), message)
}

fn read(path: &Path) -> io::Result<Secret> {
    let text = fs::read_to_string(path)?;
    match text.trim() {
        "" => Err(io::Error::other("the file is empty")),
        token => Ok(Secret::new(token)),
    }
}

fn make(path: &Path) -> io::Result<()> {
    let mut file = new_file(path)?;
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{token}")
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_token_is_made_once_and_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let token = Token::File(path.clone());
        assert!(token.read().is_err());
        let made = token.read_or_make().unwrap();
        assert_eq!(made.expose().len(), 2 * TOKEN_BYTES);
        assert_eq!(token.read_or_make().unwrap(), made);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "\n").unwrap();
        assert!(token.read_or_make().is_err());
    }
}
