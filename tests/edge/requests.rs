//! Every request of the table ends as it shall, and the server is none the worse for it.

use super::raw::Raw;
use super::table::{self, Case};
use super::{assert_serves, serve, until};
use airlock_tests::{Database, Server};
use futures_util::future::join_all;

/// What is wrong with the outcome, if anything.
async fn complaint(server: &Server, database: &Database, case: Case) -> Option<String> {
    let mut raw = Raw::connect(server.address()).await;
    raw.send(case.request(&database.dsn)).await;
    if case.half_closes {
        raw.half_close().await;
    }
    let mut responses = Vec::new();
    for _ in case.statuses {
        responses.extend(raw.response().await);
    }
    if !case.statuses.is_empty() {
        raw.half_close().await;
    }
    let rest = raw.rest().await;
    let statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
    let last = responses
        .last()
        .map(|response| response.body.as_str())
        .unwrap_or_default();
    // HTTP/2 answers in frames, which hold zeros.
    let quiet = match case.holds {
        "\0" => !rest.starts_with(b"HTTP/1"),
        _ => rest.is_empty() && last.contains(case.holds),
    };
    (statuses != case.statuses || !quiet).then(|| {
        let rest = String::from_utf8_lossy(&rest);
        format!(
            "{}: {statuses:?}, not {:?}; {last:?}; {rest:?}",
            case.name, case.statuses
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_request_ends_as_it_shall() {
    let database = Database::fresh().await;
    database
        .batch_execute("CREATE TABLE smuggled (n int)")
        .await
        .unwrap();
    let (server, _directory) = serve(
        "header_ms = 2000\nbody_ms = 2000\nidle_ms = 2000\nsend_ms = 2000\nhead_bytes = 16000\n\
         head_fields = 50\nbody_bytes = 20000",
    );
    let cases = table::all();
    let count = cases.len();
    assert!(count > 100, "only {count} requests");
    let complaints = cases
        .into_iter()
        .map(|case| complaint(&server, &database, case));
    let complaints: Vec<_> = join_all(complaints).await.into_iter().flatten().collect();
    assert!(
        complaints.is_empty(),
        "{} of {count}:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    assert_serves(&server, &database).await;
    until(&database, "SELECT count(*) FROM smuggled", 0).await;
    assert!(!server.log().contains("panic"), "{}", server.log());
}
