//! A plan that is being run, and what it has given so far.

use super::chunks::Slot;
use super::commit;
use super::deadline::Deadline;
use super::rows::Outcome;
use crate::fault::Fault;
use bytes::Bytes;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::task::JoinHandle;

type Run = Pin<Box<dyn Future<Output = Result<Ended, Fault>> + Send>>;

/// How a plan ended that succeeded.
#[derive(Debug)]
pub(super) enum Ended {
    Ran(Vec<Outcome>),
    Repeated(Vec<u8>),
}

/// What a plan gives while it runs.
#[derive(Debug)]
pub enum Progress {
    /// The next part of the rows of the reply, which begin with `[`.
    Rows(Bytes),
    /// The plan ran to its end and what it did is stored. The last outcome has the rest of the rows.
    Done(Vec<Outcome>),
    /// An earlier run of the same call is stored; this was the body of its reply.
    Repeated(Vec<u8>),
}

/// A plan that is being run.
///
/// It goes on only while it is polled, so whoever is slow to take the rows slows the database down, but
/// not beyond the deadline. Dropping it cancels what runs in the database, rolls back and closes the
/// connection.
pub struct Execution {
    stage: Stage,
    rows: Slot,
    deadline: Deadline,
    committing: Committing,
}

enum Stage {
    /// No rows are out yet: whoever runs the plan waits for it and so keeps the deadline.
    Waiting(Run),
    /// Rows are out. Whether anybody comes for more is not known, so the deadline is watched.
    Streaming(Watched),
    Ended(Option<Result<Ended, Fault>>),
}

/// Whether a plan has come to its COMMIT, from where on it is not cancelled.
#[derive(Debug, Clone, Default)]
pub(super) struct Committing(Arc<AtomicBool>);

impl Committing {
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Execution {
    pub(super) fn new(
        run: impl Future<Output = Result<Ended, Fault>> + Send + 'static,
        rows: Slot,
        deadline: Deadline,
        committing: Committing,
    ) -> Execution {
        Execution {
            stage: Stage::Waiting(Box::pin(run)),
            rows,
            deadline,
            committing,
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
        let polled = match &mut self.stage {
            Stage::Waiting(run) => run.as_mut().poll(context),
            Stage::Streaming(watched) => watched
                .poll(context)
                .unwrap_or_else(|| Poll::Ready(Err(self.expired()))),
            Stage::Ended(_) => Poll::Pending,
        };
        if let Poll::Ready(ended) = polled {
            self.stage = Stage::Ended(Some(ended));
        }
        // Rows that were handed out before the end come before it.
        let rows = self
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(rows) = rows {
            self.watch();
            return Poll::Ready(Ok(Progress::Rows(rows)));
        }
        let Stage::Ended(ended) = &mut self.stage else {
            return Poll::Pending;
        };
        Poll::Ready(match ended.take() {
            Some(ended) => ended.map(|ended| match ended {
                Ended::Ran(outcomes) => Progress::Done(outcomes),
                Ended::Repeated(body) => Progress::Repeated(body),
            }),
            None => Err(Fault::internal("the execution is over")),
        })
    }

    /// Has the deadline kept from now on, whether this is polled or not.
    fn watch(&mut self) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Ended(None)) {
            Stage::Waiting(run) => Stage::Streaming(Watched::new(
                run,
                self.deadline.clone(),
                self.committing.clone(),
            )),
            other => other,
        };
    }

    /// The fault of a run that was taken away at the deadline.
    fn expired(&self) -> Fault {
        match self.committing.has_begun() {
            true => commit::unknown(),
            false => self.deadline.fault(),
        }
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution").finish_non_exhaustive()
    }
}

/// A run that is dropped at the deadline, be it polled or not.
struct Watched {
    /// None from the deadline on.
    run: Arc<Mutex<Option<Run>>>,
    watcher: JoinHandle<()>,
}

impl Watched {
    fn new(run: Run, deadline: Deadline, committing: Committing) -> Watched {
        let run = Arc::new(Mutex::new(Some(run)));
        let watched = run.clone();
        let watcher = tokio::spawn(async move {
            deadline.expire().await;
            let run = take(&watched);
            // COMMIT runs to its end, which has a bound of its own.
            if let Some(run) = run.filter(|_| committing.has_begun()) {
                let _ = run.await;
            }
        });
        Watched { run, watcher }
    }

    /// None where the deadline has passed.
    fn poll(&self, context: &mut Context<'_>) -> Option<Poll<Result<Ended, Fault>>> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        Some(run.as_mut()?.as_mut().poll(context))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watcher.abort();
        drop(take(&self.run));
    }
}

fn take(run: &Mutex<Option<Run>>) -> Option<Run> {
    run.lock().unwrap_or_else(PoisonError::into_inner).take()
}
