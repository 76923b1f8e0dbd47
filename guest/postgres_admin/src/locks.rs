//! Locks: who waits for whom.
//!
//! Servers from version 14 on tell since when a lock is waited for. So the first round asks for the
//! version, and the second one for what this server knows.

use airlock_connector::outcome::UNEXPECTED_OUTCOME;
use airlock_connector::params::{self, Integer, Parameters as _};
use airlock_connector::{Access, Call, Failure, Handler, Outcome, Plan, Sql, parameters};

use crate::relation::{self, Limit};
use crate::server_version::{self, POSTGRES_14, ServerVersion};

parameters! {
    /// Which waits.
    struct Input {
        /// Only sessions that have been waiting for so many seconds.
        min_seconds: Integer<0, 31_536_000> = Integer::of::<0>(),
        /// Whether waits in other databases of the server are listed, too; their relations have no name here.
        all_databases: bool = false,
        /// Most rows; all where it is left out.
        limit: Option<Limit>,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "Locks",
    summary: "Lists who waits for a lock and who stands in the way, one row for each pair, the longest wait first: \
              blocked_pid, blocked_user, blocked_application_name, blocked_query, lock_type, schema, relation, \
              wanted_mode, waiting_seconds, blocking_pid, blocking_user, blocking_application_name, blocking_state, \
              held_modes, blocking_transaction_seconds and blocking_query. A login that is no member of pg_monitor \
              does not see what sessions of others do. blocking_pid 0 is a prepared transaction.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[params::ERRORS, &[UNEXPECTED_OUTCOME]],
    example: r#"{"min_seconds": 5}"#,
    plan: |call| Input::read(call).map(|_| server_version::ask()),
    resume: Some(resume),
};

fn resume(call: &Call, _: &[u8], outcomes: &[Outcome]) -> Result<Plan, Failure> {
    let (input, version) = (Input::read(call)?, ServerVersion::read(outcomes)?);
    // What older servers tell is when the query began, which is before it waited.
    let since = match version >= POSTGRES_14 {
        true => "coalesce(l.waitstart, w.query_start)",
        false => "w.query_start",
    };
    let sql = Sql::new(WAITS)
        .text(since)
        .text(SECONDS)
        .when(
            !input.all_databases,
            " AND w.datname = pg_catalog.current_database()",
        )
        // A login that may not see since when counts every wait as long enough.
        .text(" AND coalesce(d.waiting >= ")
        .argument(input.min_seconds)
        .text(", true) ORDER BY d.waiting DESC NULLS LAST, w.pid, p.pid");
    Ok(Plan::read(relation::limit(sql, input.limit)))
}

/// `l` is what is waited for by `w`, `p` who stands in the way: `b`, or nobody for a prepared transaction.
///
/// Where a session waits for a row, `l` is a lock on a transaction. While it is first in line, it holds the
/// lock of the row itself, which names the relation.
const WAITS: &str = r#"
SELECT w.pid AS "blocked_pid", w.usename AS "blocked_user", w.application_name AS "blocked_application_name",
  w.query AS "blocked_query", l.locktype AS "lock_type", n.nspname AS "schema", c.relname AS "relation",
  l.mode AS "wanted_mode", d.waiting AS "waiting_seconds",
  p.pid AS "blocking_pid", b.usename AS "blocking_user", b.application_name AS "blocking_application_name",
  b.state AS "blocking_state",
  (SELECT coalesce(pg_catalog.json_agg(DISTINCT h.mode), '[]')
    FROM pg_catalog.pg_locks h
    WHERE h.granted AND h.pid = p.pid
      AND (h.locktype, h.database, h.relation, h.page, h.tuple, h.virtualxid, h.transactionid,
        h.classid, h.objid, h.objsubid)
      IS NOT DISTINCT FROM (l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid,
        l.classid, l.objid, l.objsubid)) AS "held_modes",
  pg_catalog.round(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - b.xact_start)::pg_catalog.numeric, 3)
    AS "blocking_transaction_seconds",
  b.query AS "blocking_query"
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_stat_activity w ON w.pid = l.pid
CROSS JOIN LATERAL (
  SELECT DISTINCT u.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(l.pid)) AS u (pid)) AS p
LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = p.pid AND p.pid <> 0
LEFT JOIN pg_catalog.pg_class c ON w.datname = pg_catalog.current_database() AND c.oid = coalesce(l.relation,
  (SELECT t.relation FROM pg_catalog.pg_locks t
    WHERE t.pid = l.pid AND t.locktype = 'tuple' AND t.granted LIMIT 1))
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT pg_catalog.round(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - "#;

const SECONDS: &str = ")::pg_catalog.numeric, 3) AS waiting) AS d
WHERE NOT l.granted";
