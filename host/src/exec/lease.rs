//! A connection on loan, and how it comes back: clean, or not at all.

use super::connection::{Canceller, Connection};
use super::pool::Pool;
use super::session::Session;
use super::wire::Wire;
use crate::fault::Fault;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

/// A connection on loan. Its slot in the pool is free again when the connection is idle or the server
/// has ended it, so there are never more server processes than slots.
///
/// Unless it is finished, it is closed when it is dropped after it was used: what runs on it is
/// cancelled, a COMMIT only where it does not end soon.
pub(super) struct Lease {
    pool: Arc<Pool>,
    slot: Option<OwnedSemaphorePermit>,
    connection: Option<Box<Connection>>,
    used_for: Use,
}

/// What a connection on loan is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// For nothing yet.
    None,
    /// Statements that can be cancelled.
    Works,
    /// COMMIT, which is cancelled only where it does not end soon.
    Commits,
}

/// What is known of a connection when its use ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As it was: no transaction is open and no setting changed.
    Clean,
    /// No transaction is open, but SQL of the caller may have changed the session.
    Dirty,
    /// Nothing is known.
    Uncertain,
}

impl Lease {
    pub(super) fn new(pool: Arc<Pool>, slot: OwnedSemaphorePermit) -> Lease {
        Lease {
            pool,
            slot: Some(slot),
            connection: None,
            used_for: Use::None,
        }
    }

    /// Takes the connection, unless it has ended or is not `fresh` enough.
    pub(super) fn take(&mut self, mut connection: Box<Connection>, fresh: bool) -> bool {
        if connection.has_ended() || !fresh {
            // It is idle, so the server ends it at once.
            self.pool
                .endings()
                .spawn(connection.close(self.pool.grace()));
            return false;
        }
        self.connection = Some(connection);
        true
    }

    /// The session, and what moves its messages meanwhile.
    pub(super) fn parts(&mut self) -> Result<(&mut Session, &mut Wire), Fault> {
        if self.used_for == Use::None {
            self.used_for = Use::Works;
        }
        match self.connection.as_deref_mut() {
            Some(Connection { session, wire, .. }) => Ok((session, wire)),
            None => Err(Fault::internal("the lease is over")),
        }
    }

    /// Why the connection ended, where that was for a message that is too long.
    pub(super) fn message_fault(&self) -> Option<Fault> {
        let exceeded = self.connection.as_deref()?.got_too_much();
        exceeded.then(|| self.pool.message_fault())
    }

    /// What can cancel what runs on the connection, which must not be used again then.
    pub(super) fn canceller(&self) -> Option<Canceller> {
        let connection = self.connection.as_deref();
        connection.map(Connection::canceller)
    }

    /// From here on what runs is COMMIT.
    pub(super) fn commits(&mut self) {
        self.used_for = Use::Commits;
    }

    /// Gives the connection back, after a reset where it needs one; it is closed where its state is not
    /// known.
    pub(super) fn finish(mut self, state: State) {
        let (Some(connection), Some(slot)) = (self.connection.take(), self.slot.take()) else {
            return;
        };
        let pool = self.pool.clone();
        let mut ending = Ending {
            connection,
            pool,
            slot,
        };
        if state == State::Uncertain || ending.connection.has_ended() {
            self.pool.endings().spawn(ending.close());
        } else if state == State::Dirty {
            self.pool.endings().spawn(ending.reset());
        } else {
            ending.give_back();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(connection), Some(slot)) = (self.connection.take(), self.slot.take()) else {
            return;
        };
        if Handle::try_current().is_err() {
            return;
        }
        let ending = Ending {
            connection,
            pool: self.pool.clone(),
            slot,
        };
        match self.used_for {
            Use::None => ending.give_back(),
            Use::Works => drop(self.pool.endings().spawn(ending.cancel())),
            Use::Commits => drop(self.pool.endings().spawn(ending.close_or_cancel())),
        }
    }
}

/// A connection whose use has ended, in its slot.
struct Ending {
    connection: Box<Connection>,
    pool: Arc<Pool>,
    slot: OwnedSemaphorePermit,
}

impl Ending {
    fn give_back(self) {
        if let Some(connection) = self.pool.push(self.connection) {
            let grace = self.pool.grace();
            self.pool.endings().spawn(connection.close(grace));
        }
        // Behind the connection, so that whoever gets the slot finds it.
        drop(self.slot);
    }

    async fn reset(mut self) {
        let reset = tokio::time::timeout(self.pool.grace(), self.connection.reset()).await;
        match reset {
            Ok(true) => self.give_back(),
            _ => self.cancel().await,
        }
    }

    async fn close(self) {
        self.connection.close(self.pool.grace()).await;
        drop(self.slot);
    }

    async fn close_or_cancel(self) {
        self.connection.close_or_cancel(self.pool.grace()).await;
        drop(self.slot);
    }

    async fn cancel(self) {
        self.connection.cancel(self.pool.grace()).await;
        drop(self.slot);
    }
}
