//! The plans of all commands, natively: sealed input in, SQL and pointers out.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use airlock_connector::{
    Argument, Arguments, Call, Connector as _, Failure, FailureStage, Plan, Reply,
};
use airlock_postgres::Postgres;

/// Whatever fails does so with a code that the manifest lists for the command.
fn plan(command: &str, input: &str) -> Result<Plan, Failure> {
    let planned = Postgres::plan(Call {
        command: command.into(),
        input: input.into(),
    });
    if let Err(failure) = &planned {
        let mut commands = Postgres::describe().commands.into_iter();
        let described = commands.find(|described| described.name == command);
        let errors = described.expect("it is a command").errors;
        assert!(
            errors.iter().any(|error| error.code == failure.code),
            "{command} does not list {}",
            failure.code
        );
    }
    planned
}

/// The plan as lines: each statement, then its arguments.
fn shown(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for statement in &plan.statements {
        lines.push(statement.sql.clone());
        match &statement.arguments {
            Arguments::None => {}
            Arguments::Once(arguments) => {
                lines.extend(arguments.iter().map(|argument| match argument {
                    Argument::Input(pointer) => format!("  {pointer}"),
                    Argument::Literal(text) => format!("  literal {text}"),
                }))
            }
            Arguments::Each(batch) => {
                lines.push(format!("  each {} of {}", batch.width, batch.rows))
            }
        }
    }
    lines.join("\n")
}

#[test]
fn plans() {
    for (command, input, expected) in [
        (
            "CreateTableV2",
            r#"{"table_name": "S.Users", "schema": {"column_definitions": [{"name": "Id", "type": "serial PRIMARY KEY"}, {"name": "\"N\"", "type": "text"}]}}"#,
            r#"CREATE TABLE IF NOT EXISTS "s"."users" ("id" "serial" primary key, "N" "text")"#,
        ),
        (
            "CreateTableV2",
            r#"{"table_name": "t", "schema": {"column_definitions": [{"name": "a", "type": "int"}, {"name": "PRIMARY", "type": "KEY (a)"}], "if_not_exists": false}}"#,
            r#"CREATE TABLE "t" ("a" int, primary key ("a"))"#,
        ),
        (
            "DropTableV2",
            r#"{"table_name": "a, b"}"#,
            r#"DROP TABLE IF EXISTS "a", "b""#,
        ),
        (
            "DropTableV2",
            r#"{"table_name": "t", "schema": {"cascade": true, "if_exists": false}}"#,
            r#"DROP TABLE "t" CASCADE"#,
        ),
        (
            "InsertValuesV2",
            r#"{"table_name": "t", "schema": {"columns": ["a", "B"], "values": "array"}}"#,
            "INSERT INTO \"t\" (\"a\", \"b\") VALUES ($1, $2)\n  each 2 of /schema/values",
        ),
        (
            "InsertValuesV2",
            r#"{"table_name": "t", "schema": {"columns": ["a"], "values": "array", "on_conflict": {"columns": ["a"], "update": ["a"]}, "returning": ["*"]}}"#,
            "INSERT INTO \"t\" (\"a\") VALUES ($1) ON CONFLICT (\"a\") DO UPDATE SET \"a\" = EXCLUDED.\"a\" RETURNING *\n  each 1 of /schema/values",
        ),
        (
            "SelectValuesV2",
            r#"{"table_name": "t", "schema": {"columns": ["a", "count(*) AS n"], "where": [["a", "=", "int4"], {"or": [["b", "IS NULL"], ["b", "IN", "array"]]}], "order_by": ["a DESC"], "limit": "int4"}}"#,
            "SELECT \"a\", count(*) as \"n\" FROM \"t\" WHERE \"a\" = $1 AND (\"b\" IS NULL OR \"b\" = ANY($2)) ORDER BY \"a\" desc LIMIT $3\n  /schema/where/0/2\n  /schema/where/1/or/1/2\n  /schema/limit",
        ),
        (
            "UpdateValuesV2",
            r#"{"table_name": "t", "schema": {"set": {"b/c": "int4"}, "where": [["a", "BETWEEN", "array"]]}}"#,
            "",
        ),
        (
            "UpdateValuesV2",
            r#"{"table_name": "t", "schema": {"set": {"\"b/c\"": "int4"}, "where": [["a", "BETWEEN", "array"]]}}"#,
            "UPDATE \"t\" SET \"b/c\" = $1 WHERE \"a\" BETWEEN $2 AND $3\n  /schema/set/\"b~1c\"\n  /schema/where/0/2/0\n  /schema/where/0/2/1",
        ),
        (
            "UpdateValuesV2",
            r#"{"table_name": "t", "schema": {"columns": ["b"], "values": ["string"]}}"#,
            "UPDATE \"t\" SET \"b\" = $1\n  /schema/values/0",
        ),
        (
            "DeleteValuesV2",
            r#"{"table_name": "t", "schema": {}}"#,
            r#"DELETE FROM "t""#,
        ),
        (
            "DoSQL",
            r#"{"schema": {"sql": "BEGIN READ ONLY; SELECT '%s', %s; SELECT %s -- ; %s\n; COMMIT", "values": ["int4", "string"]}}"#,
            "SET TRANSACTION READ ONLY\nSELECT '%s', $1\n  /schema/values/0\nSELECT $1\n  /schema/values/1",
        ),
        (
            "DoSQL",
            r#"{"schema": {"sql": "SELECT %(a)s, %(a)s, 5 %% 2", "values": {"a": "int4"}}}"#,
            "SELECT $1, $2, 5 % 2\n  /schema/values/a\n  /schema/values/a",
        ),
    ] {
        match (plan(command, input), expected) {
            (Ok(plan), expected) if !expected.is_empty() => {
                assert_eq!(shown(&plan), expected, "{input}")
            }
            (Err(failure), "") => assert_eq!(failure.code, "SyntaxError", "{input}"),
            (other, _) => panic!("{input}: {other:?}"),
        }
    }
    let begin = plan("DoSQL", r#"{"schema": {"sql": "BEGIN; COMMIT"}}"#).unwrap();
    assert_eq!(
        (begin.statements.len(), begin.reply),
        (0, Reply::Json(r#"{"result": "ok"}"#.into()))
    );
}

#[test]
fn failures() {
    use FailureStage::{Parameters, Statement};
    for (command, input, code, pointer, stage) in [
        (
            "SelectValuesV2",
            r#"{"table_name": "t", "schema": "null"}"#,
            "TypeError",
            "/schema",
            Parameters,
        ),
        (
            "DeleteValuesV2",
            r#"{"table_name": "t", "schema": "null"}"#,
            "AttributeError",
            "/schema",
            Parameters,
        ),
        (
            "SelectValuesV2",
            r#"{"table_name": "t", "schema": {}}"#,
            "KeyError",
            "/schema",
            Parameters,
        ),
        (
            "SelectValuesV2",
            r#"{"table_name": "t", "schema": {"columns": ["a; b"]}}"#,
            "SyntaxError",
            "/schema/columns/0",
            Parameters,
        ),
        (
            "SelectValuesV2",
            r#"{"table_name": "t;", "schema": {"columns": ["a"]}}"#,
            "SyntaxError",
            "/table_name",
            Parameters,
        ),
        (
            "SelectValuesV2",
            r#"{"table_name": "t", "schema": {"columns": ["a"], "where": [["a", "=="  , "int4"]]}}"#,
            "Exception",
            "/schema/where/0/1",
            Parameters,
        ),
        (
            "SelectValuesV2",
            r#"{"table_name": "t", "schema": {"columns": ["a"], "where": [["a"]]}}"#,
            "ValueError",
            "/schema/where/0",
            Parameters,
        ),
        (
            "InsertValuesV2",
            r#"{"table_name": "t", "schema": {"columns": ["a"], "values": "null"}}"#,
            "TypeError",
            "/schema/values",
            Statement,
        ),
        (
            "InsertValuesV2",
            r#"{"table_name": "t", "schema": {"columns": [], "values": "array"}}"#,
            "SyntaxError",
            "/schema/columns",
            Statement,
        ),
        (
            "UpdateValuesV2",
            r#"{"table_name": "t", "schema": {"set": {}}}"#,
            "ValueError",
            "/schema/set",
            Parameters,
        ),
        (
            "UpdateValuesV2",
            r#"{"table_name": "t", "schema": {"set": "null"}}"#,
            "AttributeError",
            "/schema/set",
            Parameters,
        ),
        (
            "UpdateValuesV2",
            r#"{"table_name": "t", "schema": {}}"#,
            "KeyError",
            "/schema",
            Parameters,
        ),
        (
            "UpdateValuesV2",
            r#"{"table_name": "t", "schema": {"columns": ["a"], "values": []}}"#,
            "ValueError",
            "/schema/values",
            Parameters,
        ),
        (
            "DoSQL",
            r#"{"schema": {}}"#,
            "KeyError",
            "/schema",
            Parameters,
        ),
        (
            "DoSQL",
            r#"{"schema": {"sql": " ; -- x"}}"#,
            "ProgrammingError",
            "/schema/sql",
            Statement,
        ),
        (
            "DoSQL",
            r#"{"schema": {"sql": ["SELECT 1"]}}"#,
            "TypeError",
            "/schema/sql",
            Statement,
        ),
        (
            "DoSQL",
            r#"{"schema": {"sql": "SELECT %s"}}"#,
            "IndexError",
            "/schema/values",
            Statement,
        ),
        (
            "DoSQL",
            r#"{"schema": {"sql": "SELECT %s", "values": ["int4", "int4"]}}"#,
            "TypeError",
            "/schema/values",
            Statement,
        ),
        (
            "DoSQL",
            r#"{"schema": {"sql": "SELECT %d", "values": ["int4"]}}"#,
            "ValueError",
            "/schema/sql",
            Statement,
        ),
        (
            "DoSQL",
            r#"{"schema": {"sql": "SELECT $1", "values": ["int4"]}}"#,
            "UndefinedParameter",
            "/schema/sql",
            Statement,
        ),
        (
            "DoSQL",
            r#"{"schema": {"sql": "SELECT 1; ROLLBACK"}}"#,
            "InvalidTransactionTermination",
            "/schema/sql",
            Statement,
        ),
    ] {
        let failure = plan(command, input).expect_err(input);
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
}

#[test]
fn every_command_plans_its_own_example() {
    for command in Postgres::describe().commands {
        // The examples hold values where a call would have them sealed.
        let sealed = command
            .example
            .replace("[[\"Ann\", \"ann@example.com\"]]", "\"array\"");
        let sealed = sealed
            .replace("5]", "\"int4\"]")
            .replace("10]", "\"int4\"]");
        let sealed = sealed
            .replace("\"ann@example.org\"", "\"string\"")
            .replace("\"ann@example.com\"]", "\"string\"]");
        assert!(
            plan(&command.name, &sealed).is_ok(),
            "{}: {:?}",
            command.name,
            plan(&command.name, &sealed)
        );
    }
}
