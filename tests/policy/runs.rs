//! What a policy means for plans that run again, in rounds, on the same connection, or from the cache.

use crate::world::{role_name, rows};
use airlock::plan::{Access, Plan, Reply};
use airlock::policy::{Caps, Role, SessionRules, StatementRules};
use airlock::{Fault, Limits, Parameters, Policy, Runtime};
use airlock_tests::Database;
use airlock_tests::hostile::{Guest, statement};
use serde_json::{Value, json};

/// A runtime with the embedded connector under `policy`, and what a call of it gives.
async fn run(runtime: &Runtime, command: &str, call: &Value) -> Result<Value, Fault> {
    let (connector, command) = command.split_once('/').unwrap();
    let found = runtime.command(connector, command)?;
    let parameters = Parameters::from(call.as_object().unwrap().clone());
    let body = runtime
        .run(&found, parameters)
        .await?
        .body
        .collect()
        .await?;
    Ok(serde_json::from_slice(&body).unwrap())
}

fn as_role(role: &str) -> Policy {
    Policy {
        session: SessionRules {
            role: Some(Role::new(role).unwrap()),
            ..SessionRules::default()
        },
        ..Policy::default()
    }
}

/// The schema of the role comes first in the search path, so the same text means other tables.
#[tokio::test(flavor = "multi_thread")]
async fn statements_are_prepared_for_each_role() {
    let (database, role) = (Database::fresh().await, role_name("role"));
    let tables = format!(
        "CREATE ROLE {role}; CREATE SCHEMA {role} AUTHORIZATION {role}; CREATE TABLE t (n int); \
         CREATE TABLE {role}.t (n text); ALTER TABLE {role}.t OWNER TO {role}"
    );
    database.batch_execute(&tables).await.unwrap();
    let limits = Limits {
        pool_connections: 1,
        ..Limits::default()
    };
    let runtime = Runtime::empty(limits).unwrap();
    let call = |schema: Value| json!({"database_connection_str": database.dsn, "table_name": "t", "schema": schema});
    let mut expected = Vec::new();
    for round in 0..3 {
        runtime.load_embedded(Policy::default()).unwrap();
        run(
            &runtime,
            "postgres_v2/InsertValuesV2",
            &call(json!({"columns": ["n"], "values": [["7"]]})),
        )
        .await
        .unwrap();
        let found = run(
            &runtime,
            "postgres_v2/SelectValuesV2",
            &call(json!({"columns": ["n"]})),
        )
        .await;
        assert_eq!(found.unwrap(), json!(vec![json!([7]); round + 1]));
        runtime.load_embedded(as_role(&role)).unwrap();
        run(
            &runtime,
            "postgres_v2/InsertValuesV2",
            &call(json!({"columns": ["n"], "values": [["7x"]]})),
        )
        .await
        .unwrap();
        expected.push(json!(["7x"]));
        let found = run(
            &runtime,
            "postgres_v2/SelectValuesV2",
            &call(json!({"columns": ["n"]})),
        )
        .await;
        assert_eq!(found.unwrap(), json!(expected));
    }
    // Rights are those of the role that runs it, whoever had it prepared.
    database
        .batch_execute("REVOKE ALL ON t FROM PUBLIC; CREATE SCHEMA s; CREATE TABLE s.p (n int)")
        .await
        .unwrap();
    let read = json!({"database_connection_str": database.dsn, "table_name": "s.p", "schema": {"columns": ["n"]}});
    for _ in 0..2 {
        runtime.load_embedded(Policy::default()).unwrap();
        assert_eq!(
            run(&runtime, "postgres_v2/SelectValuesV2", &read)
                .await
                .unwrap(),
            json!([])
        );
        runtime.load_embedded(as_role(&role)).unwrap();
        let fault = run(&runtime, "postgres_v2/SelectValuesV2", &read)
            .await
            .unwrap_err();
        assert_eq!(fault.code, "InsufficientPrivilege", "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_run_again_is_run_as_the_role() {
    let (database, role) = (Database::fresh().await, role_name("role"));
    let tables = format!(
        "CREATE ROLE {role}; CREATE TABLE t (n int, who text DEFAULT current_user); GRANT ALL ON t TO {role}"
    );
    database.batch_execute(&tables).await.unwrap();
    let runtime = Runtime::new(Limits::default()).unwrap();
    runtime.load_embedded(as_role(&role)).unwrap();
    let insert = json!({"database_connection_str": database.dsn, "table_name": "t",
        "schema": {"columns": ["n"], "values": [[1]], "returning": ["who"]}});
    assert_eq!(
        run(&runtime, "postgres_v2/InsertValuesV2", &insert)
            .await
            .unwrap(),
        json!([[role]])
    );
    // The statement is stale now.
    database
        .batch_execute("ALTER TABLE t ALTER who TYPE varchar(100)")
        .await
        .unwrap();
    assert_eq!(
        run(&runtime, "postgres_v2/InsertValuesV2", &insert)
            .await
            .unwrap(),
        json!([[role]])
    );
    // A batch is begun as a COPY, refused, and run row by row.
    database
        .batch_execute("ALTER TABLE t ADD CHECK (n < 90)")
        .await
        .unwrap();
    let values: Vec<_> = (0..95).map(|n| json!([n])).collect();
    let insert = json!({"database_connection_str": database.dsn, "table_name": "t", "schema": {"columns": ["n"], "values": values}});
    let fault = run(&runtime, "postgres_v2/InsertValuesV2", &insert)
        .await
        .unwrap_err();
    assert_eq!(
        (fault.code.as_ref(), fault.pointer.as_deref()),
        ("CheckViolation", Some("/schema/values/90"))
    );
    let strangers = database
        .query_one("SELECT count(*) FROM t WHERE who <> $1", &[&role])
        .await
        .unwrap();
    assert_eq!(
        (strangers.get::<_, i64>(0), rows(&database).await.len()),
        (0, 2)
    );
}

/// A connector that asks to be resumed over and over, and inserts a row each time.
#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_a_call_share_its_caps_and_its_role() {
    let (database, role) = (Database::fresh().await, role_name("role"));
    let tables = format!(
        "CREATE ROLE {role}; CREATE TABLE t (n int, who text DEFAULT current_user); GRANT ALL ON t TO {role}"
    );
    database.batch_execute(&tables).await.unwrap();
    let guest = Guest::answering(Plan {
        statements: vec![statement("INSERT INTO t VALUES (1)", Access::Write)],
        reply: Reply::Resume(vec![]),
    })
    .declaring(Access::Write);
    let runtime = Runtime::empty(Limits::default()).unwrap();
    let policy = Policy {
        caps: Caps {
            affected_rows: Some(3),
            ..Caps::default()
        },
        ..as_role(&role)
    };
    runtime.load(&guest.component(), policy).unwrap();
    let call = json!({"database_connection_str": database.dsn});
    let fault = run(&runtime, "hostile/C", &call).await.unwrap_err();
    assert!(
        fault.message.contains("4 rows would be affected"),
        "{fault}"
    );
    let found = database.query("SELECT who FROM t", &[]).await.unwrap();
    let who: Vec<String> = found.iter().map(|row| row.get(0)).collect();
    assert_eq!(who, vec![role; 3]);
}

#[tokio::test]
async fn a_plan_is_cached_for_its_policy_alone() {
    let runtime = Runtime::new(Limits::default()).unwrap();
    let call = json!({"database_connection_str": "", "schema": {"sql": "DELETE FROM t"}});
    let planned = || async {
        let found = runtime.command("postgres_v2", "DoSQL").unwrap();
        let call = found
            .call(Parameters::from(call.as_object().unwrap().clone()))
            .unwrap();
        runtime.cached_plan(&found, &call).await
    };
    assert_eq!(planned().await.unwrap().access(), Access::Define);
    let statements = StatementRules {
        access: Access::Write,
        raw_sql: None,
    };
    let policy = Policy {
        statements,
        ..Policy::default()
    };
    runtime.load_embedded(policy.clone()).unwrap();
    assert_eq!(planned().await.unwrap().access(), Access::Write);
    let statements = StatementRules {
        access: Access::Read,
        raw_sql: None,
    };
    runtime
        .load_embedded(Policy {
            statements,
            ..policy
        })
        .unwrap();
    assert_eq!(planned().await.unwrap_err().code, "PolicyDenied");
}
