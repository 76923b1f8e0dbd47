//! What goes wrong in a service task: what boundary events catch, what fails the process, and what is tried
//! again.

use super::{Run, World, form};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_boundary_event_catches_its_error_code() {
    let world = World::start("").await;
    let input = form("Ann", "ann@example.com", "1");
    world
        .run("registration", &input)
        .assert_ended_at("registered");
    let ran = world.run("registration", &form("Another", "ann@example.com", "2"));
    ran.assert_ended_at("refused");
    assert_eq!(ran.state("already_there"), "COMPLETED");
    assert_eq!(ran.state("registered"), "CANCELLED");
    let data = &ran.result["data"];
    let failure = json!({
        "error_code": "UniqueViolation",
        "message": "Error executing sql statement: duplicate key value violates unique constraint \"users_email_key\"",
        "operator_identifier": "postgres_v2/InsertValuesV2",
        "status_code": 200,
    });
    assert_eq!(data["failure"], failure);
    assert_eq!(data["explanation"], "ann@example.com is registered already");
    // What the database said is not tried again.
    assert_eq!(ran.statuses("postgres_v2/InsertValuesV2"), [200]);
    assert_eq!(world.users().await.len(), 1);
    // A boundary event of another process, with a code of its own.
    world
        .database
        .batch_execute("DROP TABLE users")
        .await
        .unwrap();
    let ran = world.run("query_and_update", &json!({"data": {"name": "Ann"}}));
    ran.assert_ended_at("nobody");
    assert_eq!(
        ran.result["data"]["failure"]["error_code"],
        "UndefinedTable"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_boundary_event_lets_other_error_codes_pass() {
    let world = World::start("").await;
    let ran = world.run(
        "registration",
        &form("Ann", "ann@example.com", &"5".repeat(51)),
    );
    assert_eq!(ran.result["completed"], false);
    assert_eq!(
        ran.result["error"]["error_code"],
        "StringDataRightTruncation"
    );
    assert_eq!(ran.state("insert_user"), "ERROR");
    assert_eq!(ran.state("already_there"), "WAITING");
    assert_ne!(ran.state("explain"), "COMPLETED");
    assert_eq!(ran.statuses("postgres_v2/InsertValuesV2"), [200]);
    assert_eq!(world.users().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_turned_away_is_made_again() {
    let world = World::start("[limits]\nconcurrent_calls = 1\n").await;
    let database = &world.database;
    database
        .batch_execute("SELECT pg_advisory_lock(7)")
        .await
        .unwrap();
    let schema = json!({"sql": "SELECT pg_advisory_xact_lock(7)"});
    let call = json!({"database_connection_str": database.dsn, "schema": schema});
    let url = format!("{}/v1/do/postgres_v2/DoSQL", world.server.base);
    let request = world.server.http.post(url).json(&call);
    let request = request.header("Spiff-Connector-Proxy-Api-Key", super::API_KEY);
    let in_the_way = tokio::spawn(request.send());
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while database
        .query_one(waiting, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 0
    {
        tokio::task::yield_now().await;
    }
    let mut run = world.begin("registration", &form("Ann", "ann@example.com", "1"));
    let first = run.next();
    assert_eq!(first["attempt"]["status"], 503, "{first}");
    database
        .batch_execute("SELECT pg_advisory_unlock(7)")
        .await
        .unwrap();
    assert_eq!(in_the_way.await.unwrap().unwrap().status(), 200);
    let ran = run.end();
    ran.assert_ended_at("registered");
    let attempts = ran.attempts.iter();
    let create: Vec<_> = attempts
        .filter(|attempt| attempt.operator == "postgres_v2/CreateTableV2")
        .collect();
    let (last, before) = create.split_last().unwrap();
    assert_eq!(last.status, 200);
    assert!(!before.is_empty());
    for attempt in before {
        assert_eq!((attempt.status, &attempt.task), (503, &last.task));
    }
    assert_eq!(world.users().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_trying_again_cannot_mend_is_not_tried_again() {
    let world = World::start("").await;
    let input = form("Ann", "ann@example.com", "1");
    let (base, dsn) = (&world.server.base, &world.database.dsn);
    let ran = Run::begin(base, "another key", dsn, "registration", &input).end();
    let error = &ran.result["error"];
    assert_eq!(
        error["error_code"],
        "ServiceTaskOperatorReturnedBadStatusError"
    );
    assert_eq!(error["status_code"], 401);
    assert_eq!(ran.statuses("postgres_v2/CreateTableV2"), [401]);
}
