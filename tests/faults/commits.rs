//! Connections that break while the outcome is on its way.

use crate::answer::{Answer, Outcome};
use crate::phases::{HASTY, Phase, WORKING, Work, break_all};
use crate::world::{Host, ONE_CONNECTION, count, with_table};
use airlock_tests::proxy::{At, Break, Flow, Place, Proxy, Rule};
use std::sync::Arc;

use Flow::{ToHost, ToServer};
use Work::{Bulk, Insert, Rows};

/// COMMIT on its way to the server, and its answer on the way back.
pub(crate) const COMMITS: [Phase; 4] = [
    (Rows, ToServer, At::Text(b'Q', "COMMIT")),
    (Rows, ToHost, At::Text(b'C', "COMMIT")),
    (Bulk, ToServer, At::Text(b'Q', "COMMIT")),
    (Bulk, ToHost, At::Text(b'C', "COMMIT")),
];

/// A statement that commits by itself, from when all of it is out.
pub(crate) const ALONE: [Phase; 3] = [
    (Insert, ToServer, At::Kind(b'S', 1)),
    (Insert, ToHost, At::Kind(b'2', 0)),
    (Insert, ToHost, At::Text(b'C', "INSERT")),
];

/// An answer is never wrong; that nobody knows is never wrong.
pub(crate) fn never_wrong(
    work: Work,
    _: Break,
    answer: &Answer,
    stored: i64,
) -> Result<(), String> {
    match (answer.outcome(), stored) {
        (Outcome::Committed, stored) if stored == work.rows() => Ok(()),
        (Outcome::Aborted, 0) => Ok(()),
        (Outcome::Unknown, stored) if stored == 0 || stored == work.rows() => Ok(()),
        _ => Err("that is not so".into()),
    }
}

/// The server can be asked, so somebody knows.
fn known(work: Work, what: Break, answer: &Answer, stored: i64) -> Result<(), String> {
    if answer.outcome() == Outcome::Unknown {
        return Err("it was not looked up".into());
    }
    never_wrong(work, what, answer, stored)
}

/// The field and the header of what changes rows say the same.
fn stated(work: Work, what: Break, answer: &Answer, stored: i64) -> Result<(), String> {
    if work.rows() == 0 {
        return Ok(());
    }
    let expected = match answer.outcome() {
        Outcome::Committed => "committed",
        Outcome::Aborted => "aborted",
        Outcome::Unknown => "unknown",
    };
    if answer.header.as_deref() != Some(expected) {
        return Err(format!("the header says {:?}", answer.header));
    }
    let error = &answer.reply["error"];
    if !error.is_null() && error["outcome"] != expected {
        return Err(format!("the error says {}", error["outcome"]));
    }
    never_wrong(work, what, answer, stored)
}

const LOST: [Break; 2] = [Break::Cut, Break::Reset];
const HANGING: [Break; 2] = [Break::Stall, Break::BlackHole];

#[tokio::test(flavor = "multi_thread")]
async fn lost_commits_are_never_denied() {
    break_all(ONE_CONNECTION, &COMMITS, &LOST, never_wrong).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_hang_are_never_denied() {
    break_all(HASTY, &COMMITS, &HANGING, never_wrong).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_statements_that_commit_by_themselves_are_never_denied() {
    break_all(ONE_CONNECTION, &ALONE, &LOST, never_wrong).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_hang_and_commit_by_themselves_are_never_denied() {
    break_all(HASTY, &ALONE, &HANGING, never_wrong).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_outcomes_are_looked_up() {
    break_all(
        ONE_CONNECTION,
        &[&COMMITS[..], &ALONE].concat(),
        &LOST,
        known,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_state_their_outcome() {
    let phases = [&COMMITS[..], &ALONE, &WORKING].concat();
    break_all(ONE_CONNECTION, &phases, &LOST, stated).await;
}

/// A transaction can still be going on when it is asked for, and the question can break at any of its
/// messages: what is not said of it means nothing.
#[tokio::test(flavor = "multi_thread")]
async fn questions_that_break_deny_no_commit() {
    let database = with_table().await;
    let slow = "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
                CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION wait()";
    database.batch_execute(slow).await.unwrap();
    let host = Arc::new(Host::start("[limits]\npools = 1000\nlookup_ms = 60000\n"));
    let cut = |at, place| Rule {
        flow: ToServer,
        at,
        place,
        what: Break::Cut,
    };
    let mut committed = 0;
    for number in 0..20 {
        let proxy = Proxy::start(database.cluster().port()).await;
        let dsn = proxy.dsn(&database.dsn);
        proxy.next(vec![cut(At::Text(b'Q', "COMMIT"), Place::After)]);
        proxy.next(vec![cut(At::Number(number), Place::Before)]);
        database
            .batch_execute("SELECT pg_advisory_lock(1)")
            .await
            .unwrap();
        let call = tokio::spawn({
            let (host, dsn) = (host.clone(), dsn.clone());
            async move { host.insert(&dsn, [1]).await }
        });
        proxy.until_fired(2).await;
        database
            .batch_execute("SELECT pg_advisory_unlock(1)")
            .await
            .unwrap();
        let answer = call.await.unwrap();
        host.left_nothing(&dsn, &database).await;
        let stored = count(&database, "SELECT count(*) FROM t").await;
        let said = (answer.outcome(), stored);
        let is_right = matches!(
            said,
            (Outcome::Committed, 1) | (Outcome::Aborted, 0) | (Outcome::Unknown, _)
        );
        assert!(is_right, "{number}: {said:?}: {}", answer.reply);
        committed += usize::from(answer.outcome() == Outcome::Committed);
        database.batch_execute("TRUNCATE t").await.unwrap();
    }
    assert!(committed > 0, "nothing was looked up in the end");
}

/// A procedure may commit before it fails.
#[tokio::test(flavor = "multi_thread")]
async fn procedures_that_commit_are_never_denied() {
    let database = with_table().await;
    let procedure = "CREATE PROCEDURE halves() LANGUAGE plpgsql AS
                     'BEGIN INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2); PERFORM 1/0; END'";
    database.batch_execute(procedure).await.unwrap();
    let host = Host::start(ONE_CONNECTION);
    for sql in [
        "CALL halves()",
        "SELECT 1; CALL halves()",
        "DO 'BEGIN CALL halves(); END'",
    ] {
        let answer = host.execute(&database.dsn, sql).await;
        host.left_nothing(&database.dsn, &database).await;
        let stored = count(&database, "SELECT count(*) FROM t").await;
        assert!(
            answer.outcome() == Outcome::Unknown || stored == 0,
            "{sql}: {stored} stored: {}",
            answer.reply
        );
        database.batch_execute("TRUNCATE t").await.unwrap();
    }
}
