//! ListColumns: the columns of tables.

use airlock_connector::params::{self, Parameters as _, Passed};
use airlock_connector::{Access, Failure, Handler, Plan, Sql, parameters};

use crate::list_constraints;
use crate::relation::{self, Limit, Schemas};

parameters! {
    /// Which columns.
    struct Input {
        /// Only columns of tables in the schema of this name.
        schema: Option<Passed<String>>,
        /// Only columns of tables of this name.
        table: Option<Passed<String>>,
        /// Only columns whose name matches this LIKE pattern.
        pattern: Option<Passed<String>>,
        /// Whether columns of PostgreSQL's own tables are listed, too, where no schema is named.
        include_system: bool = false,
        /// Most rows; all where it is left out.
        limit: Option<Limit>,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "ListColumns",
    summary: "Lists columns by schema, table and position: schema, table, column, position, type, nullable, \
              default, identity, generated_as, collation, primary_key, references and comment.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[params::ERRORS],
    example: r#"{"schema": "public", "table": "users"}"#,
    plan: |call| plan(Input::read(call)?),
    resume: None,
};

/// Columns of tables, with a first condition. `a` is the row of a column in `pg_attribute`.
pub(crate) fn select(sql: Sql) -> Sql {
    sql.text(COLUMNS)
        .text(list_constraints::IS_OWN)
        .text(SOURCES)
        .text(relation::IS_TABLE)
}

const COLUMNS: &str = r#"
SELECT n.nspname AS "schema", c.relname AS "table", a.attname AS "column", a.attnum AS "position",
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS "type", NOT a.attnotnull AS "nullable",
  CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS "default",
  CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS "identity",
  CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS "generated_as",
  (SELECT l.collname FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation) AS "collation",
  EXISTS (SELECT FROM pg_catalog.pg_constraint k
    WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) AS "primary_key",
  (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('constraint', k.conname,
      'schema', m.nspname, 'table', f.relname, 'column', b.attname) ORDER BY k.conname), '[]')
    FROM pg_catalog.pg_constraint k
    CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS p (own, other)
    JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
    JOIN pg_catalog.pg_namespace m ON m.oid = f.relnamespace
    JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.other
    WHERE k.conrelid = c.oid AND k.contype = 'f' AND p.own = a.attnum AND "#;

const SOURCES: &str = r#") AS "references",
  pg_catalog.col_description(c.oid, a.attnum) AS "comment"
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND "#;

/// How they are sorted.
pub(crate) const ORDER: &str = " ORDER BY n.nspname, c.relname, a.attnum";

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
            relation::like(sql.text(" AND a.attname"), pattern)
        })
        .text(ORDER);
    Ok(Plan::read(relation::limit(sql, input.limit)))
}
