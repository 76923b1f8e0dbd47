//! The version of the server, for what older servers do not have.

use airlock_connector::{Failure, Outcome, Plan, Sql};

/// A version as the server numbers it: 150018 is 15.18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerVersion(pub(crate) u32);

/// The first version that tells since when a lock is waited for.
pub(crate) const POSTGRES_14: ServerVersion = ServerVersion(140_000);

/// Asks for the version; the call goes on with `resume`.
pub(crate) fn ask() -> Plan {
    let sql = Sql::new("SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4");
    Plan::ask(sql, "")
}

impl ServerVersion {
    /// Reads the answer.
    pub(crate) fn read(outcomes: &[Outcome]) -> Result<ServerVersion, Failure> {
        let rows: Vec<(u32,)> = Outcome::only(outcomes)?;
        // Without a row, the oldest columns are right for every server.
        let version = rows.first().map_or(0, |(version,)| *version);
        Ok(ServerVersion(version))
    }
}
