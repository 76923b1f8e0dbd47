//! Connectors that try to remember: every call finds everything as if it were the first one.

use crate::attack::Attack;
use crate::results::TRAPS;
use crate::{TURN, runtime};
use airlock::fault::Culprit;
use airlock::plan::Plan;
use airlock::{Connector, Policy};
use airlock_tests::hostile::Guest;

/// Changes the text of the statement to `SELECT 2`.
const TELL: &str = "(i32.store8 offset=7 (call $sql) (i32.const 50))";

/// Calls of one connector, over two threads.
const CALLS: usize = 100_000;

/// The call without parameters, as the connector sees it, and one that is longer.
const SHORT: &str = "{}";
const LONG: &str = r#"{"p":1}"#;

/// Where a connector can put something, as fields, code that looks and code that marks.
const PLACES: [(&str, &str, &str, &str); 5] = [
    (
        "a global",
        "(global $seen (mut i32) (i32.const 0))",
        "(global.get $seen)",
        "(global.set $seen (i32.const 1))",
    ),
    (
        "memory",
        "",
        "(i32.load (i32.const 0))",
        "(i32.store (i32.const 0) (i32.const 1))",
    ),
    (
        "the text of its answer",
        "",
        "(i32.ne (i32.load8_u (call $sql)) (i32.const 83))",
        "(i32.store8 (call $sql) (i32.const 115))",
    ),
    (
        "a table",
        "(table $kept 1 funcref) (func $mark) (elem declare func $mark)",
        "(i32.eqz (ref.is_null (table.get $kept (i32.const 0))))",
        "(table.set $kept (i32.const 0) (ref.func $mark))",
    ),
    (
        "memory that it grew",
        "(global $new (mut i32) (i32.const 0))",
        "(global.set $new (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
         (i32.or (i32.load (global.get $new)) (i32.load offset=65532 (global.get $new)))",
        "(memory.fill (global.get $new) (i32.const 255) (i32.const 65536))",
    ),
];

pub(crate) fn attacks() -> Vec<Attack> {
    let remembers = PLACES.map(|(name, fields, look, mark)| {
        let guest = Guest::planning(format!(
            "(if (block (result i32) {look}) (then {TELL})) {mark}"
        ));
        Attack::new(format!("remembers in {name}"), &guest.with_fields(fields))
    });
    remembers.map(|attack| attack.answers("[[1]]")).to_vec()
}

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
