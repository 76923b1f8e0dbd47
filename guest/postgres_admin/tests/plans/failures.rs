//! Calls that have no plan.

use super::held::{call, plan};
use airlock_connector::{Connector as _, FailureStage};
use airlock_postgres_admin::PostgresAdmin;
use serde_json::Value;

#[test]
fn failures() {
    use FailureStage::{Parameters, Statement};
    let explained = |statement: &str| format!(r#"{{"statement": {}}}"#, Value::from(statement));
    let refused = [
        "",
        ";",
        "-- SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE t",
        "EXPLAIN SELECT 1",
        "explain (analyze) select 1",
        "(EXPLAIN SELECT 1)",
        "SHOW work_mem",
        "COMMIT",
        "BEGIN; SELECT 1",
        "ROLLBACK",
        "ANALYZE t",
        "(ANALYZE) SELECT 1; SELECT 2",
        "DROP TABLE t",
        "CREATE TABLE t AS SELECT 1",
        "EXECUTE p",
        "DECLARE c CURSOR FOR SELECT 1",
        "COPY t TO STDOUT",
        "DO $$ BEGIN END $$",
        "SET role x",
        "SELECT 'open",
        "SELECT /* open",
        "SELECT $$open",
        "SELECT \"open",
        "SELECT 1\0",
        "SELECT $0",
        "SELECT $99999999999999999999",
    ];
    let mut cases: Vec<(&str, String, &str, &str, FailureStage)> = refused
        .iter()
        .map(|text| {
            (
                "ExplainStatement",
                explained(text),
                "StatementRefused",
                "/statement",
                Statement,
            )
        })
        .collect();
    let long = format!("SELECT '{}'", "x".repeat(1_000_000));
    cases.push((
        "ExplainStatement",
        explained(&long),
        "StatementRefused",
        "/statement",
        Statement,
    ));
    for (command, input, code, pointer, stage) in [
        (
            "ExplainStatement",
            r#"{"statement": "SELECT $1"}"#,
            "ValuesMismatch",
            "/values",
            Statement,
        ),
        (
            "ExplainStatement",
            r#"{"statement": "SELECT '$1'", "values": ["int4"]}"#,
            "ValuesMismatch",
            "/values",
            Statement,
        ),
        (
            "ExplainStatement",
            r#"{"statement": "SELECT 1", "analyze": true}"#,
            "AnalyzeRefused",
            "/analyze",
            Statement,
        ),
        (
            "ExplainStatement",
            r#"{}"#,
            "KeyError",
            "/statement",
            Parameters,
        ),
        (
            "ExplainStatement",
            r#"{"statement": ["SELECT 1"]}"#,
            "TypeError",
            "/statement",
            Parameters,
        ),
        (
            "ExplainStatement",
            r#"{"statement": "SELECT 1", "format": "yaml"}"#,
            "ValueError",
            "/format",
            Parameters,
        ),
        (
            "ExplainStatement",
            r#"{"statement": "SELECT 1", "format": 5}"#,
            "TypeError",
            "/format",
            Parameters,
        ),
        (
            "ExplainStatement",
            r#"{"statement": "SELECT 1", "values": "int4"}"#,
            "TypeError",
            "/values",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"schema": "int4"}"#,
            "TypeError",
            "/schema",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"pattern": "array"}"#,
            "TypeError",
            "/pattern",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"limit": 0}"#,
            "ValueError",
            "/limit",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"limit": 100001}"#,
            "ValueError",
            "/limit",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"limit": 1e300}"#,
            "ValueError",
            "/limit",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"limit": 1.5}"#,
            "ValueError",
            "/limit",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"limit": "10"}"#,
            "TypeError",
            "/limit",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"kinds": []}"#,
            "ValueError",
            "/kinds",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"kinds": "table"}"#,
            "TypeError",
            "/kinds",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"kinds": ["table", "index"]}"#,
            "ValueError",
            "/kinds/1",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"include_system": "yes"}"#,
            "TypeError",
            "/include_system",
            Parameters,
        ),
        (
            "ListTables",
            r#"{"a/b": 1}"#,
            "TypeError",
            "/a~1b",
            Parameters,
        ),
        (
            "DescribeTable",
            r#"{"table": "null"}"#,
            "KeyError",
            "/table",
            Parameters,
        ),
        (
            "DescribeDatabase",
            r#"{"x": 1}"#,
            "TypeError",
            "/x",
            Parameters,
        ),
        (
            "LongRunningQueries",
            r#"{"min_seconds": -1}"#,
            "ValueError",
            "/min_seconds",
            Parameters,
        ),
        (
            "TableSizes",
            r#"{"order": "size"}"#,
            "ValueError",
            "/order",
            Parameters,
        ),
        (
            "Locks",
            r#"{"limit": true}"#,
            "TypeError",
            "/limit",
            Parameters,
        ),
    ] {
        cases.push((command, input.into(), code, pointer, stage));
    }
    for (command, input, code, pointer, stage) in cases {
        let failure = plan(command, &input).expect_err(&input);
        let found = (
            failure.code.as_str(),
            failure.pointer.as_deref(),
            failure.stage,
        );
        assert_eq!(
            found,
            (code, Some(pointer), stage),
            "{input}: {}",
            failure.message
        );
    }
    let unknown = PostgresAdmin::plan(call("DropDatabase", "{}")).unwrap_err();
    assert_eq!(unknown.code, "command_not_found");
    let resumed = PostgresAdmin::resume(call("ListTables", "{}"), vec![], vec![]).unwrap_err();
    assert_eq!(resumed.code, "NotSupportedError");
}
