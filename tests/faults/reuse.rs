//! Connections that break when a call is over, or when the next one begins.

use crate::answer::Outcome;
use crate::phases::HASTY;
use crate::world::{Host, count, with_table};
use airlock_tests::proxy::{At, Break, Flow, Place, Proxy, Rule};
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

const BREAKS: [Break; 4] = [Break::Cut, Break::Reset, Break::Stall, Break::BlackHole];

/// The session is reset behind the reply to SQL text. The caller has the reply, and the connection is
/// replaced where that fails.
async fn resets_break(breaks: &[Break]) {
    let database = Arc::new(with_table().await);
    let host = Arc::new(Host::start(HASTY));
    let mut cells = JoinSet::new();
    for &what in breaks {
        for (flow, at, place) in [
            (Flow::ToServer, At::Text(b'Q', "DISCARD"), Place::Before),
            (Flow::ToServer, At::Text(b'Q', "DISCARD"), Place::After),
            (Flow::ToHost, At::Text(b'C', "DISCARD"), Place::Before),
        ] {
            let (host, database) = (host.clone(), database.clone());
            cells.spawn(async move {
                let proxy = Proxy::start(database.cluster().port()).await;
                let dsn = proxy.dsn(&database.dsn);
                proxy.next(vec![Rule {
                    flow,
                    at,
                    place,
                    what,
                }]);
                let answer = host.sql(&dsn, "SELECT 5").await;
                assert_eq!(*answer.body(), json!([[5]]), "{what:?} {at:?}");
                proxy.until_fired(1).await;
                host.answers(&dsn).await;
                proxy.cut_all();
                host.recovers(&dsn, &database).await;
            });
        }
    }
    cells.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resets_that_break_cost_a_connection() {
    resets_break(&[Break::Cut, Break::Reset]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resets_that_hang_cost_a_connection() {
    resets_break(&[Break::Stall, Break::BlackHole]).await;
}

/// The connection did well before. A call on it that hangs ends in time; the next one gets another.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_may_break_when_it_is_used_again() {
    let database = Arc::new(with_table().await);
    let host = Arc::new(Host::start(HASTY));
    let mut cells = JoinSet::new();
    for what in BREAKS {
        let (host, database) = (host.clone(), database.clone());
        cells.spawn(async move {
            let proxy = Proxy::start(database.cluster().port()).await;
            let dsn = proxy.dsn(&database.dsn);
            proxy.next(vec![Rule {
                flow: Flow::ToServer,
                at: At::Text(b'B', "770001"),
                place: Place::Before,
                what,
            }]);
            host.insert(&dsn, [770_000]).await.body();
            let answer = host.insert(&dsn, [770_001]).await;
            assert_eq!(answer.outcome(), Outcome::Aborted, "{}", answer.reply);
            assert_eq!(proxy.fired(), 1);
            host.answers(&dsn).await;
            host.insert(&dsn, [770_002]).await.body();
            proxy.cut_all();
            host.recovers(&dsn, &database).await;
        });
    }
    cells.join_all().await;
    let stored = "SELECT count(*) FROM t";
    assert_eq!(count(&database, stored).await, 2 * BREAKS.len() as i64);
    let stored = "SELECT count(*) FROM t WHERE id = 770001";
    assert_eq!(count(&database, stored).await, 0);
}
