//! The plans of all commands, natively: sealed input in, SQL and pointers out.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_connector::statements::Class;
use airlock_connector::{
    Access, Argument, Arguments, Call, Connector as _, Failure, FailureStage, Outcome, Plan, Reply,
    RowShape, lex,
};
use airlock_postgres_admin::PostgresAdmin;
use serde_json::Value;

fn call(command: &str, input: &str) -> Call {
    Call {
        command: command.into(),
        input: input.into(),
    }
}

/// Whatever fails does so with a code that the manifest lists for the command, and what is planned keeps to
/// what it says of itself.
fn held(command: &str, input: &str, result: Result<Plan, Failure>) -> Result<Plan, Failure> {
    let described = PostgresAdmin::describe();
    let described = described.commands.iter().find(|c| c.name == command);
    match &result {
        Err(failure) => {
            let mut codes = described.unwrap().errors.iter().map(|error| &error.code);
            assert!(
                codes.any(|code| *code == failure.code),
                "{command}: {failure:?}"
            );
        }
        Ok(plan) => {
            let input: Value = serde_json::from_str(input).unwrap();
            for statement in &plan.statements {
                assert_eq!(statement.access, Access::Read, "{command}");
                let words = lex::words(&statement.sql);
                assert!(matches!(Class::of(&words), Class::Rows | Class::Describe));
                for pointer in pointers(&statement.arguments) {
                    assert!(input.pointer(&pointer).is_some(), "{command}: {pointer}");
                }
            }
        }
    }
    result
}

fn plan(command: &str, input: &str) -> Result<Plan, Failure> {
    held(command, input, PostgresAdmin::plan(call(command, input)))
}

fn resume(command: &str, input: &str, rows: &str) -> Result<Plan, Failure> {
    let Reply::Resume(state) = plan(command, input).unwrap().reply else {
        panic!("{command} asks nothing");
    };
    let outcome = Outcome {
        columns: vec![],
        rows: rows.into(),
        affected: 0,
    };
    let result = PostgresAdmin::resume(call(command, input), state, vec![outcome]);
    held(command, input, result)
}

fn pointers(arguments: &Arguments) -> Vec<String> {
    shown(arguments)
        .into_iter()
        .filter(|argument| argument.starts_with('/'))
        .collect()
}

/// Pointers, and literals as they are.
fn shown(arguments: &Arguments) -> Vec<String> {
    match arguments {
        Arguments::None => vec![],
        Arguments::Once(arguments) => arguments
            .iter()
            .map(|argument| match argument {
                Argument::Input(text) | Argument::Literal(text) => text.clone(),
            })
            .collect(),
        Arguments::Each(_) => panic!("nothing here is a batch"),
    }
}

/// The only statement: what stands behind its last FROM of the outermost query, and the arguments.
fn statement(plan: &Plan) -> (&str, Vec<String>) {
    let [statement] = plan.statements.as_slice() else {
        panic!("{plan:?}");
    };
    (&statement.sql, shown(&statement.arguments))
}

#[test]
fn filters_become_conditions_and_pointers() {
    let system = "NOT (n.nspname = 'information_schema' OR pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_'))";
    for (command, input, ending, arguments) in [
        (
            "ListSchemas",
            r#"{"pattern": "string", "limit": 5}"#,
            format!("WHERE true AND {system} AND n.nspname LIKE $1::pg_catalog.text ORDER BY n.nspname LIMIT $2"),
            vec!["/pattern", "5"],
        ),
        (
            "ListSchemas",
            r#"{"pattern": "null", "include_system": true, "limit": null}"#,
            "WHERE true ORDER BY n.nspname".into(),
            vec![],
        ),
        (
            "ListTables",
            r#"{"schema": "string", "pattern": "string", "kinds": ["view", "table"], "include_partitions": false}"#,
            "AND n.nspname = $1::pg_catalog.text AND c.relname LIKE $2::pg_catalog.text \
             AND (c.relkind = 'v' OR c.relkind = 'r') AND NOT c.relispartition ORDER BY n.nspname, c.relname"
                .into(),
            vec!["/schema", "/pattern"],
        ),
        (
            "ListColumns",
            r#"{"table": "string"}"#,
            format!("AND {system} AND c.relname = $1::pg_catalog.text ORDER BY n.nspname, c.relname, a.attnum"),
            vec!["/table"],
        ),
        (
            "ListIndexes",
            r#"{"schema": "string", "limit": 1.0}"#,
            "AND n.nspname = $1::pg_catalog.text ORDER BY n.nspname, c.relname, i.relname LIMIT $2".into(),
            vec!["/schema", "1"],
        ),
        (
            "ListConstraints",
            r#"{"kinds": ["check"], "include_system": true}"#,
            "AND (k.contype = 'c') ORDER BY n.nspname, c.relname, k.conname".into(),
            vec![],
        ),
        (
            "TableSizes",
            r#"{"order": "toast", "limit": 3}"#,
            format!("AND {system} AND NOT c.relispartition ORDER BY s.toast DESC, n.nspname, c.relname LIMIT $1"),
            vec!["3"],
        ),
        (
            "LongRunningQueries",
            r#"{"states": ["active"], "user": "string", "application_name": "string", "all_databases": true}"#,
            "(d.seconds >= $1 AND (a.state = 'active')) AND a.usename = $2::pg_catalog.text \
             AND a.application_name LIKE $3::pg_catalog.text ORDER BY d.seconds DESC NULLS LAST, a.pid"
                .into(),
            vec!["60", "/user", "/application_name"],
        ),
    ] {
        let plan = plan(command, input).unwrap();
        let (sql, found) = statement(&plan);
        assert!(sql.ends_with(&ending), "{input}: {sql}");
        assert_eq!(found, arguments, "{input}");
        assert_eq!(plan.reply, Reply::Rows(RowShape::Objects));
    }
}

/// Everything in a plan comes from the shape of the call, so what the host knows of one is good for all.
#[test]
fn a_limit_is_bound_not_written() {
    let sql = |input| {
        let plan = plan("ListTables", input).unwrap();
        plan.statements[0].sql.clone()
    };
    assert_eq!(sql(r#"{"limit": 1}"#), sql(r#"{"limit": 100000}"#));
    assert_eq!(
        plan("ListTables", r#"{"schema": "string"}"#),
        plan(
            "ListTables",
            r#"{"schema": "string", "limit": null, "kinds": null}"#
        )
    );
}

#[test]
fn a_statement_is_explained_not_run() {
    for (input, expected, arguments) in [
        (
            r#"{"statement": " ; SELECT 1; -- all\n"}"#,
            "EXPLAIN (FORMAT JSON) SELECT 1",
            vec![],
        ),
        (
            r#"{"statement": "SELECT ';' /* ; */ WHERE $2 = $1", "values": ["int4", "null"], "format": "text", "verbose": true, "costs": false, "settings": true}"#,
            "EXPLAIN (FORMAT TEXT, VERBOSE, COSTS false, SETTINGS) SELECT ';' /* ; */ WHERE $2 = $1",
            vec!["/values/0", "/values/1"],
        ),
        (
            r#"{"statement": "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "analyze": false}"#,
            "EXPLAIN (FORMAT JSON) WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
            vec![],
        ),
    ] {
        let plan = plan("ExplainStatement", input).unwrap();
        let (sql, found) = statement(&plan);
        assert_eq!(
            (sql, found),
            (
                expected,
                arguments.iter().map(ToString::to_string).collect()
            )
        );
    }
    let json = resume(
        "ExplainStatement",
        r#"{"statement": "TABLE t"}"#,
        r#"[[[{"Plan": {"Z": 1.50, "A": 1}}]]]"#,
    );
    assert_eq!(
        json.unwrap().reply,
        Reply::Json(r#"[{"format":"json","plan":[{"Plan": {"Z": 1.50, "A": 1}}]}]"#.into())
    );
    let text = resume(
        "ExplainStatement",
        r#"{"statement": "TABLE t", "format": "text"}"#,
        r#"[["Seq \"Scan\""], ["  Filter"]]"#,
    );
    assert_eq!(
        text.unwrap().reply,
        Reply::Json(r#"[{"format":"text","plan":"Seq \"Scan\"\n  Filter"}]"#.into())
    );
}

#[test]
fn locks_go_by_what_the_server_knows() {
    let sql = |version: u32| {
        let plan = resume("Locks", r#"{"limit": 7}"#, &format!("[[{version}]]")).unwrap();
        assert_eq!(shown(&plan.statements[0].arguments), ["0", "7"]);
        plan.statements[0].sql.clone()
    };
    assert!(!sql(130_022).contains("waitstart"));
    assert!(sql(140_000).contains("coalesce(l.waitstart, w.query_start)"));
    assert_eq!(sql(150_018), sql(180_000));
}

#[test]
fn a_table_is_described_by_its_kind() {
    let input = r#"{"table": "string"}"#;
    let described = |kind: &str| {
        let rows = format!(r#"[[4294967295, "{kind}", "public"]]"#);
        let plan = resume("DescribeTable", input, &rows).unwrap();
        let arguments = shown(&plan.statements[0].arguments);
        assert!(arguments.iter().all(|argument| argument == "4294967295"));
        plan.statements[0].sql.clone()
    };
    for (kind, definition, key, server, indexes, constraints, partitions) in [
        ("r", false, false, false, true, true, false),
        ("p", false, true, false, true, true, true),
        ("v", true, false, false, false, false, false),
        ("m", true, false, false, true, false, false),
        ("f", false, false, true, false, true, false),
    ] {
        let sql = described(kind);
        for (word, expected) in [
            ("pg_get_viewdef", definition),
            ("pg_get_partkeydef", key),
            ("pg_foreign_server", server),
            ("pg_catalog.pg_index ", indexes),
            ("pg_get_constraintdef", constraints),
            (
                "pg_catalog.json_agg(q), '[]') FROM (\nSELECT m.nspname",
                partitions,
            ),
        ] {
            assert_eq!(sql.contains(word), expected, "{kind}: {word} in {sql}");
        }
    }
    for (rows, code, message) in [
        ("[]", "TableNotFound", "no table"),
        (
            r#"[[1, "r", "a"], [2, "v", "b"]]"#,
            "TableAmbiguous",
            "one of a, b",
        ),
        (r#"[["x"]]"#, "UnexpectedOutcome", "does not know"),
    ] {
        let failure = resume("DescribeTable", input, rows).unwrap_err();
        assert_eq!(failure.code, code);
        assert!(failure.message.contains(message), "{}", failure.message);
    }
}

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

#[test]
fn every_command_plans_its_own_example() {
    let manifest = PostgresAdmin::describe();
    assert_eq!(
        (manifest.name.as_str(), manifest.commands.len()),
        ("postgres_admin", 11)
    );
    for command in manifest.commands {
        assert_eq!(command.access, Access::Read);
        assert_eq!(command.raw, command.name == "ExplainStatement");
        let mut example: Value = serde_json::from_str(&command.example).unwrap();
        // As the host seals it.
        for parameter in &command.parameters {
            let Some(value) = example.get_mut(&parameter.name) else {
                continue;
            };
            match parameter.sealed.as_slice() {
                [] => {}
                [whole] if whole.is_empty() => *value = "string".into(),
                [elements] if elements == "/*" => value[0] = "int4".into(),
                other => panic!("{other:?}"),
            }
        }
        plan(&command.name, &example.to_string()).unwrap();
    }
}

/// The names of the columns are the keys of replies, and the summary lists them.
#[test]
fn summaries_list_the_keys_of_replies() {
    let manifest = PostgresAdmin::describe();
    for (command, plan) in [
        ("ListSchemas", plan("ListSchemas", "{}")),
        ("ListTables", plan("ListTables", "{}")),
        ("ListColumns", plan("ListColumns", "{}")),
        ("ListIndexes", plan("ListIndexes", "{}")),
        ("ListConstraints", plan("ListConstraints", "{}")),
        ("DescribeDatabase", plan("DescribeDatabase", "{}")),
        ("TableSizes", plan("TableSizes", "{}")),
        ("LongRunningQueries", plan("LongRunningQueries", "{}")),
        ("Locks", resume("Locks", "{}", "[[150000]]")),
    ] {
        let plan = plan.unwrap();
        let (sql, _) = statement(&plan);
        let keys: Vec<_> = sql
            .split(" AS \"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        let described = manifest
            .commands
            .iter()
            .find(|c| c.name == command)
            .unwrap();
        let listed: Vec<_> = described
            .summary
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .collect();
        for key in keys {
            assert!(listed.contains(&key), "{command} does not list {key}");
        }
    }
}
