//! Why a plan stopped, and which value is to blame.

use super::batch::Form;
use super::error;
use crate::fault::Fault;
use serde_json::Value;
use std::borrow::Cow;

/// Why a plan stopped.
pub(super) struct Stopped {
    pub(super) fault: Fault,
    /// Nothing was stored, and what stopped it may not do so again.
    pub(super) again: bool,
    /// The connection broke, so that nobody knows how far the server came.
    pub(super) lost: bool,
    /// The form in which batches go in then, where it is another one.
    pub(super) form: Option<Form>,
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Stopped {
            fault,
            again: false,
            lost: false,
            form: None,
        }
    }
}

impl From<tokio_postgres::Error> for Stopped {
    fn from(error: tokio_postgres::Error) -> Self {
        Stopped {
            again: error::is_stale_statement(&error),
            lost: error::is_lost(&error),
            fault: error::statement(&error),
            form: None,
        }
    }
}

impl Stopped {
    /// Has the plan run again with each row of the batch by itself, so that the server tells which
    /// row it refuses, and in which words.
    pub(super) fn row_by_row(error: tokio_postgres::Error) -> Stopped {
        let refused = error.as_db_error().is_some();
        Stopped {
            again: refused,
            form: Some(Form::RowByRow),
            ..error.into()
        }
    }

    /// Has the plan run again with the batch in another form, as values came up that do not go in as
    /// they were begun.
    pub(super) fn in_form(form: Form) -> Stopped {
        Stopped {
            again: true,
            form: Some(form),
            ..Fault::internal("no form of the batch is left").into()
        }
    }
}

/// A failure and the parameter that it is about.
pub(super) struct Failed {
    pub(super) stopped: Stopped,
    pub(super) parameter: Option<usize>,
}

impl Failed {
    /// Names the offending value as narrowly as it is known.
    pub(super) fn at(mut self, place: &Place<'_>) -> Stopped {
        let fault = &mut self.stopped.fault;
        if fault.pointer.is_none() {
            fault.pointer = match self.parameter {
                Some(at) => place.parameter(at),
                None => place.whole(fault),
            };
        }
        self.stopped
    }
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Failed {
            parameter: error::offending_parameter(&error),
            stopped: error.into(),
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Failed {
            stopped: fault.into(),
            parameter: None,
        }
    }
}

/// The value of an argument and the pointer to name it by.
pub(super) type Resolved<'a> = (Cow<'a, Value>, Cow<'a, str>);

/// Where the values of one run come from.
pub(super) enum Place<'a> {
    /// The arguments of a statement that runs once.
    Arguments(&'a [Resolved<'a>]),
    /// One row of a batch.
    Row { rows: &'a str, row: usize },
}

impl Place<'_> {
    /// The pointer to the value of one parameter.
    fn parameter(&self, at: usize) -> Option<String> {
        match self {
            Place::Arguments(values) => values.get(at).map(|(_, pointer)| pointer.to_string()),
            Place::Row { rows, row } => Some(format!("{rows}/{row}/{at}")),
        }
    }

    /// The narrowest pointer where the server names no parameter. A data exception in a statement
    /// with a single argument is about that one.
    fn whole(&self, fault: &Fault) -> Option<String> {
        let server = fault.server.as_ref()?;
        match self {
            Place::Arguments([_]) if server.sqlstate.starts_with("22") => self.parameter(0),
            Place::Arguments(_) => None,
            Place::Row { rows, row } => Some(format!("{rows}/{row}")),
        }
    }
}
