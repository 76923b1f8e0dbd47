//! Answers that break the canonical ABI, and code that traps.
//!
//! The offsets are those of the records in the contract: see `tests/src/hostile/image.rs`.

use super::Attack;
use crate::hostile::{Answer, Guest};
use airlock::fault::Culprit;

/// Code that traps, and what it is called.
pub const TRAPS: [(&str, &str); 8] = [
    ("unreachable", "`unreachable`"),
    (
        "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
        "divide by zero",
    ),
    (
        "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
        "integer overflow",
    ),
    (
        "(drop (i32.trunc_f32_s (f32.const nan)))",
        "invalid conversion to integer",
    ),
    (
        "(drop (i32.load (i32.const -4)))",
        "out of bounds memory access",
    ),
    (
        "(i64.store offset=0xffffffff (i32.const -1) (i64.const 1))",
        "out of bounds memory access",
    ),
    (
        "(memory.fill (i32.const -1) (i32.const 0) (i32.const 2))",
        "out of bounds memory access",
    ),
    (
        "(memory.copy (i32.const -1) (i32.const 0) (i32.const 2))",
        "out of bounds memory access",
    ),
];

pub(super) fn attacks() -> Vec<Attack> {
    [
        traps(),
        pointers(),
        texts(),
        discriminants(),
        descriptions(),
        failures(),
    ]
    .concat()
}

fn traps() -> Vec<Attack> {
    let traps = TRAPS.map(|(code, says)| {
        Attack::new(format!("traps by {code}"), &Guest::planning(code)).fails(says)
    });
    let table = "(table 2 2 funcref) (type $number (func (result i32))) (elem (i32.const 0) $none)
      (func $none)";
    let calls = [
        (
            "(drop (call_indirect (type $number) (i32.const 0)))",
            "type mismatch",
        ),
        (
            "(drop (call_indirect (type $number) (i32.const 1)))",
            "uninitialized element",
        ),
        (
            "(drop (call_indirect (type $number) (i32.const 2)))",
            "out of bounds table access",
        ),
    ];
    let calls = calls.map(|(code, says)| {
        let guest = Guest::planning(code).with_fields(table);
        Attack::new(format!("calls wrongly by {code}"), &guest).fails(says)
    });
    let disguised = [
        Attack::new(
            "traps in a function that is called like a limit",
            &Guest::planning(r#"(call $"table count too high")"#)
                .with_fields(r#"(func $"table count too high" unreachable)"#),
        )
        .fails("the connector failed while planning"),
        Attack::new(
            "traps when it starts",
            &Guest::default().with_fields("(func $begin unreachable) (start $begin)"),
        )
        .refused("`unreachable`"),
        Attack::new(
            "traps when it describes itself",
            &Guest::describing("unreachable"),
        )
        .refused("`unreachable`"),
    ];
    traps.into_iter().chain(calls).chain(disguised).collect()
}

fn planning(rows: &[(&str, &str, &str)]) -> Vec<Attack> {
    let attack = |(name, code, says): &(&str, &str, &str)| {
        Attack::new(*name, &Guest::planning(*code)).fails(says)
    };
    rows.iter().map(attack).collect()
}

fn pointers() -> Vec<Attack> {
    let mut attacks = planning(&[
        (
            "an answer outside of memory",
            "(return (i32.const -4))",
            "pointer out of bounds of memory",
        ),
        (
            "an answer across the end of memory",
            "(return (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)))",
            "pointer out of bounds of memory",
        ),
        (
            "an answer between two words",
            "(return (i32.add (global.get $answer) (i32.const 2)))",
            "return pointer not aligned",
        ),
        (
            "statements outside of memory",
            "(i32.store offset=4 (global.get $answer) (i32.const -8))",
            "list pointer/length out of bounds of memory",
        ),
        (
            "statements between two words",
            "(i32.store offset=4 (global.get $answer) (i32.add (call $statement) (i32.const 4)))",
            "list pointer is not aligned",
        ),
        (
            "four thousand million statements",
            "(i32.store offset=8 (global.get $answer) (i32.const -1))",
            "list pointer/length out of bounds of memory",
        ),
        (
            "statements whose size overflows",
            "(i32.store offset=8 (global.get $answer) (i32.const 0x05555556))",
            "list pointer/length out of bounds of memory",
        ),
        (
            "text outside of memory",
            "(i32.store (call $statement) (i32.const -1))",
            "string pointer/length out of bounds of memory",
        ),
        (
            "text without end",
            "(i32.store offset=4 (call $statement) (i32.const -1))",
            "string pointer/length out of bounds of memory",
        ),
    ]);
    let allocators = [
        ("(return (i32.const -1))", "beyond end of memory"),
        (
            "(return (i32.mul (memory.size) (i32.const 65536)))",
            "beyond end of memory",
        ),
        ("unreachable", "`unreachable`"),
    ];
    attacks.extend(allocators.map(|(code, says)| {
        let guest = Guest {
            allocate: code.into(),
            ..Guest::default()
        };
        Attack::new(format!("gives out memory by {code}"), &guest).fails(says)
    }));
    attacks
}

fn texts() -> Vec<Attack> {
    planning(&[
        (
            "a byte that begins no character",
            "(i32.store8 (call $sql) (i32.const 0xff))",
            "invalid utf-8",
        ),
        (
            "half of a surrogate pair",
            "(i32.store (call $sql) (i32.const 0x3180a0ed))",
            "invalid utf-8",
        ),
        (
            "a letter in more bytes than it needs",
            "(i32.store16 (call $sql) (i32.const 0x81c1))",
            "invalid utf-8",
        ),
        (
            "a character beyond the last one",
            "(i32.store (call $sql) (i32.const 0x808090f4))",
            "invalid utf-8",
        ),
        (
            "a character that is cut off",
            "(i32.store8 offset=7 (call $sql) (i32.const 0xc3))",
            "incomplete utf-8",
        ),
    ])
}

fn discriminants() -> Vec<Attack> {
    planning(&[
        (
            "neither a plan nor a failure",
            "(i32.store8 (global.get $answer) (i32.const 2))",
            "invalid expected discriminant",
        ),
        (
            "a reply of no kind",
            "(i32.store8 offset=12 (global.get $answer) (i32.const 4))",
            "unexpected discriminant: 4",
        ),
        (
            "rows of no shape",
            "(i32.store8 offset=16 (global.get $answer) (i32.const 2))",
            "unexpected discriminant: 2",
        ),
        (
            "arguments of no kind",
            "(i32.store8 offset=8 (call $statement) (i32.const 3))",
            "unexpected discriminant: 3",
        ),
        (
            "an access beyond the widest",
            "(i32.store8 offset=24 (call $statement) (i32.const 3))",
            "unexpected discriminant: 3",
        ),
        (
            "neither a bound nor none",
            "(i32.store8 offset=32 (call $statement) (i32.const 2))",
            "invalid option discriminant",
        ),
    ])
}

fn descriptions() -> Vec<Attack> {
    let parameter = "(i32.load offset=20 (call $first_command))";
    let rows = [
        (
            "a manifest outside of memory",
            "(return (i32.const -4))".to_owned(),
            "pointer out of bounds of memory",
        ),
        (
            "a name that is no text",
            "(i32.store8 (i32.load (global.get $manifest)) (i32.const 0xff))".into(),
            "invalid utf-8",
        ),
        (
            "a name outside of memory",
            "(i32.store (global.get $manifest) (i32.const -1))".into(),
            "string pointer/length out of bounds of memory",
        ),
        (
            "four thousand million commands",
            "(i32.store offset=28 (global.get $manifest) (i32.const -1))".into(),
            "list pointer/length out of bounds of memory",
        ),
        (
            "a command with an access beyond the widest",
            "(i32.store8 offset=16 (call $first_command) (i32.const 3))".into(),
            "unexpected discriminant: 3",
        ),
        (
            "a parameter of no kind",
            format!("(i32.store8 offset=8 {parameter} (i32.const 5))"),
            "unexpected discriminant: 5",
        ),
        (
            "neither a schema nor none",
            format!("(i32.store8 offset=20 {parameter} (i32.const 255))"),
            "invalid option discriminant",
        ),
    ];
    let refused =
        rows.map(|(name, code, says)| Attack::new(name, &Guest::describing(code)).refused(says));
    // Anything but zero is true; the contract of the ABI says so.
    let raw = "(i32.store8 offset=17 (call $first_command) (i32.const 255))";
    let raw = Attack::new("truer than true", &Guest::describing(raw)).answers("[[1]]");
    refused.into_iter().chain([raw]).collect()
}

fn failing(code: &str, message: &str, pointer: Option<&str>) -> Guest {
    Guest {
        answer: Answer::Failure {
            code: code.into(),
            message: message.into(),
            pointer: pointer.map(str::to_owned),
        },
        ..Guest::default()
    }
}

fn failures() -> Vec<Attack> {
    let endless = "ä".repeat(500_000);
    let long = "A".repeat(65);
    let codes = ["", "a code", "<script>", "ÄÖÜ", "A\n", &long];
    let codes = codes.map(|code| {
        Attack::new(
            format!("fails with the code {code:?}"),
            &failing(code, "no", None),
        )
        .fails("a code that is not a name")
    });
    let stage = Guest {
        plan: "(i32.store8 offset=32 (global.get $answer) (i32.const 2))".into(),
        ..failing("No", "no", None)
    };
    let message = Guest {
        plan: "(i32.store8 (i32.load offset=12 (global.get $answer)) (i32.const 0xff))".into(),
        ..failing("No", "no", None)
    };
    let others = [
        Attack::new(
            "fails with an endless message",
            &failing("No", &endless, None),
        )
        .fails_by(Culprit::Caller, "No: ää"),
        Attack::new(
            "fails at an endless place",
            &failing("No", "no", Some(&endless)),
        )
        .fails_by(Culprit::Caller, "No: no"),
        Attack::new("fails with an endless code", &failing(&endless, "no", None))
            .fails("a code that is not a name"),
        Attack::new("fails at no stage", &stage).fails("unexpected discriminant: 2"),
        Attack::new("fails with a message that is no text", &message).fails("invalid utf-8"),
    ];
    codes.into_iter().chain(others).collect()
}
