//! The three patterns of the user guide, from form to row and back.

use super::{World, form};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_form_becomes_a_row() {
    let world = World::start("").await;
    let quoted = "Robert'); DROP TABLE users; --";
    for input in [
        form("Ann", "ann@example.com", "555-1234"),
        form(quoted, "bobby@example.com", "Ünïcödé ☎"),
    ] {
        let ran = world.run("registration", &input);
        ran.assert_ended_at("registered");
        assert_eq!(ran.state("already_there"), "CANCELLED");
        let data = &ran.result["data"];
        let stored = |result: &str, operator: &str| json!({"body": {"result": result}, "mimetype": "application/json", "operator_identifier": operator});
        assert_eq!(data["created"], stored("ok", "postgres_v2/CreateTableV2"));
        let inserted = stored("1 rows affected", "postgres_v2/InsertValuesV2");
        assert_eq!(data["inserted"], inserted);
        assert_eq!(ran.result["unlisted"], json!([]));
    }
    let ann = ["Ann", "ann@example.com", "555-1234"].map(str::to_owned);
    let bobby = [quoted, "bobby@example.com", "Ünïcödé ☎"].map(str::to_owned);
    assert_eq!(world.users().await, [ann, bobby]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_queried_and_updated() {
    let world = World::start("").await;
    world
        .run("registration", &form("Ann", " Ann@Example.COM", "1"))
        .assert_ended_at("registered");
    world
        .run("registration", &form("Bob", "Bob@Example.com", "2"))
        .assert_ended_at("registered");
    let input = json!({"data": {"name": "Ann"}});
    let ran = world.run("query_and_update", &input);
    ran.assert_ended_at("changed");
    let data = &ran.result["data"];
    assert_eq!(data["found"]["body"], json!([[1, " Ann@Example.COM"]]));
    assert_eq!(data["updated"]["body"]["result"], "1 rows affected");
    let users = world.users().await;
    let emails: Vec<&str> = users.iter().map(|user| user[1].as_str()).collect();
    assert_eq!(emails, ["ann@example.com", "Bob@Example.com"]);
    let again = world.run("query_and_update", &input);
    again.assert_ended_at("unchanged");
    assert_eq!(again.statuses("postgres_v2/UpdateValuesV2"), [] as [u64; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rows_and_temporary_tables_go_away() {
    let world = World::start("").await;
    let setup = "CREATE TABLE users (id serial, name text, email text, phone text, created_at timestamp);
        INSERT INTO users (name, email, phone, created_at)
        VALUES ('Ann', 'a', '1', '2020-01-31'), ('Bob', 'b', '2', '2024-02-29'), ('Cy', 'c', '3', NULL);
        CREATE TABLE users_import (line text)";
    world.database.batch_execute(setup).await.unwrap();
    let input = json!({"data": {"cutoff": "2024-02-29T00:00:00"}});
    let ran = world.run("cleanup", &input);
    ran.assert_ended_at("clean");
    let data = &ran.result["data"];
    assert_eq!(data["deleted"]["body"]["result"], "1 rows affected");
    assert_eq!(data["dropped"]["body"]["result"], "ok");
    let users = world.users().await;
    let names: Vec<&str> = users.iter().map(|user| user[0].as_str()).collect();
    assert_eq!(names, ["Bob", "Cy"]);
    let there = "SELECT to_regclass('users_import') IS NOT NULL";
    let there: bool = world.database.query_one(there, &[]).await.unwrap().get(0);
    assert!(!there, "the temporary table is still there");
}
