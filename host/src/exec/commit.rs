//! Commits the transaction of a plan.

use super::deadline::Deadline;
use super::error;
use super::lease::{Lease, State};
use super::lookup::{self, Lost};
use super::pool::Pool;
use super::xid::Known;
use crate::fault::{Fault, Kind};
use crate::transaction::TransactionStatus;
use futures_util::future::{Either, join, select};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, Error, SimpleQueryMessage};

/// A transaction whose statements have succeeded.
pub(super) struct Open {
    pub(super) lease: Lease,
    /// State of the connection behind the transaction.
    pub(super) state: State,
    pub(super) writes: bool,
}

impl Open {
    /// Commits it and gives the connection back. Where the confirmation is lost, the server is asked on
    /// another connection what became of the transaction, until `lookup` behind the deadline at most.
    ///
    /// # Errors
    /// Where the server refuses, where the transaction turns out to be rolled back, and where nobody can
    /// tell.
    pub(super) async fn commit(
        self,
        pool: &Arc<Pool>,
        deadline: &Deadline,
        lookup: Duration,
    ) -> Result<(), Fault> {
        let Open {
            mut lease,
            state,
            writes,
        } = self;
        // Half of the time for an answer to COMMIT beyond the deadline, half for asking then.
        let sent = send(&mut lease, deadline, lookup / 2).await?;
        let after = match sent.is_cancelled {
            true => State::Uncertain,
            false => state,
        };
        let Some(refused) = sent.confirmed.err() else {
            lease.finish(after);
            return Ok(());
        };
        let Some(known) = refused.lost else {
            lease.finish(after);
            return Err(refused.fault);
        };
        let run = lease.parts()?.0.run().cloned();
        lease.finish(State::Uncertain);
        let status = match known {
            _ if !writes => return Err(refused.fault),
            Known::Xid(xid) => {
                let until = deadline.at() + lookup;
                lookup::look(pool, &Lost { xid, run }, deadline.clock(), until).await
            }
            // Its SQL may have sent a notification all the same.
            Known::Nothing if state == State::Dirty => TransactionStatus::Unknown,
            Known::Nothing => TransactionStatus::Aborted,
            Known::Off | Known::Wanted => TransactionStatus::Unknown,
        };
        match status {
            TransactionStatus::Committed => Ok(()),
            TransactionStatus::Aborted => {
                let message = "the connection to the server broke while the transaction was being committed; the server rolled it back, so the call can be made again";
                Err(Fault::new(Kind::Database, "OperationalError", message).with_status(status))
            }
            TransactionStatus::Unknown => Err(unknown()),
        }
    }
}

/// How a COMMIT went.
struct Sent {
    confirmed: Result<(), NotConfirmed>,
    /// The connection must not be used again: the cancel may still be on its way.
    is_cancelled: bool,
}

/// Why a COMMIT was not confirmed.
struct NotConfirmed {
    fault: Fault,
    /// What is known of the transaction, where the answer did not come.
    lost: Option<Known>,
}

/// Sends COMMIT and waits for the answer. At the deadline it is cancelled, and the answer waited for as long
/// as `grace`: it says whether the cancel came in time.
async fn send(lease: &mut Lease, deadline: &Deadline, grace: Duration) -> Result<Sent, Fault> {
    lease.commits();
    let canceller = lease.canceller();
    let (session, wire) = lease.parts()?;
    let known = session.xid();
    let answer = pin!(ask(session.client()));
    let expired = pin!(deadline.clock().sleep_until(deadline.at()));
    let (answer, is_cancelled) = match select(pin!(wire.during(answer)), expired).await {
        Either::Left((answer, _)) => (Some(answer), false),
        Either::Right((_, answer)) => {
            let cancel = async {
                if let Some(canceller) = canceller {
                    canceller.cancel(grace).await;
                }
            };
            let answered = join(answer, cancel);
            let until = deadline.clock().sleep_until(Instant::now() + grace);
            match select(pin!(answered), pin!(until)).await {
                Either::Left(((answer, ()), _)) => (Some(answer), true),
                Either::Right(_) => (None, true),
            }
        }
    };
    let confirmed = match answer {
        Some(Ok(true)) => Ok(()),
        // The server is ready for more, and said nothing of this one.
        Some(Ok(false)) => Err(NotConfirmed {
            fault: error::incomplete(),
            lost: Some(known),
        }),
        Some(Err(failed)) => Err(NotConfirmed {
            // A refusal, for example of a deferred constraint, rolls back.
            lost: error::is_lost(&failed).then_some(known),
            fault: match is_cancelled {
                true => deadline.fault(),
                false => error::statement(&failed),
            },
        }),
        None => Err(NotConfirmed {
            fault: deadline.fault(),
            lost: Some(known),
        }),
    };
    Ok(Sent {
        confirmed,
        is_cancelled,
    })
}

/// True where the server confirms; whoever only waits until it is ready for more would miss that it did not.
async fn ask(client: &Client) -> Result<bool, Error> {
    let answer = client.simple_query("COMMIT").await?;
    let confirms = |message: &_| matches!(message, SimpleQueryMessage::CommandComplete(_));
    Ok(answer.iter().any(confirms))
}

/// Nobody knows whether what the call changed is stored.
pub(super) fn unknown() -> Fault {
    let message = "the connection broke while the change was being stored, and the server could not tell afterwards whether it was; look before you try again";
    Fault::new(
        Kind::OutcomeUnknown,
        "TransactionResolutionUnknown",
        message,
    )
    .with_status(TransactionStatus::Unknown)
}
