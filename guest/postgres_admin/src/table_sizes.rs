//! TableSizes: what tables take on the disk.

use airlock_connector::params::{self, Parameters as _, Passed};
use airlock_connector::{Access, Failure, Handler, Plan, Sql, choices, parameters};

use crate::relation::{self, Limit, Schemas};

choices! {
    /// What tables are sorted by.
    enum Order {
        /// All together, the largest first.
        Total = "total",
        /// Rows without what is stored out of line, the largest first.
        Heap = "heap",
        /// Indexes, the largest first.
        Indexes = "indexes",
        /// Values stored out of line, the largest first.
        Toast = "toast",
        /// Schema and name.
        Name = "name",
    }
}

parameters! {
    /// Which tables.
    struct Input {
        /// Only tables of the schema of this name.
        schema: Option<Passed<String>>,
        /// Only tables whose name matches this LIKE pattern.
        pattern: Option<Passed<String>>,
        /// Whether partitions are listed beside the table that they belong to, which counts them already.
        include_partitions: bool = false,
        /// Whether PostgreSQL's own tables are listed, too, where no schema is named.
        include_system: bool = false,
        /// What to sort by; the largest first.
        order: Order = Order::Total,
        /// Most rows; all where it is left out.
        limit: Option<Limit>,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "TableSizes",
    summary: "Tells what tables take on the disk, all partitions of one together: schema, table, kind, \
              estimated_rows, partitions, total_bytes, heap_bytes, indexes_bytes, toast_bytes, and as text total, \
              heap, indexes and toast.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[params::ERRORS],
    example: r#"{"order": "total", "limit": 10}"#,
    plan: |call| plan(Input::read(call)?),
    resume: None,
};

impl Order {
    fn clause(self) -> &'static str {
        match self {
            Order::Total => " ORDER BY s.total DESC, n.nspname, c.relname",
            Order::Heap => " ORDER BY s.heap DESC, n.nspname, c.relname",
            Order::Indexes => " ORDER BY s.indexes DESC, n.nspname, c.relname",
            Order::Toast => " ORDER BY s.toast DESC, n.nspname, c.relname",
            Order::Name => " ORDER BY n.nspname, c.relname",
        }
    }
}

fn plan(input: Input) -> Result<Plan, Failure> {
    let schemas = Schemas {
        named: input.schema,
        include_system: input.include_system,
    };
    let sql = Sql::new(r#"SELECT n.nspname AS "schema", c.relname AS "table", "#)
        .text(relation::KIND)
        .text(r#" AS "kind", "#)
        .text(relation::ESTIMATED_ROWS)
        .text(SIZES);
    let sql = schemas
        .append(sql)
        .given(input.pattern, |sql, pattern| {
            relation::like(sql.text(" AND c.relname"), pattern)
        })
        .when(!input.include_partitions, " AND NOT c.relispartition")
        .text(input.order.clause());
    Ok(Plan::read(relation::limit(sql, input.limit)))
}

/// `t` is a table and all partitions below it: one that has none is not in its own partition tree.
/// `pg_table_size` counts what is stored out of line, and the maps.
const SIZES: &str = r#" AS "estimated_rows", s.partitions AS "partitions",
  s.total AS "total_bytes", s.heap AS "heap_bytes", s.indexes AS "indexes_bytes", s.toast AS "toast_bytes",
  pg_catalog.pg_size_pretty(s.total) AS "total", pg_catalog.pg_size_pretty(s.heap) AS "heap",
  pg_catalog.pg_size_pretty(s.indexes) AS "indexes", pg_catalog.pg_size_pretty(s.toast) AS "toast"
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*) - 1 AS partitions,
    pg_catalog.sum(z.whole + z.indexes)::pg_catalog.int8 AS total,
    pg_catalog.sum(z.whole - z.toast)::pg_catalog.int8 AS heap,
    pg_catalog.sum(z.indexes)::pg_catalog.int8 AS indexes,
    pg_catalog.sum(z.toast)::pg_catalog.int8 AS toast
  FROM (
    SELECT pg_catalog.pg_table_size(t.oid) AS whole, pg_catalog.pg_indexes_size(t.oid) AS indexes,
      CASE WHEN t.reltoastrelid = 0 THEN 0 ELSE pg_catalog.pg_total_relation_size(t.reltoastrelid) END AS toast
    FROM (SELECT c.oid UNION SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) AS p) AS m
    JOIN pg_catalog.pg_class t ON t.oid = m.oid) AS z) AS s
WHERE c.relkind IN ('r', 'p', 'm')"#;
