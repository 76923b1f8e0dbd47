//! A connector that behaves well, among those that do not.

use crate::{TURN, contents, runtime};
use airlock::{Connector, Policy, Runtime};
use airlock_tests::attacks::{self, Attack, database};
use airlock_tests::hostile::Guest;
use airlock_tests::resident_bytes;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Most that a whole round of attacks may leave behind in memory, in bytes.
const MOST_GROWTH_BYTES: usize = 64 << 20;

/// Calls a connector until it is told to stop; each call must give the same plan.
struct Neighbour {
    connector: Connector,
    calls: AtomicUsize,
    stop: AtomicBool,
}

impl Neighbour {
    fn in_runtime(runtime: &Runtime) -> Neighbour {
        let component = Guest::default().called("neighbour").component();
        Neighbour {
            connector: runtime.compile(&component, Policy::default()).unwrap(),
            calls: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        }
    }

    fn call_until_stopped(&self) {
        let expected = self.connector.plan("C", "{}").unwrap();
        while !self.stop.load(Ordering::Relaxed) {
            let plan = self.connector.plan("C", r#"{"p":[1]}"#);
            assert_eq!(plan.unwrap(), expected);
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_neither_disturb_a_neighbour_nor_leave_memory_behind() {
    let _turn = TURN.lock().await;
    let (runtime, database) = (runtime(), database().await);
    let neighbour = Neighbour::in_runtime(&runtime);
    let attacks = attacks::all();
    std::thread::scope(|threads| {
        let calling = threads.spawn(|| neighbour.call_until_stopped());
        let attacking = async {
            // The first round counts as warming up: the allocator and the pool of instances take what
            // they need and keep it. What later rounds add is a leak.
            let mut complaints = round(&runtime, &attacks, &database.dsn).await;
            let before = resident_bytes(std::process::id());
            complaints.extend(round(&runtime, &attacks, &database.dsn).await);
            (complaints, before, resident_bytes(std::process::id()))
        };
        let (complaints, before, after) =
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(attacking));
        neighbour.stop.store(true, Ordering::Relaxed);
        calling.join().unwrap();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
        if let (Some(before), Some(after)) = (before, after) {
            let growth = after.saturating_sub(before);
            assert!(
                growth <= MOST_GROWTH_BYTES,
                "{before} bytes grew to {after} bytes"
            );
        }
    });
    let calls = neighbour.calls.load(Ordering::Relaxed);
    assert!(calls > 1_000, "the neighbour got only {calls} calls");
    assert_eq!(contents(&database).await, (vec!["t".to_owned()], 1));
}

/// Makes all attacks, and tells what is not as it shall be.
async fn round(runtime: &Runtime, attacks: &[Attack], dsn: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for attack in attacks {
        complaints.extend(attack.complaint(runtime, dsn).await);
    }
    complaints
}
