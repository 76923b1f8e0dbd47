//! ListSchemas: the schemas of a database.

use airlock_connector::params::{self, Parameters as _, Passed};
use airlock_connector::{Access, Failure, Handler, Plan, Sql, parameters};

use crate::relation::{self, Limit};

parameters! {
    /// Which schemas.
    struct Input {
        /// Only schemas whose name matches this LIKE pattern.
        pattern: Option<Passed<String>>,
        /// Whether PostgreSQL's own schemas are listed, too.
        include_system: bool = false,
        /// Most rows; all where it is left out.
        limit: Option<Limit>,
    }
}

pub(crate) const HANDLER: Handler = Handler {
    name: "ListSchemas",
    summary: "Lists schemas by name: schema, owner, system, usable, tables (their number) and comment.",
    access: Access::Read,
    raw: false,
    parameters: params::on_database::<Input>,
    errors: &[params::ERRORS],
    example: r#"{"pattern": "sales%"}"#,
    plan: |call| plan(Input::read(call)?),
    resume: None,
};

fn plan(input: Input) -> Result<Plan, Failure> {
    let sql = Sql::new(SCHEMAS)
        .text(relation::IS_SYSTEM)
        .text(TABLES)
        .text(relation::IS_TABLE)
        .text(SOURCES)
        .when(!input.include_system, " AND NOT ")
        .when(!input.include_system, relation::IS_SYSTEM)
        .given(input.pattern, |sql, pattern| {
            relation::like(sql.text(" AND n.nspname"), pattern)
        })
        .text(" ORDER BY n.nspname");
    Ok(Plan::read(relation::limit(sql, input.limit)))
}

const SCHEMAS: &str = r#"
SELECT n.nspname AS "schema", pg_catalog.pg_get_userbyid(n.nspowner) AS "owner",
  "#;

const TABLES: &str = r#" AS "system",
  pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS "usable",
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND "#;

const SOURCES: &str = r#") AS "tables",
  pg_catalog.obj_description(n.oid, 'pg_namespace') AS "comment"
FROM pg_catalog.pg_namespace n
WHERE true"#;
