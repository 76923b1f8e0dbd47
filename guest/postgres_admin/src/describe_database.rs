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
    let sql = Sql::new(r#"SELECT d.datname AS "database", current_user AS "user", "#)
        .text(r#"pg_catalog.current_setting('server_version') AS "server_version", "#)
        .text(r#"pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS "server_version_number", "#)
        .text(r#"pg_catalog.pg_encoding_to_char(d.encoding) AS "encoding", d.datcollate AS "collation", "#)
        .text(r#"pg_catalog.pg_postmaster_start_time() AS "started_at", "#)
        .text("EXTRACT(epoch FROM pg_catalog.statement_timestamp() - pg_catalog.pg_postmaster_start_time())::pg_catalog.int8")
        .text(r#" AS "uptime_seconds", pg_catalog.pg_is_in_recovery() AS "standby", "#)
        .text(r#"s.bytes AS "bytes", pg_catalog.pg_size_pretty(s.bytes) AS "size", "#)
        .text(r#"(SELECT b.numbackends FROM pg_catalog.pg_stat_database b WHERE b.datid = d.oid) AS "connections", "#)
        .text(r#"pg_catalog.current_setting('max_connections')::pg_catalog.int4 AS "max_connections", "#)
        .text("(SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace n WHERE NOT ")
        .text(relation::IS_SYSTEM)
        .text(r#") AS "schemas", "#)
        .text(
            "(SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
             ON n.oid = c.relnamespace WHERE ",
        )
        .text(relation::IS_TABLE)
        .text(" AND NOT ")
        .text(relation::IS_SYSTEM)
        .text(r#") AS "tables", "#)
        .text(
            "(SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', e.extname, 'version', \
             e.extversion) ORDER BY e.extname), '[]') FROM pg_catalog.pg_extension e) AS \"extensions\"",
        )
        .text(
            " FROM pg_catalog.pg_database d CROSS JOIN LATERAL \
             (SELECT pg_catalog.pg_database_size(d.oid) AS bytes) AS s \
             WHERE d.datname = pg_catalog.current_database()",
        );
    Ok(Plan::read(sql))
}
