//! The envelope of the connector-proxy protocol: what engines read.

use crate::fault::{Fault, Kind};
use crate::transaction::TransactionStatus;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Map, Value, json};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Version of the envelope that engines know.
pub(crate) const VERSION: u8 = 2;

/// In front of what went wrong with a statement, as engines and people have always seen it.
const STATEMENT_PREFIX: &str = "Error executing sql statement: ";

/// In front of the body.
const OPENING: &str = r#"{"command_response": {"body": "#;

/// Behind the body of a call that succeeded.
const CLOSING: &str =
    r#", "mimetype": "application/json"}, "error": null, "command_response_version": 2}"#;

/// The answer to a call that succeeded, or that did so far.
#[derive(Debug)]
pub struct Reply {
    /// The body: rows, or `{"result": …}`.
    pub body: Body,
    /// What became of the transaction of a call that changes something; none while its rows stream, and
    /// for calls that only read.
    pub status: Option<TransactionStatus>,
    /// Name and digest of the connector that planned it, as `postgres_v2@sha256:…`.
    pub planned_by: Arc<str>,
}

/// The body of a reply as JSON text.
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// The beginning, and what follows it while the database still sends rows. A fault in there means
    /// that the call failed after all, and that the part before it counts for nothing.
    Streaming(
        Bytes,
        Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>,
    ),
}

impl Body {
    pub(crate) fn whole(text: Vec<u8>) -> Body {
        Body::Whole(text)
    }

    pub(crate) fn streaming(
        first: Bytes,
        rest: impl Stream<Item = Result<Bytes, Fault>> + Send + 'static,
    ) -> Body {
        Body::Streaming(first, Box::pin(rest))
    }

    /// Waits for all of it.
    ///
    /// # Errors
    /// Where the call failed after all.
    pub async fn collect(self) -> Result<Vec<u8>, Fault> {
        match self {
            Body::Whole(text) => Ok(text),
            Body::Streaming(first, mut rest) => {
                let mut text = first.to_vec();
                while let Some(chunk) = rest.try_next().await? {
                    text.extend_from_slice(&chunk);
                }
                Ok(text)
            }
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// The whole envelope of a reply as JSON text.
#[must_use]
pub fn success(body: &[u8]) -> Vec<u8> {
    [OPENING.as_bytes(), body, CLOSING.as_bytes()].concat()
}

/// The envelope of a streaming reply as JSON text, part by part, and how the call ended.
///
/// Should the call fail after its first rows are out, the envelope is completed to that of a failure:
/// `error` says what happened, and a second `body`, which is null, takes the place of the rows. A
/// reader of JSON either takes the last of two equal keys or refuses the text, so nobody takes such a
/// reply for a success.
pub struct Envelope {
    parts: Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>,
    outcome: Option<Result<(), Fault>>,
}

impl Envelope {
    /// The envelope of a body that begins with `first` and goes on with `rest`.
    #[must_use]
    pub fn new(
        first: Bytes,
        rest: Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>,
    ) -> Envelope {
        let first = [OPENING.as_bytes(), &first].concat().into();
        let first = stream::once(std::future::ready(Ok(first)));
        Envelope {
            parts: Box::pin(first.chain(rest)),
            outcome: None,
        }
    }

    /// How the call ended; none before the end.
    #[must_use]
    pub fn outcome(&self) -> Option<&Result<(), Fault>> {
        self.outcome.as_ref()
    }
}

impl Stream for Envelope {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.outcome.is_some() {
            return Poll::Ready(None);
        }
        let (last, outcome) = match ready!(self.parts.poll_next_unpin(context)) {
            Some(Ok(part)) => return Poll::Ready(Some(part)),
            Some(Err(fault)) => (broken_off(&fault).into(), Err(fault)),
            None => (Bytes::from_static(CLOSING.as_bytes()), Ok(())),
        };
        self.outcome = Some(outcome);
        Poll::Ready(Some(last))
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").finish_non_exhaustive()
    }
}

/// What completes the envelope of rows that end in the middle. They break off behind a whole row.
fn broken_off(fault: &Fault) -> String {
    let error = error(fault);
    format!(
        r#"], "body": null, "mimetype": "application/json"}}, "error": {error}, "command_response_version": {VERSION}}}"#
    )
}

/// The whole envelope of a call that failed.
#[must_use]
pub fn failure(fault: &Fault) -> Value {
    json!({
        "command_response": { "body": null, "mimetype": "application/json" },
        "error": error(fault),
        "command_response_version": VERSION,
    })
}

/// `error_code` is what boundary events catch; `outcome` tells whether anything is stored. What the server reported beyond its message follows
/// as further keys; row values in its detail never do.
fn error(fault: &Fault) -> Value {
    let mut error = Map::new();
    error.insert("error_code".into(), fault.code.clone().into());
    error.insert("message".into(), message(fault).into());
    let mut add = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            error.insert(key.into(), value);
        }
    };
    add("pointer", fault.pointer.clone().map(Value::from));
    add("outcome", fault.status.map(|status| status.as_str().into()));
    if let Some(report) = &fault.server {
        add("sqlstate", Some(report.sqlstate.clone().into()));
        add("hint", report.hint.clone().map(Value::from));
        add("constraint", report.constraint.clone().map(Value::from));
        add("column", report.column.clone().map(Value::from));
        add("table", report.table.clone().map(Value::from));
        add("position", report.position.map(Value::from));
    }
    Value::Object(error)
}

fn message(fault: &Fault) -> String {
    match fault.kind {
        Kind::Statement
        | Kind::Connection
        | Kind::Database
        | Kind::Deadline
        | Kind::OutcomeUnknown => {
            format!("{STATEMENT_PREFIX}{}", fault.message)
        }
        Kind::UnknownCommand
        | Kind::Parameters
        | Kind::Denied
        | Kind::Connector
        | Kind::Overload
        | Kind::Internal => fault.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn envelope(rest: Vec<Result<Bytes, Fault>>) -> (String, bool) {
        let mut envelope = Envelope::new("[[1],[2]".into(), Box::pin(stream::iter(rest)));
        let mut text = Vec::new();
        while let Some(part) = envelope.next().await {
            text.extend_from_slice(&part);
        }
        let succeeded = envelope.outcome().is_some_and(Result::is_ok);
        (String::from_utf8(text).unwrap(), succeeded)
    }

    #[tokio::test]
    async fn a_streamed_envelope_is_the_same() {
        let (text, succeeded) = envelope(vec![Ok(",[3]".into()), Ok("]".into())]).await;
        assert!(succeeded);
        assert_eq!(text.as_bytes(), success(b"[[1],[2],[3]]"));
    }

    #[tokio::test]
    async fn rows_that_break_off_are_no_success() {
        let fault = || Fault::new(Kind::Database, "DivisionByZero", "division by zero");
        let (text, succeeded) = envelope(vec![Ok(",[3]".into()), Err(fault())]).await;
        assert!(!succeeded);
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, failure(&fault()));
    }
}
