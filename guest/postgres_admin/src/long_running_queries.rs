//! LongRunningQueries: what sessions have been doing for long.

use airlock_connector::params::{self, Integer, List, Parameters as _, Passed};
use airlock_connector::{Access, Failure, Handler, Plan, Sql, choices, parameters};

use crate::relation::{self, Limit};

choices! {
    /// What a session is doing, in PostgreSQL's words.
    enum State {
        /// It runs a query.
        Active = "active",
        /// It waits for its client, outside of transactions.
        Idle = "idle",
        /// It waits for its client, within a transaction.
        IdleInTransaction = "idle in transaction",
        /// It waits for its client, within a transaction that failed.
        IdleInFailedTransaction = "idle in transaction (aborted)",
        /// It runs a function that was called by number.
        FastpathFunctionCall = "fastpath function call",
    }
}

parameters! {
    /// Which sessions.
    struct Input {
        /// Only sessions that have been in their state for so many seconds.
        min_seconds: Integer<0, 31_536_000> = Integer::of::<60>(),
        /// Only sessions in these states.
        states: List<State, 1, 5> = List::of([
            State::Active,
            State::IdleInTransaction,
            State::IdleInFailedTransaction,
            State::FastpathFunctionCall,
        ]),
        /// Only sessions of the user of this name.
        user: Option<Passed<String>>,
        /// Only sessions whose application_name matches this LIKE pattern.
        application_name: Option<Passed<String>>,
        /// Whether sessions of other databases of the server are listed, too.
        all_databases: bool = false,
        /// Whether sessions are listed, too, of which the login may not see what they do.
        include_hidden: bool = false,
        /// Most rows; all where it is left out.
        limit: Option<Limit>,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "LongRunningQueries",
    summary: "Lists sessions that have been running a query, or holding a transaction open, for long, the longest \
              first: pid, database, user, application_name, client_address, backend, state, wait_event_type, \
              wait_event, seconds, transaction_seconds, query_started_at, blocked_by, hidden and query. A login \
              that is no member of pg_monitor sees only what its own sessions do.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[params::ERRORS],
    example: r#"{"min_seconds": 300, "states": ["active"]}"#,
    plan: |call| plan(Input::read(call)?),
    resume: None,
};

impl State {
    fn condition(self) -> &'static str {
        match self {
            State::Active => "a.state = 'active'",
            State::Idle => "a.state = 'idle'",
            State::IdleInTransaction => "a.state = 'idle in transaction'",
            State::IdleInFailedTransaction => "a.state = 'idle in transaction (aborted)'",
            State::FastpathFunctionCall => "a.state = 'fastpath function call'",
        }
    }
}

fn plan(input: Input) -> Result<Plan, Failure> {
    let sql = Sql::new(SESSIONS)
        .argument(input.min_seconds)
        .text(" AND (")
        .list(input.states.iter(), " OR ", |sql, state| {
            sql.text(state.condition())
        })
        .text(")")
        .when(input.include_hidden, " OR h.hidden")
        .text(")")
        .when(
            !input.all_databases,
            " AND a.datname = pg_catalog.current_database()",
        )
        .given(input.user, |sql, user| {
            relation::equals(sql.text(" AND a.usename"), user)
        })
        .given(input.application_name, |sql, pattern| {
            relation::like(sql.text(" AND a.application_name"), pattern)
        })
        .text(" ORDER BY d.seconds DESC NULLS LAST, a.pid");
    Ok(Plan::read(relation::limit(sql, input.limit)))
}

/// To ask who blocks takes the whole lock table for a moment, so it is asked for those who wait alone. Of a
/// session that the login may not see, the state is null and the query says so.
const SESSIONS: &str = r#"
SELECT a.pid AS "pid", a.datname AS "database", a.usename AS "user", a.application_name AS "application_name",
  pg_catalog.host(a.client_addr) AS "client_address", a.backend_type AS "backend", a.state AS "state",
  a.wait_event_type AS "wait_event_type", a.wait_event AS "wait_event",
  d.seconds AS "seconds", d.transaction_seconds AS "transaction_seconds", a.query_start AS "query_started_at",
  CASE a.wait_event_type WHEN 'Lock' THEN pg_catalog.pg_blocking_pids(a.pid) ELSE '{}' END AS "blocked_by",
  h.hidden AS "hidden", a.query AS "query"
FROM pg_catalog.pg_stat_activity a
CROSS JOIN LATERAL (
  SELECT a.state IS NULL AND a.usename IS NOT NULL AND a.query = '<insufficient privilege>' AS hidden) AS h
CROSS JOIN LATERAL (
  SELECT pg_catalog.round(EXTRACT(epoch FROM pg_catalog.statement_timestamp()
      - CASE a.state WHEN 'active' THEN a.query_start ELSE a.state_change END)::pg_catalog.numeric, 3) AS seconds,
    pg_catalog.round(EXTRACT(epoch FROM pg_catalog.statement_timestamp() - a.xact_start)::pg_catalog.numeric, 3)
      AS transaction_seconds) AS d
WHERE a.pid <> pg_catalog.pg_backend_pid() AND (d.seconds >= "#;
