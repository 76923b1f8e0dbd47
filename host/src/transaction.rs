//! What became of the transaction of a call.

use std::fmt;

/// Whether what a call changed is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    /// The server confirmed it, or was asked afterwards and said so.
    Committed,
    /// Nothing is stored: the call can be made again.
    Aborted,
    /// The confirmation was lost and the server could not tell afterwards. Look before the call is made
    /// again.
    Unknown,
}

impl TransactionStatus {
    /// As replies name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            TransactionStatus::Committed => "committed",
            TransactionStatus::Aborted => "aborted",
            TransactionStatus::Unknown => "unknown",
        }
    }
}

impl fmt::Display for TransactionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
