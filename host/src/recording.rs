//! Calls as connectors see them, kept in a file.
//!
//! Each line is one call whose values are sealed: what a connector would be asked. A call is kept once,
//! so the file has the shapes of calls rather than their number. What is not sealed stands in there:
//! names of tables and columns, and the text of DoSQL.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Bytes of a digest that tell calls apart: nobody has so many calls that two would share them.
const ID_BYTES: usize = 8;

/// One call, as the connector sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCall {
    /// Name of the connector.
    pub connector: String,
    /// Name of the command.
    pub command: String,
    /// The sealed call, a JSON object.
    pub sealed: Box<RawValue>,
}

/// Tells a recorded call from others. Prints as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId([u8; ID_BYTES]);

impl CallId {
    fn of(connector: &str, command: &str, sealed: &str) -> CallId {
        let mut hash = Sha256::new();
        for part in [connector, command, sealed] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let mut id = [0; ID_BYTES];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        CallId(id)
    }

    /// Reads 16 hexadecimal digits; none where the text is no such.
    #[must_use]
    pub fn parse(text: &str) -> Option<CallId> {
        if text.len() != 2 * ID_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u64::from_str_radix(text, 16).ok()?;
        Some(CallId(number.to_be_bytes()))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl Serialize for CallId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl RecordedCall {
    /// Tells the call from others.
    #[must_use]
    pub fn id(&self) -> CallId {
        CallId::of(&self.connector, &self.command, self.sealed.get())
    }
}

/// Reads the calls of a file.
///
/// # Errors
/// When the file cannot be read or a line is no call; the message names the line.
pub fn read(path: &Path) -> io::Result<Vec<RecordedCall>> {
    let about =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let lines = BufReader::new(File::open(path).map_err(about)?).lines();
    let calls = lines.enumerate().map(|(at, line)| {
        let line = line.map_err(about)?;
        serde_json::from_str(&line)
            .map_err(|error| io::Error::other(format!("{}:{}: {error}", path.display(), at + 1)))
    });
    calls.collect()
}

/// Keeps calls in a file that does not grow beyond a bound.
#[derive(Debug)]
pub struct Recorder {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Bytes that may still be written.
    left: u64,
    seen: BTreeSet<CallId>,
}

impl Recorder {
    /// Goes on with the file at `path`, or begins it, for nobody else to read. It has at most
    /// `max_bytes` in the end.
    ///
    /// # Errors
    /// When the file cannot be read and written, or does not hold calls.
    pub fn open(path: &Path, max_bytes: u64) -> io::Result<Recorder> {
        let mut options = OpenOptions::new();
        let file = options
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            })?;
        let seen = read(path)?.iter().map(RecordedCall::id).collect();
        let left = max_bytes.saturating_sub(file.metadata()?.len());
        Ok(Recorder {
            state: Mutex::new(State { file, left, seen }),
        })
    }

    /// Keeps a call, unless it is there already or there is no room left. Writes to the file.
    pub fn record(&self, connector: &str, command: &str, sealed: &str) {
        let id = CallId::of(connector, command, sealed);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.left == 0 || !state.seen.insert(id) {
            return;
        }
        if let Err(error) = state.write(connector, command, sealed) {
            tracing::warn!(%error, "no more calls are recorded");
            state.left = 0;
        }
    }
}

impl State {
    fn write(&mut self, connector: &str, command: &str, sealed: &str) -> io::Result<()> {
        let call = RecordedCall {
            connector: connector.into(),
            command: command.into(),
            sealed: RawValue::from_string(sealed.into())?,
        };
        let mut line = serde_json::to_vec(&call)?;
        line.push(b'\n');
        let Some(left) = self.left.checked_sub(line.len() as u64) else {
            return Err(io::Error::other("the file is full"));
        };
        // In one piece, so that whoever reads meanwhile finds whole lines.
        self.file.write_all(&line)?;
        self.left = left;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn calls_are_kept_once_and_within_the_bound() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("calls");
        let recorder = Recorder::open(&path, 200).unwrap();
        for sealed in ["{}", r#"{"a":"string"}"#, "{}"] {
            recorder.record("c", "C", sealed);
        }
        let calls = read(&path).unwrap();
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[1].sealed.get(), r#"{"a":"string"}"#);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        // Another process goes on where this one ended.
        let recorder = Recorder::open(&path, 200).unwrap();
        for at in 0..100 {
            recorder.record("c", "C", "{}");
            recorder.record("c", "C", &format!("{{\"a\":{at}}}"));
        }
        let calls = read(&path).unwrap();
        assert!(calls.len() > 2 && path.metadata().unwrap().len() <= 200);
        let ids: BTreeSet<_> = calls.iter().map(RecordedCall::id).collect();
        assert_eq!(ids.len(), calls.len());
    }

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id = CallId::of("c", "C", "{}");
        assert_eq!(CallId::parse(&id.to_string()), Some(id));
        assert_ne!(id, CallId::of("cC", "", "{}"));
        assert_eq!(CallId::parse("+234567890123456"), None);
    }

    #[test]
    fn what_is_no_call_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("calls");
        fs::write(
            &path,
            "{\"connector\":\"c\",\"command\":\"C\",\"sealed\":{}}\nnonsense\n",
        )
        .unwrap();
        let error = Recorder::open(&path, 10).unwrap_err().to_string();
        assert!(error.contains("calls:2:"), "{error}");
        assert!(read(&directory.path().join("nowhere")).is_err());
    }
}
