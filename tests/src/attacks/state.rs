//! Connectors that try to remember: every call finds everything as if it were the first one.

use super::Attack;
use crate::hostile::Guest;

/// Changes the text of the statement to `SELECT 2`.
pub const TELL: &str = "(i32.store8 offset=7 (call $sql) (i32.const 50))";

/// Where a connector can put something, as fields, code that looks and code that marks.
pub const PLACES: [(&str, &str, &str, &str); 5] = [
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

pub(super) fn attacks() -> Vec<Attack> {
    let remembers = PLACES.map(|(name, fields, look, mark)| {
        let guest = Guest::planning(format!(
            "(if (block (result i32) {look}) (then {TELL})) {mark}"
        ));
        Attack::new(format!("remembers in {name}"), &guest.with_fields(fields))
    });
    remembers.map(|attack| attack.answers("[[1]]")).to_vec()
}
