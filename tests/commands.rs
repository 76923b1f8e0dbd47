//! What the commands can do beyond the recorded system, end to end.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use airlock_tests::{Database, Server};
use serde_json::{Value, json};

struct Workflow {
    server: Server,
    database: Database,
}

impl Workflow {
    async fn start(setup: &str) -> Workflow {
        let database = Database::fresh().await;
        database.batch_execute(setup).await.unwrap();
        Workflow {
            server: Server::start(env!("CARGO_BIN_EXE_airlock"), &[], &[]),
            database,
        }
    }

    async fn call(&self, command: &str, table: &str, schema: Value) -> (u16, Value) {
        let mut call = json!({"database_connection_str": self.database.dsn});
        if command != "DoSQL" {
            call["table_name"] = table.into();
        }
        if schema != Value::Null {
            call["schema"] = schema;
        }
        self.server
            .call(&format!("postgres_v2/{command}"), &call)
            .await
    }

    /// The body of a call that succeeds.
    async fn body(&self, command: &str, table: &str, schema: Value) -> Value {
        let (status, mut reply) = self.call(command, table, schema.clone()).await;
        assert_eq!(
            (status, &reply["error"]),
            (200, &Value::Null),
            "{command} {schema}: {reply}"
        );
        reply["command_response"]["body"].take()
    }

    /// Status, code and pointer of a call that fails.
    async fn error(&self, command: &str, table: &str, schema: Value) -> (u16, String, Value) {
        let (status, reply) = self.call(command, table, schema.clone()).await;
        let code = reply["error"]["error_code"]
            .as_str()
            .unwrap_or_else(|| panic!("{command} {schema}: {reply}"));
        (status, code.to_owned(), reply["error"]["pointer"].clone())
    }
}

const PEOPLE: &str = "CREATE TABLE people (id int PRIMARY KEY, name text, n int);
    INSERT INTO people VALUES (1, 'Ann', 10), (2, 'Bob', NULL), (3, 'Cid', 30), (4, NULL, 40)";

#[tokio::test(flavor = "multi_thread")]
async fn where_takes_more_operators_and_groups() {
    let workflow = Workflow::start(PEOPLE).await;
    for (conditions, expected) in [
        (json!([["id", ">=", 3]]), json!([[3], [4]])),
        (json!([["id", "<=", 1]]), json!([[1]])),
        (json!([["id", "<>", 1]]), json!([[2], [3], [4]])),
        (json!([["name", "LIKE", "%n%"]]), json!([[1]])),
        (json!([["name", "not like", "A%"]]), json!([[2], [3]])),
        (json!([["name", "ILIKE", "b%"]]), json!([[2]])),
        (json!([["name", "NOT ILIKE", "b%"]]), json!([[1], [3]])),
        (json!([["id", "IN", [1, 4, 9]]]), json!([[1], [4]])),
        (json!([["id", "IN", []]]), json!([])),
        (json!([["id", "IN", [1.5, 2.0]]]), json!([[2]])),
        (json!([["id", "NOT IN", [1, 4]]]), json!([[2], [3]])),
        (json!([["name", "IN", ["Ann", "Cid"]]]), json!([[1], [3]])),
        (json!([["id", "BETWEEN", [2, 3]]]), json!([[2], [3]])),
        (json!([["id", "NOT BETWEEN", [2, 3]]]), json!([[1], [4]])),
        (json!([["n", "IS NULL"]]), json!([[2]])),
        (json!([["n", "IS NULL", null]]), json!([[2]])),
        (json!([["n", "is", null]]), json!([[2]])),
        (json!([["n", "IS NOT NULL"]]), json!([[1], [3], [4]])),
        (
            json!([["name", "IS DISTINCT FROM", "Ann"]]),
            json!([[2], [3], [4]]),
        ),
        (
            json!([{"or": [["id", "=", 1], ["id", "=", 4]]}]),
            json!([[1], [4]]),
        ),
        (
            json!([{"or": [{"and": [["id", ">", 1], ["id", "<", 3]]}, ["name", "=", "Cid"]]}]),
            json!([[2], [3]]),
        ),
        (
            json!([["id", ">", 1], {"or": [["n", "IS NULL"], ["n", ">", 35]]}]),
            json!([[2], [4]]),
        ),
        (json!([["lower(name)", "=", "ann"]]), json!([[1]])),
    ] {
        let schema = json!({"columns": ["id"], "where": conditions, "order_by": ["id"]});
        assert_eq!(
            workflow.body("SelectValuesV2", "people", schema).await,
            expected,
            "{conditions}"
        );
    }
    for (conditions, code, pointer) in [
        (
            json!([["id", "BETWEEN", [1]]]),
            "IndexError",
            "/schema/where/0/2/1",
        ),
        (json!([["id", "IN", 5]]), "Exception", "/schema/where/0/2"),
        (json!([["id", "="]]), "ValueError", "/schema/where/0"),
        (json!([["id", "=", 1, 2]]), "ValueError", "/schema/where/0"),
        (json!([["id", "~", 1]]), "Exception", "/schema/where/0/1"),
        (json!([{"or": []}]), "ValueError", "/schema/where/0/or"),
        (json!([{"xor": []}]), "ValueError", "/schema/where/0"),
        (
            json!([{"or": [{"and": [{"or": [["id", "=", 1]]}]}]}]),
            "ValueError",
            "/schema/where/0/or/0/and/0/or",
        ),
    ] {
        let schema = json!({"columns": ["id"], "where": conditions});
        let error = workflow.error("SelectValuesV2", "people", schema).await;
        assert_eq!(
            error,
            (400, code.to_owned(), json!(pointer)),
            "{conditions}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn select_sorts_limits_and_shapes() {
    let workflow = Workflow::start(PEOPLE).await;
    for (more, expected) in [
        (
            json!({"order_by": ["n DESC NULLS LAST", "id"], "limit": 2}),
            json!([[4], [3]]),
        ),
        (
            json!({"order_by": ["id"], "limit": 1, "offset": 2}),
            json!([[3]]),
        ),
        (
            json!({"order_by": ["id"], "limit": null}),
            json!([[1], [2], [3], [4]]),
        ),
        (json!({"order_by": ["id"], "limit": "1"}), json!([[1]])),
        (
            json!({"order_by": ["id"], "limit": 1, "rows": "objects"}),
            json!([{"id": 1}]),
        ),
        (
            json!({"where": [["id", "=", 1]], "rows": "arrays"}),
            json!([[1]]),
        ),
    ] {
        let mut schema = json!({"columns": ["id"]});
        schema
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert_eq!(
            workflow.body("SelectValuesV2", "people", schema).await,
            expected,
            "{more}"
        );
    }
    let distinct = json!({"columns": ["n IS NULL AS missing"], "distinct": true, "order_by": ["missing"], "rows": "objects"});
    assert_eq!(
        workflow.body("SelectValuesV2", "people", distinct).await,
        json!([{"missing": false}, {"missing": true}])
    );
    let negative = workflow
        .error(
            "SelectValuesV2",
            "people",
            json!({"columns": ["id"], "limit": -1}),
        )
        .await;
    assert_eq!(negative.1, "InvalidRowCountInLimitClause");
    let shape = workflow
        .error(
            "SelectValuesV2",
            "people",
            json!({"columns": ["id"], "rows": "tables"}),
        )
        .await;
    assert_eq!(shape, (400, "ValueError".into(), json!("/schema/rows")));
}

#[tokio::test(flavor = "multi_thread")]
async fn insert_returns_and_resolves_conflicts() {
    let workflow = Workflow::start(PEOPLE).await;
    let insert = |more: Value| {
        let mut schema = json!({"columns": ["id", "name"], "values": [[1, "Eve"], [5, "Fay"]]});
        schema
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        schema
    };
    let plain = workflow
        .error("InsertValuesV2", "people", insert(json!({})))
        .await;
    assert_eq!(
        plain,
        (200, "UniqueViolation".into(), json!("/schema/values/0"))
    );
    let nothing = workflow
        .body(
            "InsertValuesV2",
            "people",
            insert(json!({"on_conflict": {}})),
        )
        .await;
    assert_eq!(nothing, json!({"result": "1 rows affected"}));
    let update = json!({"on_conflict": {"columns": ["id"], "update": ["name"]}, "returning": ["id", "upper(name) AS name"], "rows": "objects"});
    let updated = workflow
        .body("InsertValuesV2", "people", insert(update))
        .await;
    assert_eq!(
        updated,
        json!([{"id": 1, "name": "EVE"}, {"id": 5, "name": "FAY"}])
    );
    let named = json!({"on_conflict": {"constraint": "people_pkey"}, "returning": ["id"]});
    assert_eq!(
        workflow
            .body("InsertValuesV2", "people", insert(named))
            .await,
        json!([])
    );
    for wrong in [
        json!({"update": ["name"]}),
        json!({"columns": ["id"], "constraint": "c"}),
        json!({"columns": ["id"], "update": []}),
    ] {
        let error = workflow
            .error(
                "InsertValuesV2",
                "people",
                insert(json!({"on_conflict": wrong})),
            )
            .await;
        assert_eq!(
            error,
            (400, "ValueError".into(), json!("/schema/on_conflict"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn update_and_delete_can_be_guarded() {
    let workflow = Workflow::start(PEOPLE).await;
    for command in ["UpdateValuesV2", "DeleteValuesV2"] {
        let error = workflow
            .error(
                command,
                "people",
                json!({"set": {"n": 0}, "require_where": true}),
            )
            .await;
        assert_eq!(error, (400, "ValueError".into(), json!("/schema/where")));
        let error = workflow
            .error(
                command,
                "people",
                json!({"set": {"n": 0}, "where": [["id", ">", 1]], "max_affected": 2}),
            )
            .await;
        assert_eq!((error.0, error.1.as_str()), (200, "CardinalityViolation"));
    }
    let untouched: i64 = workflow
        .database
        .query_one("SELECT sum(n) FROM people", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(untouched, 80);
    let update = json!({"set": {"n": 5}, "where": [["id", "=", 1]], "max_affected": 1, "returning": ["n", "name"]});
    assert_eq!(
        workflow.body("UpdateValuesV2", "people", update).await,
        json!([[5, "Ann"]])
    );
    let delete = json!({"where": [["id", "=", 1]], "require_where": true, "returning": ["*"], "rows": "objects"});
    assert_eq!(
        workflow.body("DeleteValuesV2", "people", delete).await,
        json!([{"id": 1, "name": "Ann", "n": 5}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn create_and_drop_take_options() {
    let workflow = Workflow::start(PEOPLE).await;
    let columns = json!([{"name": "id", "type": "int"}, {"name": "Order", "type": "text NOT NULL DEFAULT 'x'"}, {"name": "PRIMARY", "type": "KEY (id)"}]);
    let strict = json!({"column_definitions": columns, "if_not_exists": false});
    assert_eq!(
        workflow
            .body("CreateTableV2", "order", strict.clone())
            .await,
        json!({"result": "ok"})
    );
    assert_eq!(
        workflow.error("CreateTableV2", "order", strict).await.1,
        "DuplicateTable"
    );
    workflow
        .database
        .batch_execute("CREATE VIEW v AS SELECT id FROM \"order\"")
        .await
        .unwrap();
    assert_eq!(
        workflow.error("DropTableV2", "order", Value::Null).await.1,
        "DependentObjectsStillExist"
    );
    assert_eq!(
        workflow
            .body("DropTableV2", "order", json!({"cascade": true}))
            .await,
        json!({"result": "ok"})
    );
    assert_eq!(
        workflow.body("DropTableV2", "order", Value::Null).await,
        json!({"result": "ok"})
    );
    assert_eq!(
        workflow
            .error("DropTableV2", "order", json!({"if_exists": false}))
            .await
            .1,
        "UndefinedTable"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_one_transaction() {
    let workflow = Workflow::start(PEOPLE).await;
    let count = || async {
        workflow
            .database
            .query_one("SELECT count(*) FROM people", &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
    };
    for sql in [
        "INSERT INTO people VALUES (9); SELECT 1/0",
        "INSERT INTO people VALUES (9); COMMIT; SELECT 1/0",
        "INSERT INTO people VALUES (9); ROLLBACK; INSERT INTO people VALUES (8)",
        "INSERT INTO people VALUES (9); BEGIN",
        "INSERT INTO people VALUES (9); END; SELECT 1",
        "INSERT INTO people VALUES (9); COMMIT AND CHAIN",
        "INSERT INTO people VALUES (9); PREPARE TRANSACTION 'x'",
        "INSERT INTO people VALUES (9); DO $$BEGIN COMMIT; END$$",
        "INSERT INTO people VALUES (9); COPY people FROM STDIN",
        "INSERT INTO people VALUES (9); VACUUM",
    ] {
        let error = workflow.error("DoSQL", "", json!({"sql": sql})).await;
        assert_eq!(error.0, 200, "{sql}: {error:?}");
        assert_eq!(count().await, 4, "{sql}");
    }
    let sql = "BEGIN ISOLATION LEVEL SERIALIZABLE; SAVEPOINT a; INSERT INTO people VALUES (9); ROLLBACK TO a; SHOW transaction_isolation; COMMIT;";
    assert_eq!(
        workflow
            .body("DoSQL", "", json!({"sql": sql, "fetch_results": true}))
            .await,
        json!([["serializable"]])
    );
    // Reads run read only: not even a function of the database can write.
    workflow
        .database
        .batch_execute(
            "CREATE SEQUENCE s; CREATE VIEW sly AS SELECT nextval('s') AS n;
             CREATE VIEW slier AS SELECT set_config('default_transaction_read_only', 'off', false) AS n",
        )
        .await
        .unwrap();
    // Nor does it help to change what the session starts transactions with.
    for _ in 0..3 {
        let refused = workflow
            .error("SelectValuesV2", "sly", json!({"columns": ["n"]}))
            .await;
        assert_eq!(refused.1, "ReadOnlySqlTransaction");
        let changed = workflow
            .body("SelectValuesV2", "slier", json!({"columns": ["n"]}))
            .await;
        assert_eq!(changed, json!([["off"]]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_count_outside_of_quotes() {
    let workflow = Workflow::start(PEOPLE).await;
    for (sql, values, expected) in [
        (
            "SELECT %s, '%s', \"%s\" FROM (SELECT 5 AS \"%s\") q -- %s",
            json!(["a", "ignored"]),
            None,
        ),
        (
            "SELECT name FROM people WHERE name LIKE 'A%' AND id = %s",
            json!([1]),
            Some(json!([["Ann"]])),
        ),
        (
            "SELECT %(b)s::int - %(a)s::int",
            json!({"a": 1, "b": 3}),
            Some(json!([[2]])),
        ),
        ("SELECT 7 %% %s", json!([4]), Some(json!([[3]]))),
        ("SELECT 7 % 4", json!([]), Some(json!([[3]]))),
        ("SELECT $$%s$$ || %s", json!(["x"]), Some(json!([["%sx"]]))),
        (
            "SELECT /* %s */ E'\\'%s' || %s",
            json!(["x"]),
            Some(json!([["'%sx"]])),
        ),
        (
            "SELECT id FROM people WHERE id = ANY(%s) ORDER BY id",
            json!([[1, 3]]),
            Some(json!([[1], [3]])),
        ),
        ("SELECT '100%%'", Value::Null, Some(json!([["100%%"]]))),
    ] {
        let schema = json!({"sql": sql, "values": values, "fetch_results": true});
        match expected {
            Some(expected) => {
                assert_eq!(workflow.body("DoSQL", "", schema).await, expected, "{sql}")
            }
            None => assert_eq!(
                workflow.error("DoSQL", "", schema).await.1,
                "TypeError",
                "{sql}"
            ),
        }
    }
}
