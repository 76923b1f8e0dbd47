//! Asks the server what became of a transaction whose confirmation was lost.

use super::pool::Pool;
use super::server_run::ServerRun;
use super::xid::Xid;
use crate::clock::Clock;
use crate::fault::Fault;
use crate::transaction::TransactionStatus;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

/// The first pause between two questions; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A transaction that was being committed when the connection was lost.
pub(super) struct Lost {
    pub(super) xid: Xid,
    /// The run of the server that it was part of, where that is known.
    pub(super) run: Option<ServerRun>,
}

/// What a server says of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Committed,
    Aborted,
    InProgress,
    /// No transaction has had that number yet.
    NotYet,
    /// It is too long ago.
    Forgotten,
    /// The server follows another one and may be behind it.
    Follows,
}

/// Whether the server still is in the run that the transaction was part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Same,
    Later,
    /// Nobody knows which one that was.
    Untold,
}

/// Asks until there is an answer, or the time is up.
pub(super) async fn look(
    pool: &Arc<Pool>,
    lost: &Lost,
    clock: &Clock,
    until: Instant,
) -> TransactionStatus {
    let mut pause = FIRST_PAUSE;
    loop {
        // The database may be on its way up again, so every failure is a reason to go on.
        let asked = tokio::select! {
            asked = ask(pool, lost) => asked,
            () = clock.sleep_until(until) => return TransactionStatus::Unknown,
        };
        if let Ok((said, run)) = asked
            && let Some(status) = concluded(said, run, pool.has_many_hosts())
        {
            return status;
        }
        if Instant::now() + pause >= until {
            return TransactionStatus::Unknown;
        }
        clock.sleep_until(Instant::now() + pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// What an answer means; none where there may be another one later.
///
/// In a later run the number can be that of another transaction, which was committed or is going on; ours
/// was committed in no case where that one was not. Where there are several hosts, a later run can be that
/// of another server.
fn concluded(said: Said, run: Run, many_hosts: bool) -> Option<TransactionStatus> {
    match (said, run) {
        (Said::Follows, _) | (Said::InProgress, Run::Same | Run::Untold) => None,
        (Said::Committed, Run::Same) => Some(TransactionStatus::Committed),
        (Said::Aborted, Run::Same) => Some(TransactionStatus::Aborted),
        (Said::Aborted, Run::Later | Run::Untold)
        | (Said::InProgress | Said::NotYet, Run::Later)
            if !many_hosts =>
        {
            Some(TransactionStatus::Aborted)
        }
        _ => Some(TransactionStatus::Unknown),
    }
}

/// Asks once. An answer without its run is none: the connection broke, and what was said before may not
/// hold any more.
async fn ask(pool: &Arc<Pool>, lost: &Lost) -> Result<(Said, Run), Fault> {
    let mut lease = pool.lease().await?;
    let (session, wire) = lease.parts()?;
    let client = session.client();
    let asked = async {
        let said = said(client, lost.xid).await?;
        Some((said, lost.run_now(client).await?))
    };
    let asked = wire.during(pin!(asked)).await;
    let asked = asked.ok_or_else(|| Fault::internal("the server does not tell"))?;
    lease.finish(super::lease::State::Clean);
    Ok(asked)
}

impl Lost {
    async fn run_now(&self, client: &Client) -> Option<Run> {
        let Some(then) = &self.run else {
            return Some(Run::Untold);
        };
        let now = ServerRun::ask(client).await?;
        Some(match then.is_same(&now) {
            true => Run::Same,
            false => Run::Later,
        })
    }
}

async fn said(client: &Client, xid: Xid) -> Option<Said> {
    let question = format!(
        "SELECT pg_catalog.pg_xact_status('{xid}'::pg_catalog.xid8), pg_catalog.pg_is_in_recovery()"
    );
    let answer = match client.simple_query(&question).await {
        Ok(answer) => answer,
        // "transaction ID … is in the future": the only thing that it can find fault with. Other errors are
        // about the session, such as that it is being ended.
        Err(failed) => {
            let is_future = failed.code() == Some(&SqlState::INVALID_PARAMETER_VALUE);
            return is_future.then_some(Said::NotYet);
        }
    };
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })?;
    Some(match (row.get(0), row.get(1)?) {
        (_, "t") => Said::Follows,
        (Some("committed"), _) => Said::Committed,
        (Some("aborted"), _) => Said::Aborted,
        (Some("in progress"), _) => Said::InProgress,
        _ => Said::Forgotten,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_mean() {
        use TransactionStatus::{Aborted, Committed, Unknown};
        for (said, same, later, untold, many_hosts) in [
            (
                Said::Committed,
                Some(Committed),
                Some(Unknown),
                Some(Unknown),
                Some(Unknown),
            ),
            (
                Said::Aborted,
                Some(Aborted),
                Some(Aborted),
                Some(Aborted),
                Some(Unknown),
            ),
            (Said::InProgress, None, Some(Aborted), None, Some(Unknown)),
            (
                Said::NotYet,
                Some(Unknown),
                Some(Aborted),
                Some(Unknown),
                Some(Unknown),
            ),
            (
                Said::Forgotten,
                Some(Unknown),
                Some(Unknown),
                Some(Unknown),
                Some(Unknown),
            ),
            (Said::Follows, None, None, None, None),
        ] {
            assert_eq!(concluded(said, Run::Same, false), same, "{said:?}");
            assert_eq!(concluded(said, Run::Later, false), later, "{said:?}");
            assert_eq!(concluded(said, Run::Untold, false), untold, "{said:?}");
            assert_eq!(concluded(said, Run::Later, true), many_hosts, "{said:?}");
            assert_ne!(concluded(said, Run::Untold, true), Some(Aborted));
        }
    }
}
