//! Hostile names, expressions, operators and types: each is refused or harmless. The system
//! catalogs and the data are the same before and after.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_tests::{Database, Server};
use serde_json::{Value, json};
use tokio_postgres::SimpleQueryMessage;

/// Texts that try to become SQL, wherever a name or an expression goes.
const HOSTILE: &[&str] = &[
    "victim; DROP TABLE victim",
    "victim; DROP TABLE victim; --",
    "victim;DELETE FROM victim",
    "victim -- ",
    "victim /* */",
    "victim/**/; DROP TABLE victim",
    "victim) ; DROP TABLE victim; --",
    "victim'; DROP TABLE victim; --",
    "victim\"; DROP TABLE victim; --",
    "\"victim\"; DROP TABLE victim; --",
    "\"victim\"\"; DROP TABLE victim; --",
    "\"victim\" WHERE id=1; --",
    "victim WHERE true; UPDATE victim SET name='pwned'; --",
    "victim SET name='pwned' WHERE id=3; --",
    "victim SET name='pwned'",
    "victim USING victim v2",
    "victim RETURNING *",
    "victim UNION SELECT 1",
    "(SELECT 1)",
    "(DELETE FROM victim RETURNING id)",
    "(WITH x AS (DELETE FROM victim RETURNING 1) SELECT * FROM x) q",
    "(SELECT pg_terminate_backend(pid) FROM pg_stat_activity)",
    "pg_terminate_backend(1)",
    "pg_sleep(30)",
    "pg_read_file('/etc/passwd')",
    "pg_ls_dir('/')",
    "lo_import('/etc/passwd')",
    "lo_unlink(1)",
    "lo_create(424242)",
    "pg_catalog.lo_create(424243)",
    "\"lo_create\"(424244)",
    "set_config('search_path','evil',false)",
    "nextval('victim_seq')",
    "setval('victim_seq', 1000)",
    "query_to_xml('DROP TABLE victim',true,true,'')",
    "database_to_xml(true,true,'')",
    "dblink('x','DROP TABLE victim')",
    "evil()",
    "public.evil()",
    "upper(evil())",
    "id, evil()",
    "id + evil()",
    "CASE WHEN true THEN evil() END",
    "coalesce(evil(), 1)",
    "id::int; DROP TABLE victim",
    "id::evil_type",
    "1=1 OR id",
    "id = 3 OR id",
    "id) OR (1=1",
    "id IS NOT NULL OR id",
    "id = id --",
    "$$victim$$",
    "$1; DROP TABLE victim",
    "E'\\'; DROP TABLE victim; --'",
    "U&\"\\0076ictim\"; DROP TABLE victim",
    "U&'x' UESCAPE '!'",
    "victim\u{0}; DROP TABLE victim",
    "victim\u{a0}; DROP TABLE victim",
    "victim\u{ff1b} DROP TABLE victim",
    "victim\nDROP TABLE victim",
    "victim\r; DROP TABLE victim",
    "victim\t;\tDROP\tTABLE\tvictim",
    "\\'; DROP TABLE victim; --",
    "victim', 'x'); DROP TABLE victim; --",
    "name) VALUES ('pwned'); --",
    "name) SELECT 'pwned'; --",
    "name = 'pwned' --",
    "name = 'pwned', id",
    "name[1",
    "name[(SELECT evil())]",
    "ROW(1).x",
    "victim.*; DROP TABLE victim",
    "*; DROP TABLE victim",
    "* FROM victim; DELETE FROM victim; --",
    "pg_catalog.pg_class; DELETE FROM victim",
    "victim CROSS JOIN LATERAL evil()",
    "victim TABLESAMPLE SYSTEM (evil())",
    "ONLY victim; DELETE FROM victim",
    "victim * ; DELETE FROM victim",
    "",
    " ",
    ".",
    "..",
    "\"",
    "\"\"",
    "'",
    ";",
    "--",
    "/*",
    "(",
    ")",
    "((((((((((",
    "victim AS v(evil)",
    "victim FOR UPDATE",
    "victim ORDER BY evil()",
    "victim LIMIT (SELECT evil())",
    "victim; COPY victim TO PROGRAM 'true'",
    "victim; CREATE TABLE pwned(a int)",
    "victim; ALTER ROLE postgres PASSWORD 'x'",
    "victim; COMMIT; DROP TABLE victim; BEGIN",
    "victim; SET ROLE postgres; RESET ALL",
    "victim; DO $$BEGIN DELETE FROM victim; END$$",
    "victim; NOTIFY x",
    "victim; GRANT ALL ON victim TO PUBLIC",
    "victim; TRUNCATE victim",
    "current_user; DROP TABLE victim",
    "row_number() OVER (ORDER BY evil())",
    "count(*) FILTER (WHERE evil() > 0)",
    "array_agg(id ORDER BY evil())",
    "extract(year FROM evil())",
    "cast(evil() AS int)",
    "array[evil()]",
    "id COLLATE \"C\"; DROP TABLE victim",
    "id AT TIME ZONE evil()",
    "exists(SELECT evil())",
    "id IN (SELECT evil())",
    "id BETWEEN evil() AND 2",
    "id ~ evil()::text",
    "NOT evil()",
    "- evil()",
    "date evil()",
];

/// Types and constraints that try to become SQL.
const HOSTILE_TYPES: &[&str] = &[
    "int); DROP TABLE victim; --",
    "int; DROP TABLE victim",
    "int, extra text); DROP TABLE victim; --",
    "int DEFAULT evil()",
    "int DEFAULT (SELECT evil())",
    "int DEFAULT pg_sleep(30)",
    "int CHECK (evil() > 0)",
    "int CHECK (true)); DROP TABLE victim; --",
    "int REFERENCES victim(id)); DROP TABLE victim; --",
    "int GENERATED ALWAYS AS (evil()) STORED",
    "int GENERATED ALWAYS AS (1) STORED); DROP TABLE victim; --",
    "int) INHERITS (victim",
    "int) WITH (autovacuum_enabled=false",
    "int) TABLESPACE pg_default; DROP TABLE victim; --",
    "int) AS SELECT evil()",
    "int USING INDEX x",
    "int -- x",
    "int /* */",
    "text DEFAULT 'a'; DROP TABLE victim; --'",
    "text DEFAULT E'\\'; DROP TABLE victim; --'",
    "text DEFAULT $$x$$",
    "text COLLATE \"C\"); DROP TABLE victim; --",
    "varchar(5)); DROP TABLE victim; --",
    "varchar((SELECT 5))",
    "int[evil()]",
    "interval '1 day'",
    "int DEFAULT nextval('victim_seq'); DROP TABLE victim",
    "int DEFAULT lo_create(424245)",
    "int GENERATED BY DEFAULT AS IDENTITY (START WITH 1); DROP TABLE victim",
    "int $1",
];

/// Operators that try to become SQL.
const HOSTILE_OPERATORS: &[&str] = &[
    "= 1 OR 1 =",
    "=; DROP TABLE victim; --",
    "IN (SELECT evil()) OR id =",
    "IS NOT NULL OR id =",
    "OPERATOR(pg_catalog.=)",
    "= ANY",
    "--",
    "~",
    "@@",
    "LIKE 'x' OR id =",
    "= evil() OR id =",
    "= = ",
];

/// Everything in the catalogs that a statement could change, and all data.
const SNAPSHOT: &[&str] = &[
    "SELECT oid, relname, relkind, relowner, relacl::text, reltablespace FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY oid",
    "SELECT attrelid, attname, atttypid, attnotnull FROM pg_attribute WHERE attrelid = 'victim'::regclass ORDER BY attnum",
    "SELECT oid, proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY oid",
    "SELECT oid, typname FROM pg_type WHERE typnamespace = 'public'::regnamespace ORDER BY oid",
    "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname NOT LIKE 'pg_t%' ORDER BY 1",
    "SELECT rolname, rolsuper, rolcanlogin FROM pg_roles ORDER BY 1",
    "SELECT oid FROM pg_largeobject_metadata ORDER BY 1",
    "SELECT setdatabase, setrole, setconfig::text FROM pg_db_role_setting ORDER BY 1, 2",
    "SELECT last_value, is_called FROM victim_seq",
    "SELECT last_value, is_called FROM calls_of_evil",
    "SELECT * FROM victim ORDER BY 1, 2",
];

async fn snapshot(database: &Database) -> Vec<String> {
    let mut lines = Vec::new();
    for query in SNAPSHOT {
        for message in database.simple_query(query).await.unwrap() {
            if let SimpleQueryMessage::Row(row) = message {
                lines.push(
                    (0..row.len())
                        .map(|at| row.get(at).unwrap_or("NULL"))
                        .collect::<Vec<_>>()
                        .join("|"),
                );
            }
        }
    }
    lines
}

/// The calls that carry one hostile text, each in another place. They have conditions that hold for
/// no row, so that even a call that is let through changes nothing.
fn calls(text: &str) -> Vec<(&'static str, Value)> {
    let none = json!([["id", "=", -1]]);
    vec![
        (
            "CreateTableV2",
            json!({"table_name": format!("victim {text}"), "schema": {"column_definitions": [{"name": "a", "type": "int"}]}}),
        ),
        (
            "DropTableV2",
            json!({"table_name": format!("nothing {text}")}),
        ),
        (
            "InsertValuesV2",
            json!({"table_name": text, "schema": {"columns": ["no_such_column"], "values": [[1]]}}),
        ),
        (
            "InsertValuesV2",
            json!({"table_name": "victim", "schema": {"columns": [text, "no_such_column"], "values": [[1, 2]]}}),
        ),
        (
            "InsertValuesV2",
            json!({"table_name": "victim", "schema": {"columns": ["id"], "values": [[1]], "returning": ["no_such_column", text]}}),
        ),
        (
            "SelectValuesV2",
            json!({"table_name": text, "schema": {"columns": ["*"]}}),
        ),
        (
            "SelectValuesV2",
            json!({"table_name": "victim", "schema": {"columns": [text]}}),
        ),
        (
            "SelectValuesV2",
            json!({"table_name": "victim", "schema": {"columns": ["id"], "where": [[text, "=", 1]]}}),
        ),
        (
            "SelectValuesV2",
            json!({"table_name": "victim", "schema": {"columns": ["id"], "order_by": [text]}}),
        ),
        (
            "UpdateValuesV2",
            json!({"table_name": text, "schema": {"set": {"name": "x"}, "where": none}}),
        ),
        (
            "UpdateValuesV2",
            json!({"table_name": "victim", "schema": {"set": {text: "x"}, "where": none}}),
        ),
        (
            "UpdateValuesV2",
            json!({"table_name": "victim", "schema": {"set": {"name": "x"}, "where": [["id", "=", -1], [text, "=", 1]]}}),
        ),
        (
            "DeleteValuesV2",
            json!({"table_name": text, "schema": {"where": none}}),
        ),
        (
            "DeleteValuesV2",
            json!({"table_name": "victim", "schema": {"where": [["id", "=", -1], [text, "=", 1]]}}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_have_no_effect() {
    let database = Database::fresh().await;
    database
        .batch_execute(
            "CREATE TABLE victim (id int PRIMARY KEY, name text);
             INSERT INTO victim VALUES (1, 'a'), (2, 'b'), (3, 'c');
             CREATE SEQUENCE victim_seq; CREATE SEQUENCE calls_of_evil;
             CREATE FUNCTION evil() RETURNS int LANGUAGE sql AS $$SELECT nextval('calls_of_evil')::int$$",
        )
        .await
        .unwrap();
    let server = Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]);
    let before = snapshot(&database).await;
    let mut attempts = 0;
    for text in HOSTILE {
        for (command, call) in calls(text) {
            attempts += 1;
            play(&server, &database, command, call).await;
        }
        assert_eq!(snapshot(&database).await, before, "{text:?} had an effect");
    }
    for text in HOSTILE_TYPES {
        attempts += 2;
        let call = json!({"table_name": "pwned", "schema": {"column_definitions": [{"name": "a", "type": text}]}});
        play(&server, &database, "CreateTableV2", call).await;
        let call = json!({"table_name": "pwned", "schema": {"column_definitions": [{"name": text, "type": "int); DROP TABLE victim"}]}});
        play(&server, &database, "CreateTableV2", call).await;
        assert_eq!(
            snapshot(&database).await,
            before,
            "the type {text:?} had an effect"
        );
    }
    for text in HOSTILE_OPERATORS {
        attempts += 2;
        for command in ["SelectValuesV2", "DeleteValuesV2"] {
            let call = json!({"table_name": "victim", "schema": {"columns": ["id"], "where": [["id", text, 1]]}});
            let (status, reply) = play(&server, &database, command, call).await;
            assert_eq!(
                (status, &reply["error"]["error_code"]),
                (400, &json!("Exception")),
                "{text:?}: {reply}"
            );
        }
        assert_eq!(
            snapshot(&database).await,
            before,
            "the operator {text:?} had an effect"
        );
    }
    assert!(attempts >= 200, "only {attempts}");
}

async fn play(
    server: &Server,
    database: &Database,
    command: &str,
    mut call: Value,
) -> (u16, Value) {
    call["database_connection_str"] = database.dsn.as_str().into();
    let (status, reply) = server.call(&format!("postgres_v2/{command}"), &call).await;
    assert!(status < 500, "{call}: {reply}");
    (status, reply)
}
