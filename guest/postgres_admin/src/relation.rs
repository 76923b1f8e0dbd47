//! What several commands know about relations and the schemas that they are in.
//!
//! Throughout, `c` is the row of a relation in `pg_class` and `n` that of its schema.

use airlock_connector::params::{Integer, Passed};
use airlock_connector::{Sql, choices};

choices! {
    /// What can be read like a table.
    pub(crate) enum RelationKind {
        /// An ordinary table, or a partition that is one.
        Table = "table",
        /// A table that is divided into partitions.
        PartitionedTable = "partitioned_table",
        /// A view.
        View = "view",
        /// A view whose rows are stored.
        MaterializedView = "materialized_view",
        /// A table of another server.
        ForeignTable = "foreign_table",
    }
}

/// Most rows of a reply, where a call wants fewer than all.
pub(crate) type Limit = Integer<1, 100_000>;

/// Relations and their schemas; a condition comes next.
pub(crate) const SOURCES: &str = "
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE ";

/// The condition that the relation is one of [`RelationKind`].
pub(crate) const IS_TABLE: &str = "c.relkind IN ('r', 'p', 'v', 'm', 'f')";

/// The word of [`RelationKind`].
pub(crate) const KIND: &str = "\
CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned_table' WHEN 'v' THEN 'view' \
WHEN 'm' THEN 'materialized_view' WHEN 'f' THEN 'foreign_table' END";

/// How many rows the planner takes it to have; null where nobody has counted.
pub(crate) const ESTIMATED_ROWS: &str = "\
CASE WHEN c.relkind <> 'v' AND c.reltuples >= 0 THEN c.reltuples::pg_catalog.int8 END";

/// Whether the schema is one of PostgreSQL's own. `pg_` cannot begin other names.
pub(crate) const IS_SYSTEM: &str = "\
(n.nspname = 'information_schema' OR pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_'))";

impl RelationKind {
    /// The condition that the relation is of this kind.
    pub(crate) fn condition(self) -> &'static str {
        match self {
            RelationKind::Table => "c.relkind = 'r'",
            RelationKind::PartitionedTable => "c.relkind = 'p'",
            RelationKind::View => "c.relkind = 'v'",
            RelationKind::MaterializedView => "c.relkind = 'm'",
            RelationKind::ForeignTable => "c.relkind = 'f'",
        }
    }
}

/// Which schemas a command is about.
#[derive(Debug)]
pub(crate) struct Schemas {
    /// This one, whatever it is.
    pub(crate) named: Option<Passed<String>>,
    /// Without a name: those of PostgreSQL, too.
    pub(crate) include_system: bool,
}

impl Schemas {
    /// Appends the condition, behind others.
    pub(crate) fn append(self, sql: Sql) -> Sql {
        match self.named {
            Some(schema) => equals(sql.text(" AND n.nspname"), schema),
            None => sql
                .when(!self.include_system, " AND NOT ")
                .when(!self.include_system, IS_SYSTEM),
        }
    }
}

/// Appends ` = $n`. As text: a parameter of the type `name` would cut what is too long for a name, and
/// find another one.
pub(crate) fn equals(sql: Sql, name: Passed<String>) -> Sql {
    sql.text(" = ").argument(name).text("::pg_catalog.text")
}

/// Appends ` LIKE $n`.
pub(crate) fn like(sql: Sql, pattern: Passed<String>) -> Sql {
    sql.text(" LIKE ")
        .argument(pattern)
        .text("::pg_catalog.text")
}

/// Appends ` LIMIT $n` where there is one.
pub(crate) fn limit(sql: Sql, limit: Option<Limit>) -> Sql {
    sql.given(limit, |sql, limit| sql.text(" LIMIT ").argument(limit))
}
