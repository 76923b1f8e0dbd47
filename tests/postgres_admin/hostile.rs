//! Parameters and databases that mean harm.

use super::world::{SHOP, World};
use serde_json::json;

const NASTY: [&str; 12] = [
    "a\"b; drop table",
    "'; DROP TABLE victim; --",
    "x' OR '1'='1",
    "\\'; DROP TABLE victim; --",
    "$1",
    "%s %(a)s",
    "null",
    "string",
    "E'\\x27'",
    "*/ DROP TABLE victim /*",
    "\u{202e}victim\u{feff}",
    "",
];

#[tokio::test(flavor = "multi_thread")]
async fn names_and_patterns_are_data() {
    let world = World::with(SHOP).await;
    for (command, keys) in [
        ("ListSchemas", &["pattern"][..]),
        ("ListTables", &["schema", "pattern"]),
        ("ListColumns", &["schema", "table", "pattern"]),
        ("ListIndexes", &["schema", "table", "pattern"]),
        ("ListConstraints", &["schema", "table"]),
        ("TableSizes", &["schema", "pattern"]),
        ("LongRunningQueries", &["user", "application_name"]),
    ] {
        for key in keys {
            for text in NASTY {
                let (status, reply) = world.call(command, json!({*key: text})).await;
                let code = &reply["error"]["error_code"];
                // A pattern must not end with an escape; the server says so.
                let refused = *code == "InvalidEscapeSequence" || *code == "InvalidParameterValue";
                assert!(
                    status == 200 && (code.is_null() || refused),
                    "{command} {key} {text}: {reply}"
                );
            }
        }
    }
    for text in NASTY {
        let (status, code, ..) = world.error("DescribeTable", json!({"table": text})).await;
        assert_eq!((status, code.as_str()), (200, "TableNotFound"), "{text}");
    }
    let (_, code, pointer, _) = world.error("ListTables", json!({"pattern": "%\\"})).await;
    assert_eq!(
        (code.as_str(), pointer),
        ("InvalidEscapeSequence", json!("/pattern"))
    );
    let (status, code, pointer, _) = world.error("ListTables", json!({"schema": "a\0b"})).await;
    assert_eq!(
        (status, code.as_str(), pointer),
        (200, "ValueError", json!("/schema"))
    );
    assert_eq!(
        world
            .oracle("SELECT count(*) FROM pg_class WHERE relname = 'victim'")
            .await,
        1
    );
}

/// The server would cut a name that is too long, and find another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_name_finds_no_other() {
    let longest = "n".repeat(63);
    let world = World::with(&format!(
        "CREATE SCHEMA {longest}; CREATE TABLE {longest}.{longest} (a int)"
    ))
    .await;
    let found = async |text: &str| {
        world
            .rows("ListTables", json!({"schema": text}))
            .await
            .len()
    };
    assert_eq!(
        (found(&longest).await, found(&format!("{longest}n")).await),
        (1, 0)
    );
    let (_, code, ..) = world
        .error("DescribeTable", json!({"table": format!("{longest}x")}))
        .await;
    assert_eq!(code, "TableNotFound");
    assert_eq!(found(&"n".repeat(1 << 20)).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_kinds_are_the_callers_fault() {
    let world = World::with("").await;
    for (command, call, code, pointer) in [
        ("ListTables", json!({"schema": 5}), "TypeError", "/schema"),
        (
            "ListTables",
            json!({"schema": {"or": "1"}}),
            "TypeError",
            "/schema",
        ),
        (
            "ListTables",
            json!({"schema": ["a", "b"]}),
            "TypeError",
            "/schema",
        ),
        (
            "ListTables",
            json!({"limit": 18446744073709551616.0}),
            "ValueError",
            "/limit",
        ),
        (
            "ListTables",
            json!({"limit": u64::MAX}),
            "ValueError",
            "/limit",
        ),
        (
            "ListTables",
            json!({"limit": i64::MIN}),
            "ValueError",
            "/limit",
        ),
        (
            "ListTables",
            json!({"limit": "1; DROP TABLE victim"}),
            "TypeError",
            "/limit",
        ),
        (
            "ListTables",
            json!({"kinds": ["table", "'"]}),
            "ValueError",
            "/kinds/1",
        ),
        (
            "ListTables",
            json!({"kinds": vec!["table"; 6]}),
            "ValueError",
            "/kinds",
        ),
        (
            "ListTables",
            json!({"kinds": {"table": true}}),
            "TypeError",
            "/kinds",
        ),
        (
            "TableSizes",
            json!({"order": "total; DROP TABLE victim"}),
            "ValueError",
            "/order",
        ),
        (
            "LongRunningQueries",
            json!({"min_seconds": 1e18}),
            "ValueError",
            "/min_seconds",
        ),
        (
            "LongRunningQueries",
            json!({"states": "active"}),
            "TypeError",
            "/states",
        ),
        (
            "ExplainStatement",
            json!({"statement": "SELECT 1", "values": {"a": 1}}),
            "TypeError",
            "/values",
        ),
        (
            "ExplainStatement",
            json!({"statement": "SELECT 1", "values": vec![1; 1001]}),
            "ValueError",
            "/values",
        ),
    ] {
        let (status, found, place, message) = world.error(command, call.clone()).await;
        assert_eq!(
            (status, found.as_str(), place),
            (400, code, json!(pointer)),
            "{call}: {message}"
        );
        assert!(!message.contains("DROP"), "{message}");
    }
    // The host knows the parameters, and refuses others before the connector is asked.
    let (status, code, _, message) = world.error("Locks", json!({"drop": true})).await;
    assert_eq!((status, code.as_str()), (400, "TypeError"));
    assert!(
        message.contains("it takes database_connection_str, min_seconds"),
        "{message}"
    );
    let (status, code, ..) = world.error("DescribeTable", json!({})).await;
    assert_eq!((status, code.as_str()), (400, "TypeError"));
}

/// Whoever owns the database can put objects of the same names in front of the catalog's.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_path_puts_nothing_in_the_place_of_the_catalog() {
    let world = World::with(SHOP).await;
    let commands = [
        ("ListSchemas", json!({"pattern": "sales"})),
        ("ListTables", json!({"schema": "sales"})),
        (
            "ListColumns",
            json!({"schema": "sales", "table": "customer"}),
        ),
        ("ListIndexes", json!({"schema": "sales"})),
        ("ListConstraints", json!({"schema": "sales"})),
        ("TableSizes", json!({"schema": "sales", "order": "name"})),
        ("DescribeTable", json!({"schema": "sales", "table": "line"})),
        ("Locks", json!({})),
        ("LongRunningQueries", json!({})),
    ];
    let mut before = Vec::new();
    for (command, call) in &commands {
        before.push(world.rows(command, call.clone()).await);
    }
    let name: String = world
        .database
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    let evil = format!(
        "CREATE SCHEMA evil;
         CREATE FUNCTION evil.trap() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
         DO $$ DECLARE f record; BEGIN
           FOR f IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') LOOP
             EXECUTE format('CREATE VIEW evil.%I AS SELECT evil.trap() AS oid', f.relname);
           END LOOP;
           FOR f IN SELECT DISTINCT p.proname, oidvectortypes(p.proargtypes) AS arguments FROM pg_proc p
             WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.proname IN ('format_type',
             'pg_get_expr', 'pg_get_viewdef', 'obj_description', 'col_description', 'pg_get_indexdef', 'pg_get_constraintdef',
             'pg_get_userbyid', 'has_schema_privilege', 'has_table_privilege', 'pg_table_size', 'pg_indexes_size',
             'pg_total_relation_size', 'pg_size_pretty', 'pg_partition_tree', 'pg_blocking_pids', 'pg_backend_pid',
             'current_database', 'starts_with', 'statement_timestamp', 'clock_timestamp', 'generate_series') LOOP
             EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS int LANGUAGE sql AS ''SELECT evil.trap()''', f.proname, f.arguments);
           END LOOP;
         END $$;
         ALTER DATABASE {name} SET search_path = evil, pg_catalog, public"
    );
    world.database.batch_execute(&evil).await.unwrap();
    // The trap is set for whoever does not qualify names.
    let client = airlock_tests::Database::connect(&world.database.dsn).await;
    let trapped = client
        .query("SELECT * FROM pg_class", &[])
        .await
        .unwrap_err();
    assert!(trapped.as_db_error().unwrap().message().contains("trapped"));
    // Another connection string has connections of its own, which know the new path.
    let dsn = format!("{} application_name=afterwards", world.database.dsn);
    for ((command, call), before) in commands.iter().zip(before) {
        assert_eq!(
            world.rows_as(&dsn, command, call.clone()).await,
            before,
            "{command}"
        );
    }
}
