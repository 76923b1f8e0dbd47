//! Which run of a server a session belongs to: a crash ends one and begins another.
//!
//! After a crash the server may give numbers of transactions that it had given before, as long as nothing
//! of those had reached the disk. So what it says about a transaction of an earlier run can be about
//! another one.

use tokio_postgres::{Client, SimpleQueryMessage};

/// The start of the server, and its processes that belong to no session. All of them are started anew
/// after a crash of any process of the server, the first one only with the whole of it. None of this needs
/// a privilege.
const QUESTION: &str = "SELECT pg_catalog.pg_postmaster_start_time(), \
     (SELECT pg_catalog.string_agg(pid::pg_catalog.text, ',') FROM pg_catalog.pg_stat_activity \
      WHERE datid IS NULL AND usesysid IS NULL)";

/// A run of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerRun {
    started: String,
    processes: Vec<String>,
}

impl ServerRun {
    /// Asks the server; none where it does not say.
    pub(super) async fn ask(client: &Client) -> Option<ServerRun> {
        let answer = client.simple_query(QUESTION).await.ok()?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })?;
        let processes = row.get(1)?.split(',').map(str::to_owned);
        Some(ServerRun {
            started: row.get(0)?.to_owned(),
            processes: processes.collect(),
        })
    }

    /// Whether both were seen in the same run. Some processes come and go; the others live as long as it.
    pub(super) fn is_same(&self, other: &ServerRun) -> bool {
        let lives = |process| other.processes.contains(process);
        self.started == other.started && self.processes.iter().any(lives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_with_its_processes() {
        let run = |started: &str, processes: &[&str]| ServerRun {
            started: started.into(),
            processes: processes.iter().map(|&process| process.into()).collect(),
        };
        let first = run("10:00", &["5", "6", "7"]);
        assert!(first.is_same(&run("10:00", &["5", "6", "9"])));
        // The server went on after a crash of one of its processes.
        assert!(!first.is_same(&run("10:00", &["15", "16", "17"])));
        // It was started anew, in a container with the same numbers.
        assert!(!first.is_same(&run("10:05", &["5", "6", "7"])));
    }
}
