//! Runs a call only once: it is recorded in a table of the database, in the same transaction.
//!
//! The table is the operator's, see the documentation of replies. A call that comes while the first one still runs waits for
//! it, as the primary key of the table makes it.

use super::failed::Stopped;
use super::rows::Outcome;
use super::session::Session;
use crate::call::Task;
use crate::fault::{Fault, Kind};
use crate::input::Input;
use crate::plan::Reply;
use airlock_connector::QualifiedName;
use sha2::{Digest as _, Sha256};
use std::pin::pin;
use tokio_postgres::types::{ToSql, Type};

/// What a call is recorded by.
#[derive(Debug)]
pub struct Once {
    /// In double quotes.
    table: String,
    task: Task,
    /// SHA-256 of what the call asks for.
    call: Vec<u8>,
}

impl Once {
    /// Records the call of `command`, named with its connector, for `task` in `table`.
    #[must_use]
    pub fn new(table: &QualifiedName, task: &Task, command: &str, input: &Input) -> Once {
        // Not the plan: another version of the connector may plan the same call differently.
        let call = format!("{command} {}", input.whole());
        Once {
            table: table.to_string(),
            task: task.clone(),
            call: Sha256::digest(call).to_vec(),
        }
    }

    /// Records the call; gives the body of its reply where it is recorded already. Opens the transaction.
    pub(super) async fn claim(&self, session: &mut Session) -> Result<Option<Vec<u8>>, Stopped> {
        let insert = format!(
            "INSERT INTO {} (process_id, task_id, call) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true",
            self.table
        );
        let [process_id, task_id] = self.ids();
        let call = (&self.call as &(dyn ToSql + Sync), Type::BYTEA);
        let parameters = [process_id.clone(), task_id.clone(), call];
        let opening = session.take_opening();
        let client = session.client();
        let insert = pin!(client.query_typed(&insert, &parameters));
        if !opening.before(client, insert).await?.is_empty() {
            return Ok(None);
        }
        let select = format!(
            "SELECT call, reply FROM {} WHERE process_id = $1 AND task_id = $2",
            self.table
        );
        let found = client.query_typed(&select, &[process_id, task_id]).await?;
        let row = found.first().ok_or_else(|| {
            let message = "the record of the call is gone; try again";
            Fault::new(Kind::Database, "SerializationFailure", message)
        })?;
        let (call, reply): (&[u8], Option<&str>) = (row.try_get(0)?, row.try_get(1)?);
        if call != self.call {
            let message = "the task has made another call before, which is stored; a task that is tried again makes the same call";
            return Err(Fault::statement("IdempotencyConflict", message).into());
        }
        Ok(Some(reply.unwrap_or("null").as_bytes().to_vec()))
    }

    /// Keeps the body of the reply with the record.
    pub(super) async fn keep(
        &self,
        session: &Session,
        reply: &Reply,
        last: Option<&Outcome>,
    ) -> Result<(), Stopped> {
        let body = match (reply, last) {
            (Reply::Json(text), _) => text.clone(),
            (Reply::Rows(_), Some(last)) => String::from_utf8_lossy(&last.rows).into_owned(),
            (Reply::Affected, Some(last)) => last.affected_text(),
            _ => return Ok(()),
        };
        let update = format!(
            "UPDATE {} SET reply = $3 WHERE process_id = $1 AND task_id = $2",
            self.table
        );
        let [process_id, task_id] = self.ids();
        let parameters = [process_id, task_id, (&body as _, Type::TEXT)];
        session.client().query_typed(&update, &parameters).await?;
        Ok(())
    }

    fn ids(&self) -> [(&(dyn ToSql + Sync), Type); 2] {
        [
            (&self.task.process_id, Type::TEXT),
            (&self.task.task_id, Type::TEXT),
        ]
    }
}
