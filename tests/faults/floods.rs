//! Servers that send more than anybody wants.

use crate::world::{Host, ONE_CONNECTION};
use airlock_tests::Database;
use serde_json::json;

/// The most memory that a process ever had, in bytes.
fn peak_bytes(process: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

/// Grows the peak of the host by less than `most` bytes, where the system tells.
async fn grows_less(host: &Host, most: usize, work: impl Future<Output = ()>) {
    let before = peak_bytes(host.server.id());
    work.await;
    if let (Some(before), Some(after)) = (before, peak_bytes(host.server.id())) {
        // The system counts in batches, so a peak can seem to shrink.
        let grown = after.saturating_sub(before);
        assert!(grown < most, "{} MiB more", grown >> 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_notices_is_let_through() {
    let database = Database::fresh().await;
    let flood = "CREATE FUNCTION flood(n int) RETURNS int LANGUAGE plpgsql AS
                 'BEGIN FOR i IN 1..n LOOP RAISE NOTICE ''%'', repeat(''canary'', 100); END LOOP; RETURN n; END'";
    database.batch_execute(flood).await.unwrap();
    let host = Host::start(ONE_CONNECTION);
    let warm = host.sql(&database.dsn, "SELECT flood(100)").await;
    assert_eq!(*warm.body(), json!([[100]]));
    // 60 MB in all.
    grows_less(&host, 16 << 20, async {
        let answer = host.sql(&database.dsn, "SELECT flood(100000)").await;
        assert_eq!(*answer.body(), json!([[100_000]]));
    })
    .await;
    host.left_nothing(&database.dsn, &database).await;
    assert!(!host.server.log().contains("canary"));
}

const GIBIBYTE_FIELD: &str = "SELECT repeat(repeat('x', 1048576), 1023)";

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_a_gibibyte_is_refused() {
    let database = Database::fresh().await;
    let host = Host::start(&format!("{ONE_CONNECTION}deadline_ms = 600000\n"));
    let answer = host.sql(&database.dsn, GIBIBYTE_FIELD).await;
    answer.refused("ProgramLimitExceeded");
    let message = answer.reply["error"]["message"].as_str().unwrap();
    assert!(message.contains("message_bytes"), "{message}");
    host.left_nothing(&database.dsn, &database).await;
}

#[tokio::test(flavor = "multi_thread")]

async fn a_field_that_is_refused_takes_no_memory() {
    let database = Database::fresh().await;
    let host = Host::start(&format!(
        "{ONE_CONNECTION}deadline_ms = 600000\nreply_bytes = 1000000\n"
    ));
    let warm = host.sql(&database.dsn, "SELECT repeat('x', 2000000)").await;
    warm.refused("ProgramLimitExceeded");
    grows_less(&host, 64 << 20, async {
        let answer = host.sql(&database.dsn, GIBIBYTE_FIELD).await;
        answer.refused("ProgramLimitExceeded");
    })
    .await;
    host.left_nothing(&database.dsn, &database).await;
}
