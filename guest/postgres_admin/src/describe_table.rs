//! DescribeTable: everything about one table, in two rounds.
//!
//! The first round looks the name up. What is told of a table depends on what it is: a view has a
//! definition and no constraints, a partitioned table has partitions. So the second round is planned
//! when the kind is known.

use airlock_connector::params::{self, Parameters as _, Passed};
use airlock_connector::{Access, Argument, Failure, Handler, Outcome, Plan, Sql, parameters};

use crate::errors::{TABLE_AMBIGUOUS, TABLE_NOT_FOUND};
use crate::relation::{self, Schemas};
use crate::{list_columns, list_constraints, list_indexes, list_tables};

parameters! {
    /// Which table.
    struct Input {
        /// Name of the table or view, as the catalog stores it.
        table: Passed<String>,
        /// Name of its schema; may be left out where no other schema has a table of this name.
        schema: Option<Passed<String>>,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "DescribeTable",
    summary: "Describes one table: what ListTables tells, and definition, partition_key, partition_bound, \
              server, columns, indexes, constraints and partitions.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[
        params::ERRORS,
        &[
            TABLE_NOT_FOUND,
            TABLE_AMBIGUOUS,
            airlock_connector::outcome::UNEXPECTED_OUTCOME,
        ],
    ],
    example: r#"{"schema": "public", "table": "users"}"#,
    plan: |call| find(Input::read(call)?),
    resume: Some(|_, _, outcomes| describe(outcomes)),
};

/// Most schemas that a message names.
const NAMED_SCHEMAS: &str = " ORDER BY n.nspname LIMIT 9";

fn find(input: Input) -> Result<Plan, Failure> {
    let schemas = Schemas {
        named: input.schema,
        include_system: false,
    };
    let sql = Sql::new("SELECT c.oid::pg_catalog.int8, c.relkind, n.nspname");
    let sql = relation::equals(list_tables::from(sql).text(" AND c.relname"), input.table);
    Ok(Plan::ask(schemas.append(sql).text(NAMED_SCHEMAS), ""))
}

fn describe(outcomes: &[Outcome]) -> Result<Plan, Failure> {
    let found: Vec<(u32, char, String)> = Outcome::only(outcomes)?;
    match found.as_slice() {
        [] => Err(TABLE_NOT_FOUND
            .failure(
                "no table or view has this name; names are compared as the catalog stores them",
            )
            .at("/table")),
        [(oid, kind, _)] => Ok(Plan::read(everything(&Table {
            oid: *oid,
            kind: *kind,
        }))),
        several => {
            let schemas: Vec<_> = several
                .iter()
                .map(|(_, _, schema)| schema.as_str())
                .collect();
            let message = format!("give schema as well, one of {}", schemas.join(", "));
            Err(TABLE_AMBIGUOUS.failure(message).at("/table"))
        }
    }
}

/// A query with a first condition, and how its rows are sorted.
type Query = (fn(Sql) -> Sql, &'static str);

/// A table that was found.
struct Table {
    oid: u32,
    /// `relkind` in the catalog.
    kind: char,
}

impl Table {
    fn is(&self, kinds: &[char]) -> bool {
        kinds.contains(&self.kind)
    }

    /// Appends ` AND c.oid = $n`.
    fn only(&self, sql: Sql) -> Sql {
        let oid = Argument::Literal(self.oid.to_string());
        sql.text(" AND c.oid = ")
            .argument(oid)
            .text("::pg_catalog.oid")
    }

    /// Appends the rows of a query, as far as they are about this table, as a list; an empty one where a
    /// table of its kind, which is none of `kinds`, has none.
    fn list(&self, sql: Sql, kinds: &[char], (select, order): Query) -> Sql {
        if !self.is(kinds) {
            return sql.text(", '[]'::pg_catalog.json");
        }
        let sql = sql.text(", (SELECT coalesce(pg_catalog.json_agg(q), '[]') FROM (");
        self.only(select(sql)).text(order).text(") AS q)")
    }
}

fn everything(table: &Table) -> Sql {
    let definition = match table.is(&['v', 'm']) {
        true => ", pg_catalog.pg_get_viewdef(c.oid)",
        false => ", NULL::pg_catalog.text",
    };
    let partition_key = match table.is(&['p']) {
        true => ", pg_catalog.pg_get_partkeydef(c.oid)",
        false => ", NULL::pg_catalog.text",
    };
    let server = match table.is(&['f']) {
        true => SERVER,
        false => ", NULL::pg_catalog.name",
    };
    let sql = list_tables::select(Sql::default())
        .text(definition)
        .text(r#" AS "definition""#)
        .text(partition_key)
        .text(r#" AS "partition_key""#)
        .text(r#", pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS "partition_bound""#)
        .text(server)
        .text(r#" AS "server""#);
    let columns = (list_columns::select as _, list_columns::ORDER);
    let indexes = (list_indexes::select as _, list_indexes::ORDER);
    let constraints = (list_constraints::select as _, list_constraints::ORDER);
    let partitions = (partitions as _, " ORDER BY m.nspname, p.relname");
    let sql = table.list(sql, &['r', 'p', 'v', 'm', 'f'], columns);
    let sql = table.list(sql.text(r#" AS "columns""#), &['r', 'p', 'm'], indexes);
    let sql = table.list(sql.text(r#" AS "indexes""#), &['r', 'p', 'f'], constraints);
    let sql = table.list(sql.text(r#" AS "constraints""#), &['p'], partitions);
    table.only(list_tables::from(sql.text(r#" AS "partitions""#)))
}

const SERVER: &str = ",
  (SELECT s.srvname FROM pg_catalog.pg_foreign_table t
    JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver WHERE t.ftrelid = c.oid)";

/// Partitions right below a partitioned table, with a first condition.
fn partitions(sql: Sql) -> Sql {
    sql.text(PARTITIONS)
}

const PARTITIONS: &str = r#"
SELECT m.nspname AS "schema", p.relname AS "table", p.relkind = 'p' AS "partitioned",
  pg_catalog.pg_get_expr(p.relpartbound, p.oid) AS "partition_bound"
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid
JOIN pg_catalog.pg_class p ON p.oid = i.inhrelid
JOIN pg_catalog.pg_namespace m ON m.oid = p.relnamespace
WHERE true"#;
