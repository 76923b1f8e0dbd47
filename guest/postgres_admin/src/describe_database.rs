//! DescribeDatabase: an overview of a database and its server.

use airlock_connector::params::{self, Parameters as _};
use airlock_connector::{Access, Failure, Handler, Plan, Sql, parameters};

use crate::relation;

parameters! {
    /// Nothing.
    struct Input {}
}

pub(crate) const HANDLER: Handler = Handler {
    name: "DescribeDatabase",
    summary: "Tells of the database: database, user, server_version, server_version_number, encoding, collation, \
              started_at, uptime_seconds, standby, bytes, size, connections, max_connections, schemas, tables and \
              extensions.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[params::ERRORS],
    example: "{}",
    plan: |call| plan(&Input::read(call)?),
    resume: None,
};

fn plan(_: &Input) -> Result<Plan, Failure> {
    Ok(Plan::read(
        Sql::new(DATABASE)
            .text(relation::IS_SYSTEM)
            .text(TABLES)
            .text(relation::IS_TABLE)
            .text(" AND NOT ")
            .text(relation::IS_SYSTEM)
            .text(EXTENSIONS),
    ))
}

const DATABASE: &str = r#"
SELECT d.datname AS "database", current_user AS "user",
  pg_catalog.current_setting('server_version') AS "server_version",
  pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS "server_version_number",
  pg_catalog.pg_encoding_to_char(d.encoding) AS "encoding", d.datcollate AS "collation",
  pg_catalog.pg_postmaster_start_time() AS "started_at",
  EXTRACT(epoch FROM pg_catalog.statement_timestamp() - pg_catalog.pg_postmaster_start_time())::pg_catalog.int8
    AS "uptime_seconds",
  pg_catalog.pg_is_in_recovery() AS "standby", s.bytes AS "bytes", pg_catalog.pg_size_pretty(s.bytes) AS "size",
  (SELECT b.numbackends FROM pg_catalog.pg_stat_database b WHERE b.datid = d.oid) AS "connections",
  pg_catalog.current_setting('max_connections')::pg_catalog.int4 AS "max_connections",
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace n WHERE NOT "#;

const TABLES: &str = r#") AS "schemas",
  (SELECT pg_catalog.count(*)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "#;

const EXTENSIONS: &str = r#") AS "tables",
  (SELECT coalesce(pg_catalog.json_agg(
      pg_catalog.json_build_object('name', e.extname, 'version', e.extversion) ORDER BY e.extname), '[]')
    FROM pg_catalog.pg_extension e) AS "extensions"
FROM pg_catalog.pg_database d
CROSS JOIN LATERAL (SELECT pg_catalog.pg_database_size(d.oid) AS bytes) AS s
WHERE d.datname = pg_catalog.current_database()"#;
