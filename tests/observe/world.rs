//! Servers of the binary under test, and what they tell.

use crate::exposition::Exposition;
use airlock_tests::secrets;
use airlock_tests::world::{TOKEN, World, admin_base};
use reqwest::Method;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_airlock");

/// A secret that calls carry as a value.
pub(crate) const VALUE: &str = "canary-value-7131";

/// Starts a server with this configuration that finds `components` in its directory.
pub(crate) async fn serving(
    config: &str,
    components: &[(&str, &[u8])],
    variables: &[(&str, &str)],
) -> World {
    secrets::plant(VALUE);
    World::start(BINARY, config, components, variables).await
}

/// The metrics of a server.
pub(crate) async fn scrape(world: &World) -> Exposition {
    let url = format!("{}/metrics", admin_base(&world.server));
    let request = world.server.http.get(url).bearer_auth(TOKEN);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let text = response.text().await.unwrap();
    secrets::search("the metrics", &text);
    Exposition::read(text)
}

/// The figures of a server.
pub(crate) async fn figures(world: &World) -> Value {
    let (status, figures) = world.admin(Method::GET, "/v1/figures").await;
    assert_eq!(status, 200, "{figures}");
    figures
}

/// Runs SQL; gives the status and the envelope.
pub(crate) async fn sql(world: &World, sql: &str) -> (u16, Value) {
    let schema = json!({"sql": sql, "fetch_results": true});
    let call = json!({"database_connection_str": world.database.dsn, "schema": schema});
    world.server.call("postgres_v2/DoSQL", &call).await
}

/// Selects from a table that holds nothing but the secret.
pub(crate) async fn select(world: &World) -> (u16, Value) {
    let wanted = json!([["note", "=", VALUE]]);
    let call = json!({
        "database_connection_str": world.database.dsn,
        "table_name": "notes",
        "schema": {"columns": ["count(*) AS n"], "where": wanted},
    });
    world.server.call("postgres_v2/SelectValuesV2", &call).await
}

/// Makes that table.
pub(crate) async fn table(world: &World) {
    let table = "CREATE TABLE notes (note text PRIMARY KEY)";
    world.database.batch_execute(table).await.unwrap();
}
