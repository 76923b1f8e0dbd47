//! A plan that is being run, and what it has given so far.

use super::chunks::Slot;
use super::rows::Outcome;
use crate::fault::Fault;
use bytes::Bytes;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll};

type Run = Pin<Box<dyn Future<Output = Result<Vec<Outcome>, Fault>> + Send>>;

/// What a plan gives while it runs.
#[derive(Debug)]
pub enum Progress {
    /// The next part of the rows of the reply, which begin with `[`.
    Rows(Bytes),
    /// The plan ran to its end and what it did is stored. The last outcome has the rest of the rows.
    Done(Vec<Outcome>),
}

/// A plan that is being run.
///
/// It goes on only while it is polled, so whoever is slow to take the rows slows the database down.
/// Dropping it cancels what runs in the database, rolls back and closes the connection.
pub struct Execution {
    run: Option<Run>,
    rows: Slot,
    ended: Option<Result<Vec<Outcome>, Fault>>,
}

impl Execution {
    pub(super) fn new(
        run: impl Future<Output = Result<Vec<Outcome>, Fault>> + Send + 'static,
        rows: Slot,
    ) -> Execution {
        Execution {
            run: Some(Box::pin(run)),
            rows,
            ended: None,
        }
    }

    /// Waits for what comes next.
    ///
    /// # Errors
    /// Where there is no connection, the database refuses, or the deadline passes. Nothing is stored
    /// then, except where the fault says that the outcome is unknown.
    pub async fn next(&mut self) -> Result<Progress, Fault> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`Execution::next`], for use inside of a stream.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Progress, Fault>> {
        if let Some(run) = &mut self.run
            && let Poll::Ready(ended) = run.as_mut().poll(context)
        {
            self.run = None;
            self.ended = Some(ended);
        }
        // Rows that were handed out before the end come before it.
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = rows.take() {
            return Poll::Ready(Ok(Progress::Rows(rows)));
        }
        drop(rows);
        if self.run.is_some() {
            return Poll::Pending;
        }
        Poll::Ready(match self.ended.take() {
            Some(ended) => ended.map(Progress::Done),
            None => Err(Fault::internal("the execution is over")),
        })
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution").finish_non_exhaustive()
    }
}
