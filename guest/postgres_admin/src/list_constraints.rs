//! ListConstraints: keys, checks and exclusions of tables.

use airlock_connector::params::{self, List, Parameters as _, Passed};
use airlock_connector::{Access, Failure, Handler, Plan, Sql, choices, parameters};

use crate::relation::{self, Limit, Schemas};

choices! {
    /// What a constraint is.
    enum ConstraintKind {
        /// PRIMARY KEY
        PrimaryKey = "primary_key",
        /// UNIQUE
        Unique = "unique",
        /// FOREIGN KEY
        ForeignKey = "foreign_key",
        /// CHECK
        Check = "check",
        /// EXCLUDE
        Exclusion = "exclusion",
    }
}

parameters! {
    /// Which constraints.
    struct Input {
        /// Only constraints of tables in the schema of this name.
        schema: Option<Passed<String>>,
        /// Only constraints of tables of this name.
        table: Option<Passed<String>>,
        /// Only constraints of these kinds.
        kinds: Option<List<ConstraintKind, 1, 5>>,
        /// Whether constraints of PostgreSQL's own tables are listed, too, where no schema is named.
        include_system: bool = false,
        /// Most rows; all where it is left out.
        limit: Option<Limit>,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "ListConstraints",
    summary: "Lists constraints by schema, table and name: schema, table, constraint, kind, columns, \
              references, deferrable, deferred, validated, definition and comment.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[params::ERRORS],
    example: r#"{"schema": "public", "kinds": ["foreign_key"]}"#,
    plan: |call| plan(Input::read(call)?),
    resume: None,
};

impl ConstraintKind {
    fn condition(self) -> &'static str {
        match self {
            ConstraintKind::PrimaryKey => "k.contype = 'p'",
            ConstraintKind::Unique => "k.contype = 'u'",
            ConstraintKind::ForeignKey => "k.contype = 'f'",
            ConstraintKind::Check => "k.contype = 'c'",
            ConstraintKind::Exclusion => "k.contype = 'x'",
        }
    }
}

/// A foreign key to a partitioned table has a row for each partition as well. Nobody wrote those.
pub(crate) const IS_OWN: &str = "\
NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o WHERE o.oid = k.conparentid AND o.conrelid = k.conrelid)";

/// Constraints of tables, with a first condition. `k` is the row of a constraint in `pg_constraint`.
pub(crate) fn select(sql: Sql) -> Sql {
    sql.text(CONSTRAINTS)
        .text(IS_OWN)
        .text(" AND ")
        .text(relation::IS_TABLE)
}

const CONSTRAINTS: &str = r#"
SELECT n.nspname AS "schema", c.relname AS "table", k.conname AS "constraint",
  CASE k.contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign_key'
    WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclusion' END AS "kind",
  (SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY p.place), '[]')
    FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS p (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number) AS "columns",
  (SELECT pg_catalog.json_build_object('schema', m.nspname, 'table', f.relname, 'columns',
      (SELECT pg_catalog.json_agg(a.attname ORDER BY p.place)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS p (number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.number))
    FROM pg_catalog.pg_class f JOIN pg_catalog.pg_namespace m ON m.oid = f.relnamespace
    WHERE f.oid = k.confrelid) AS "references",
  k.condeferrable AS "deferrable", k.condeferred AS "deferred", k.convalidated AS "validated",
  pg_catalog.pg_get_constraintdef(k.oid) AS "definition",
  pg_catalog.obj_description(k.oid, 'pg_constraint') AS "comment"
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND "#;

/// How they are sorted.
pub(crate) const ORDER: &str = " ORDER BY n.nspname, c.relname, k.conname";

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
        .given(input.kinds, |sql, kinds| {
            sql.text(" AND (")
                .list(kinds.iter(), " OR ", |sql, kind| sql.text(kind.condition()))
                .text(")")
        })
        .text(ORDER);
    Ok(Plan::read(relation::limit(sql, input.limit)))
}
