//! Calls that are stopped: at their deadline, by a caller that leaves, by requests to cancel that get
//! lost.

use crate::answer::Outcome;
use crate::commits::never_wrong;
use crate::phases::{HASTY, IDS, Work};
use crate::world::{Host, ONE_CONNECTION, count, until, with_table};
use airlock_tests::Database;
use airlock_tests::proxy::{At, Break, CANCEL, Flow, Place, Proxy, Rule};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// What becomes of the request to cancel.
const BREAKS: [Break; 6] = [
    Break::Cut,
    Break::Reset,
    Break::Stall,
    Break::BlackHole,
    Break::Slice,
    Break::Delay(Duration::from_millis(1)),
];

/// Sessions that wait for an advisory lock.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
                       WHERE wait_event = 'advisory' AND datname = current_database()";

/// A table whose rows wait for the advisory lock of their hundred; `when` is that of the trigger.
async fn with_waiting_table(when: &str) -> Database {
    let database = with_table().await;
    let waits = format!(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN PERFORM pg_advisory_xact_lock_shared(NEW.id / {IDS}); RETURN NEW; END';
         {when} ON t {} FOR EACH ROW EXECUTE FUNCTION wait()",
        if when.contains("CONSTRAINT") {
            "DEFERRABLE INITIALLY DEFERRED"
        } else {
            ""
        }
    );
    database.batch_execute(&waits).await.unwrap();
    database
}

/// Passes the deadline while the work waits and the request to cancel it breaks. The wait ends only
/// when the call is answered.
async fn cancel_breaks(
    database: Arc<Database>,
    host: Arc<Host>,
    work: Work,
    at: i64,
    rule: Rule,
) -> Result<(), String> {
    let lock = format!("SELECT pg_advisory_lock({at})");
    let unlock = format!("SELECT pg_advisory_unlock({at})");
    database.batch_execute(&lock).await.unwrap();
    let proxy = Proxy::start(database.cluster().port()).await;
    let dsn = proxy.dsn(&database.dsn);
    proxy.each(vec![rule]);
    let answer = work.run(&host, &dsn, at * IDS).await;
    proxy.until_fired(1).await;
    proxy.each(Vec::new());
    proxy.cut_all();
    // The connection is free again, whatever goes on in the server.
    host.answers(&dsn).await;
    database.batch_execute(&unlock).await.unwrap();
    host.recovers(&dsn, &database).await;
    let stored = format!("SELECT count(*) FROM t WHERE id / {IDS} = {at}");
    let stored = count(&database, &stored).await;
    never_wrong(work, rule.what, &answer, stored).map_err(|wrong| {
        format!(
            "{work:?} {rule:?}: {wrong}, {stored} stored: {}",
            answer.reply
        )
    })
}

async fn cancels_break(work: Work) {
    let database = Arc::new(with_waiting_table("CREATE TRIGGER waits BEFORE INSERT").await);
    let host = Arc::new(Host::start(HASTY));
    let mut cells = JoinSet::new();
    let mut at = 0;
    for what in BREAKS {
        for place in [Place::Before, Place::After] {
            at += 1;
            let rule = Rule {
                flow: Flow::ToServer,
                at: At::Kind(CANCEL, 0),
                place,
                what,
            };
            cells.spawn(cancel_breaks(
                database.clone(),
                host.clone(),
                work,
                at,
                rule,
            ));
        }
    }
    let checked = cells.join_all().await;
    let wrong: Vec<_> = checked.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_whose_cancel_is_lost_store_nothing() {
    tokio::join!(cancels_break(Work::Rows), cancels_break(Work::Bulk));
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_whose_cancel_is_lost_are_never_denied() {
    cancels_break(Work::Insert).await;
}

/// The deadline passes while COMMIT waits for a deferred trigger: the cancel reaches it.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_past_the_deadline_is_cancelled() {
    let trigger = "CREATE CONSTRAINT TRIGGER waits AFTER INSERT";
    let database = with_waiting_table(trigger).await;
    let host = Host::start(HASTY);
    let lock = "SELECT pg_advisory_lock(1)";
    database.batch_execute(lock).await.unwrap();
    let past = async |work: Work| {
        // Strings that differ have connections of their own.
        let dsn = format!("{} application_name={work:?}", database.dsn);
        let answer = work.run(&host, &dsn, IDS).await;
        assert_ne!(answer.outcome(), Outcome::Committed, "{}", answer.reply);
        host.left_nothing(&dsn, &database).await;
    };
    tokio::join!(past(Work::Insert), past(Work::Rows), past(Work::Bulk));
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, 0);
}

/// Nobody hears the answer, but what was decided is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_during_commit_changes_nothing() {
    let trigger = "CREATE CONSTRAINT TRIGGER waits AFTER INSERT";
    let database = with_waiting_table(trigger).await;
    let host = Host::start(ONE_CONNECTION);
    database
        .batch_execute("SELECT pg_advisory_lock(1)")
        .await
        .unwrap();
    let call = json!({
        "database_connection_str": database.dsn,
        "table_name": "t",
        "schema": {"columns": ["id"], "values": [[IDS], [IDS + 1]]},
    });
    let url = format!("{}/v1/do/postgres_v2/InsertValuesV2", host.server.base);
    let call = tokio::spawn(host.server.http.post(url).json(&call).send());
    until(&database, WAITING, 1).await;
    call.abort();
    call.await.unwrap_err();
    // What comes after the caller is gone on this connection comes after the commit.
    let next = tokio::spawn({
        let (http, base) = (host.server.http.clone(), host.server.base.clone());
        async move { http.get(format!("{base}/liveness")).send().await.unwrap() }
    });
    next.await.unwrap();
    database
        .batch_execute("SELECT pg_advisory_unlock(1)")
        .await
        .unwrap();
    host.left_nothing(&database.dsn, &database).await;
    assert_eq!(count(&database, "SELECT count(*) FROM t").await, 2);
}
