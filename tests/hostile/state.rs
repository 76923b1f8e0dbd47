//! Connectors that try to remember, call after call.

use crate::{TURN, runtime};
use airlock::fault::Culprit;
use airlock::plan::Plan;
use airlock::{Connector, Policy};
use airlock_tests::attacks::{PLACES, TELL, TRAPS};
use airlock_tests::hostile::Guest;

/// Calls of one connector, over two threads.
const CALLS: usize = 100_000;

/// The call without parameters, as the connector sees it, and one that is longer.
const SHORT: &str = "{}";
const LONG: &str = r#"{"p":1}"#;

/// Looks everywhere, tells what it finds, marks everything, and traps where the call is long.
fn hoarder() -> Guest {
    let fields: String = PLACES.map(|(_, fields, ..)| fields).concat();
    let each = PLACES
        .map(|(_, _, look, mark)| format!("(if (block (result i32) {look}) (then {TELL})) {mark}"));
    let trap = "(if (i32.gt_u (local.get $input_bytes) (i32.const 2)) (then unreachable))";
    Guest::planning(each.concat() + trap).with_fields(fields)
}

fn load(guest: &Guest) -> Connector {
    let component = guest.component();
    runtime().compile(&component, Policy::default()).unwrap()
}

fn sql(plan: &Plan) -> &str {
    &plan.statements[0].sql
}

#[test]
fn nothing_of_an_earlier_call_is_seen() {
    let _turn = TURN.blocking_lock();
    let connector = load(&hoarder());
    let calls = || {
        for at in 0..CALLS / 2 {
            if at % 10 == 9 {
                let fault = connector.plan("C", LONG).unwrap_err();
                assert_eq!(fault.culprit(), Culprit::Connector);
            } else {
                // It marks the text after it looked at it.
                assert_eq!(sql(&connector.plan("C", SHORT).unwrap()), "sELECT 1");
            }
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(calls);
        threads.spawn(calls);
    });
}

#[test]
fn a_trap_leaves_the_next_call_alone() {
    let _turn = TURN.blocking_lock();
    for (code, _) in TRAPS {
        let trap = format!("(if (i32.gt_u (local.get $input_bytes) (i32.const 2)) (then {code}))");
        let connector = load(&Guest::planning(trap));
        for _ in 0..100 {
            let fault = connector.plan("C", LONG).unwrap_err();
            assert_eq!(fault.culprit(), Culprit::Connector, "{code}: {fault}");
            assert_eq!(sql(&connector.plan("C", SHORT).unwrap()), "SELECT 1");
        }
    }
}
