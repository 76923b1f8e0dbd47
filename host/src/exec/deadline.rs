//! When a call must have ended.

use crate::clock::Clock;
use crate::fault::{Fault, Kind};
use crate::transaction::TransactionStatus;
use futures_util::future::{Either, select};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When a call must have ended. One budget for all of it: planning, waiting for a connection, name
/// lookup, login and SQL.
#[derive(Debug, Clone)]
pub struct Deadline {
    at: Instant,
    clock: Arc<Clock>,
    given: Duration,
}

impl Deadline {
    /// So much time from now on.
    pub(super) fn after(given: Duration, clock: Arc<Clock>) -> Deadline {
        Deadline {
            at: Instant::now() + given,
            clock,
            given,
        }
    }

    pub(super) fn at(&self) -> Instant {
        self.at
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Waits for it.
    pub(super) async fn expire(&self) -> Fault {
        self.clock.sleep_until(self.at).await;
        self.fault()
    }

    /// Waits for what ends in time. It is pinned by whoever calls this, as it is large and would be moved.
    ///
    /// # Errors
    /// Those of `work`; `QueryCanceled` at the deadline, when `work` is to be dropped.
    pub async fn keep<T>(
        &self,
        work: Pin<&mut impl Future<Output = Result<T, Fault>>>,
    ) -> Result<T, Fault> {
        match select(work, pin!(self.expire())).await {
            Either::Left((done, _)) => done,
            Either::Right((expired, _)) => Err(expired),
        }
    }

    pub(super) fn fault(&self) -> Fault {
        let message = format!(
            "the call took longer than its deadline of {} ms and was cancelled",
            self.given.as_millis()
        );
        Fault::new(Kind::Deadline, "QueryCanceled", message).with_status(TransactionStatus::Aborted)
    }
}
