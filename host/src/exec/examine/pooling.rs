//! Whether a session is one, or each transaction can run in another one behind a pooler.

use crate::exec::connection::Connection;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{Client, Error};

/// A server answers this at once; a pooler whose connections are all lent does not.
const PATIENCE: Duration = Duration::from_secs(5);

const PROCESS: &str = "SELECT pg_catalog.pg_backend_pid()";

/// Whose sessions those of a server are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// A connection keeps its session.
    Sessions,
    /// Each transaction can run in another session.
    Transactions,
}

/// Looks whether a connection is served by the same process while another one is in a transaction, which
/// in a pooler takes what the first one has just used. None where that cannot be told. Closes both.
pub(super) async fn of(
    mut one: Connection,
    other: Option<Connection>,
    grace: Duration,
) -> Option<Pooling> {
    let mut other = other?;
    let found = async {
        let before = process(&mut one).await.ok()?;
        let begun = other.wire.during(pin!(begin(other.session.client()))).await;
        // Poolers that lend connections for single statements refuse this.
        let Ok(beside) = begun else {
            return Some(Pooling::Transactions);
        };
        let after = timeout(PATIENCE, process(&mut one)).await;
        Some(match after {
            Ok(Ok(after)) if after == before && after != beside => Pooling::Sessions,
            _ => Pooling::Transactions,
        })
    };
    let found = found.await;
    other.close(grace).await;
    one.close(grace).await;
    found
}

async fn process(connection: &mut Connection) -> Result<i32, Error> {
    let asked = ask(connection.session.client());
    connection.wire.during(pin!(asked)).await
}

async fn begin(client: &Client) -> Result<i32, Error> {
    client.batch_execute("BEGIN").await?;
    ask(client).await
}

async fn ask(client: &Client) -> Result<i32, Error> {
    let rows = client.query_typed(PROCESS, &[]).await?;
    let process = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(process.unwrap_or_default())
}
