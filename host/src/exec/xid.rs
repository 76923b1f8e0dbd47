//! The identifier of a transaction, by which the server can be asked later what became of it.

use futures_util::future::{OptionFuture, join};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use tokio_postgres::{Client, Error, Statement};

/// Asks for the identifier of the transaction that is open; there is none while it changed nothing.
const QUESTION: &str = "SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text";

/// A transaction of the server. The number is never used again, unless a crash takes the server back
/// behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Xid(u64);

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How to ask one server.
#[derive(Default)]
pub(super) enum Question {
    /// The server has no such identifiers.
    #[default]
    None,
    /// Anew each time, as nothing stays prepared.
    Unprepared,
    Prepared(Statement),
}

/// What is known about the transaction that is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Known {
    /// It is not to be known.
    #[default]
    Off,
    /// It is asked for behind the next statement.
    Wanted,
    /// Nothing was changed so far. It is asked for again behind the next statement.
    Nothing,
    /// What the server said.
    Xid(Xid),
}

impl Question {
    /// Looks whether the server can be asked; servers before version 13 cannot.
    pub(super) async fn prepare(client: &Client, is_pooled: bool) -> Question {
        match is_pooled {
            true => match client.query_typed(QUESTION, &[]).await {
                Ok(_) => Question::Unprepared,
                Err(_) => Question::None,
            },
            false => match client.prepare(QUESTION).await {
                Ok(statement) => Question::Prepared(statement),
                Err(_) => Question::None,
            },
        }
    }

    /// What to know of a transaction that begins.
    pub(super) fn begin(&self, writes: bool) -> Known {
        match writes && !matches!(self, Question::None) {
            true => Known::Wanted,
            false => Known::Off,
        }
    }

    /// The question to one client, where `known` wants it.
    pub(super) fn asking<'a>(&'a self, client: &'a Client, known: Known) -> Asking<'a> {
        Asking {
            question: self,
            client,
            known,
        }
    }
}

/// A question that goes out behind other work.
pub(super) struct Asking<'a> {
    question: &'a Question,
    client: &'a Client,
    known: Known,
}

impl Asking<'_> {
    /// Sends `work`, and the question behind it in the same go where it is wanted. Gives what is known
    /// then.
    pub(super) async fn behind<T>(self, work: Pin<&mut impl Future<Output = T>>) -> (T, Known) {
        let Asking {
            question,
            client,
            known,
        } = self;
        let wanted = matches!(known, Known::Wanted | Known::Nothing);
        let asked = OptionFuture::from(wanted.then(|| ask(client, question)));
        // Each is sent when it is first polled, so they go out in this order.
        let (worked, answer) = join(work, asked).await;
        (worked, answer.and_then(Result::ok).unwrap_or(known))
    }
}

async fn ask(client: &Client, question: &Question) -> Result<Known, Error> {
    let rows = match question {
        Question::None => Vec::new(),
        Question::Unprepared => client.query_typed(QUESTION, &[]).await?,
        Question::Prepared(statement) => client.query(statement, &[]).await?,
    };
    let Some(row) = rows.first() else {
        return Ok(Known::Off);
    };
    let text: Option<&str> = row.try_get(0)?;
    Ok(match text.map(str::parse) {
        None => Known::Nothing,
        Some(Ok(number)) => Known::Xid(Xid(number)),
        Some(Err(_)) => Known::Off,
    })
}
