//! The plans of all commands, natively: sealed input in, SQL and pointers out.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod plans {
    mod failures;
    pub(super) mod held;
}

use airlock_connector::{Access, Connector as _, Reply, RowShape};
use airlock_postgres_admin::PostgresAdmin;
use plans::held::{plan, resume, shown, statement};
use serde_json::Value;

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
