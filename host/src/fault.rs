//! What goes wrong, and who is to blame.
//!
//! A [`Fault`] has a code that workflows catch, a public message for the author of the workflow and
//! a private cause for the log. It knows nothing of HTTP: `http/envelope.rs` turns it into a status
//! in one exhaustive match over [`Kind`].

use crate::transaction::TransactionStatus;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// Longest text of a connector's own that a fault shows, in bytes.
const MAX_SHOWN_BYTES: usize = 4 << 10;

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Culprit {
    /// The author of the call.
    Caller,
    /// The author of the connector.
    Connector,
    /// The database, or the author of what runs in it.
    Database,
    /// The operator of this host.
    Host,
}

/// Where a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There is no such connector or command.
    UnknownCommand,
    /// The parameters do not have the form that the command takes.
    Parameters,
    /// The parameters have the right form but make no statement.
    Statement,
    /// The operator does not allow the call; nothing was begun.
    Denied,
    /// The connector broke its contract: it trapped, ran out of a limit or gave a bad plan.
    Connector,
    /// No connection to the database.
    Connection,
    /// The database refused, and everything was rolled back.
    Database,
    /// The call took longer than it may; what was begun was cancelled.
    Deadline,
    /// The connection broke while the outcome was on its way.
    OutcomeUnknown,
    /// Too much is going on; nothing was begun.
    Overload,
    /// A defect of the host.
    Internal,
}

/// A call that failed.
#[derive(Debug)]
pub struct Fault {
    /// Where it failed.
    pub kind: Kind,
    /// The `error_code` that workflows catch, such as `UniqueViolation`.
    pub code: Cow<'static, str>,
    /// What is wrong and what to do about it; shown to the caller.
    pub message: String,
    /// JSON Pointer to the offending part of the call.
    pub pointer: Option<String>,
    /// What the server said beyond the message.
    pub server: Option<Box<ServerReport>>,
    /// What became of the transaction; none where the call came to none.
    pub status: Option<TransactionStatus>,
    /// The limit of the connector that was reached, where it is known by its name.
    limit: Option<&'static str>,
    /// The cause, for the log. Must not hold values or secrets.
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// The fields of a server's error report that may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerReport {
    /// Five-character SQLSTATE.
    pub sqlstate: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Name of the violated constraint.
    pub constraint: Option<String>,
    /// Name of the column.
    pub column: Option<String>,
    /// Name of the table.
    pub table: Option<String>,
    /// Position in the statement, in characters from 1.
    pub position: Option<u32>,
}

impl Fault {
    /// A fault of `kind`.
    pub fn new(
        kind: Kind,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Fault {
        Fault {
            kind,
            code: code.into(),
            message: message.into(),
            pointer: None,
            server: None,
            status: None,
            limit: None,
            cause: None,
        }
    }

    /// The parameters do not have the form that the command takes.
    pub fn parameters(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Fault {
        Fault::new(Kind::Parameters, code, message)
    }

    /// The parameters make no statement.
    pub fn statement(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Fault {
        Fault::new(Kind::Statement, code, message)
    }

    /// The connector broke its contract. The message is cut off where it is long, as it may quote the
    /// connector.
    pub fn connector(message: impl Into<String>) -> Fault {
        let message = shortened(message.into());
        Fault::new(Kind::Connector, "ConnectorFault", message)
    }

    /// A defect of the host.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault::new(
            Kind::Internal,
            "InternalServerError",
            "the host failed; see its log",
        )
        .because(cause)
    }

    /// Names the offending part of the call, unless the pointer is too long to be shown.
    #[must_use]
    pub fn at(self, pointer: impl Into<String>) -> Fault {
        let pointer = Some(pointer.into());
        Fault {
            pointer: pointer.filter(|pointer| pointer.len() <= MAX_SHOWN_BYTES),
            ..self
        }
    }

    /// Says what became of the transaction, unless that is said already.
    #[must_use]
    pub fn with_status(self, status: TransactionStatus) -> Fault {
        Fault {
            status: self.status.or(Some(status)),
            ..self
        }
    }

    /// Names the limit that was reached.
    #[must_use]
    pub fn at_limit(self, limit: &'static str) -> Fault {
        Fault {
            limit: Some(limit),
            ..self
        }
    }

    /// The limit of the connector that was reached, where it is known by its name.
    #[must_use]
    pub fn limit(&self) -> Option<&'static str> {
        self.limit
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn because(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault {
            cause: Some(cause.into()),
            ..self
        }
    }

    /// Who has to act.
    #[must_use]
    pub fn culprit(&self) -> Culprit {
        match self.kind {
            Kind::UnknownCommand | Kind::Parameters | Kind::Statement | Kind::Denied => {
                Culprit::Caller
            }
            Kind::Connector => Culprit::Connector,
            Kind::Connection | Kind::Database | Kind::Deadline | Kind::OutcomeUnknown => {
                Culprit::Database
            }
            Kind::Overload | Kind::Internal => Culprit::Host,
        }
    }
}

/// The beginning of a text, as much of it as is shown.
pub(crate) fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_SHOWN_BYTES));
    text
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        match &self.pointer {
            Some(pointer) => write!(f, " (at {pointer})"),
            None => Ok(()),
        }
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_deref()
            .map(|cause| cause as &(dyn Error + 'static))
    }
}
