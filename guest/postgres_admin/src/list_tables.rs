//! ListTables: tables, views and what else can be read like them.

use airlock_connector::params::{self, List, Parameters as _, Passed};
use airlock_connector::{Access, Failure, Handler, Plan, Sql, parameters};

use crate::relation::{self, Limit, RelationKind, Schemas};

parameters! {
    /// Which tables.
    struct Input {
        /// Only tables of the schema of this name.
        schema: Option<Passed<String>>,
        /// Only tables whose name matches this LIKE pattern.
        pattern: Option<Passed<String>>,
        /// Only tables of these kinds.
        kinds: Option<List<RelationKind, 1, 5>>,
        /// Whether partitions are listed beside the table that they belong to.
        include_partitions: bool = true,
        /// Whether PostgreSQL's own tables are listed, too, where no schema is named.
        include_system: bool = false,
        /// Most rows; all where it is left out.
        limit: Option<Limit>,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "ListTables",
    summary: "Lists tables by schema and name: schema, table, kind, owner, persistence, estimated_rows, \
              partition_of, selectable and comment.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[params::ERRORS],
    example: r#"{"schema": "public", "kinds": ["table", "partitioned_table"]}"#,
    plan: |call| plan(Input::read(call)?),
    resume: None,
};

/// What is told of a table. A command that describes one begins with the same.
pub(crate) fn select(sql: Sql) -> Sql {
    sql.text(r#"SELECT n.nspname AS "schema", c.relname AS "table", "#)
        .text(relation::KIND)
        .text(OWNER)
        .text(relation::ESTIMATED_ROWS)
        .text(PLACE)
}

/// Where the tables of [`select`] come from, with a first condition.
pub(crate) fn from(sql: Sql) -> Sql {
    sql.text(relation::SOURCES).text(relation::IS_TABLE)
}

const OWNER: &str = r#" AS "kind",
  pg_catalog.pg_get_userbyid(c.relowner) AS "owner",
  CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' ELSE 'permanent' END AS "persistence",
  "#;

const PLACE: &str = r#" AS "estimated_rows",
  (SELECT pg_catalog.format('%I.%I', m.nspname, p.relname)
    FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
    JOIN pg_catalog.pg_namespace m ON m.oid = p.relnamespace
    WHERE c.relispartition AND i.inhrelid = c.oid) AS "partition_of",
  pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
    AS "selectable",
  pg_catalog.obj_description(c.oid, 'pg_class') AS "comment""#;

fn plan(input: Input) -> Result<Plan, Failure> {
    let schemas = Schemas {
        named: input.schema,
        include_system: input.include_system,
    };
    let sql = schemas
        .append(from(select(Sql::default())))
        .given(input.pattern, |sql, pattern| {
            relation::like(sql.text(" AND c.relname"), pattern)
        })
        .given(input.kinds, |sql, kinds| {
            sql.text(" AND (")
                .list(kinds.iter(), " OR ", |sql, kind| sql.text(kind.condition()))
                .text(")")
        })
        .when(!input.include_partitions, " AND NOT c.relispartition")
        .text(" ORDER BY n.nspname, c.relname");
    Ok(Plan::read(relation::limit(sql, input.limit)))
}
