//! What a caller is told.

use serde_json::Value;

/// What became of the changes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Committed,
    Aborted,
    Unknown,
}

/// The answer to a call.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `X-Airlock-Outcome`.
    pub(crate) header: Option<String>,
    pub(crate) reply: Value,
}

impl Answer {
    /// The outcome that it states. One that states none is taken by its code.
    pub(crate) fn outcome(&self) -> Outcome {
        let error = &self.reply["error"];
        match error["outcome"].as_str() {
            Some("committed") => Outcome::Committed,
            Some("aborted") => Outcome::Aborted,
            Some("unknown") => Outcome::Unknown,
            Some(other) => panic!("there is no outcome {other}"),
            None if error.is_null() => Outcome::Committed,
            None if self.code() == "TransactionResolutionUnknown" => Outcome::Unknown,
            None => Outcome::Aborted,
        }
    }

    /// Its `error_code`; empty for none.
    pub(crate) fn code(&self) -> &str {
        self.reply["error"]["error_code"]
            .as_str()
            .unwrap_or_default()
    }

    /// The body of a call that succeeded.
    #[track_caller]
    pub(crate) fn body(&self) -> &Value {
        assert_eq!(self.reply["error"], Value::Null, "{}", self.reply);
        &self.reply["command_response"]["body"]
    }

    /// Holds it to this code, and to having changed nothing.
    #[track_caller]
    pub(crate) fn refused(&self, code: &str) {
        let told = (self.code(), self.outcome());
        assert_eq!(told, (code, Outcome::Aborted), "{}", self.reply);
    }
}
