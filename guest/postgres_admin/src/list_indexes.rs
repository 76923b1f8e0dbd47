//! ListIndexes: the indexes of tables.

use airlock_connector::params::{self, Parameters as _, Passed};
use airlock_connector::{Access, Failure, Handler, Plan, Sql, parameters};

use crate::relation::{self, Limit, Schemas};

parameters! {
    /// Which indexes.
    struct Input {
        /// Only indexes of tables in the schema of this name.
        schema: Option<Passed<String>>,
        /// Only indexes of tables of this name.
        table: Option<Passed<String>>,
        /// Only indexes whose name matches this LIKE pattern.
        pattern: Option<Passed<String>>,
        /// Whether indexes of PostgreSQL's own tables are listed, too, where no schema is named.
        include_system: bool = false,
        /// Most rows; all where it is left out.
        limit: Option<Limit>,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "ListIndexes",
    summary: "Lists indexes by schema, table and name: schema, table, index, method, columns, included, \
              predicate, unique, primary_key, valid, scans, bytes, definition and comment.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[params::ERRORS],
    example: r#"{"schema": "public", "table": "users"}"#,
    plan: |call| plan(Input::read(call)?),
    resume: None,
};

/// Indexes of tables, with a first condition. `x` is the row of an index in `pg_index`, `i` the one in
/// `pg_class`.
pub(crate) fn select(sql: Sql) -> Sql {
    sql.text(INDEXES).text(relation::IS_TABLE)
}

const INDEXES: &str = r#"
SELECT n.nspname AS "schema", c.relname AS "table", i.relname AS "index",
  (SELECT m.amname FROM pg_catalog.pg_am m WHERE m.oid = i.relam) AS "method",
  (SELECT pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.oid, s, true) ORDER BY s)
    FROM pg_catalog.generate_series(1, x.indnkeyatts::pg_catalog.int4) AS s) AS "columns",
  (SELECT coalesce(pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.oid, s, true) ORDER BY s), '[]')
    FROM pg_catalog.generate_series(x.indnkeyatts + 1, x.indnatts::pg_catalog.int4) AS s) AS "included",
  pg_catalog.pg_get_expr(x.indpred, x.indrelid) AS "predicate",
  x.indisunique AS "unique", x.indisprimary AS "primary_key", x.indisvalid AS "valid",
  pg_catalog.pg_stat_get_numscans(i.oid) AS "scans", pg_catalog.pg_relation_size(i.oid) AS "bytes",
  pg_catalog.pg_get_indexdef(i.oid) AS "definition",
  pg_catalog.obj_description(i.oid, 'pg_class') AS "comment"
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE "#;

/// How they are sorted.
pub(crate) const ORDER: &str = " ORDER BY n.nspname, c.relname, i.relname";

fn plan(input: Input) -> Result<Plan, Failure> {
    let schemas = Schemas {
        named: input.schema,
        include_system: input.include_system,
    };
    let sql = schemas
        .append(select(Sql::default()))
        .given(input.table, |sql, table| {
            relation::equals(sql.text(" AND c.relname"), table)
        })
        .given(input.pattern, |sql, pattern| {
            relation::like(sql.text(" AND i.relname"), pattern)
        })
        .text(ORDER);
    Ok(Plan::read(relation::limit(sql, input.limit)))
}
