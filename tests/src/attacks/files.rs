//! Files that are no connector, and components that ask for more or offer less than the contract.

use super::Attack;
use crate::hostile::{Guest, WIT};

pub(super) fn attacks() -> Vec<Attack> {
    [
        files(),
        components(),
        imports(),
        foreign_types(),
        exports(),
        vec![
            Attack::new("a file that is too large", &Guest::default())
                .within(|limits| limits.component_bytes = 1_000)
                .refused_at("component_bytes"),
        ],
    ]
    .concat()
}

fn files() -> Vec<Attack> {
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    let good = Guest::default().component();
    let half = good[..good.len() / 2].to_vec();
    let noise = noise();
    [
        ("an empty file", Vec::new(), "not WebAssembly"),
        ("text", b"(component)".to_vec(), "not WebAssembly"),
        ("noise", noise.clone(), "not WebAssembly"),
        (
            "noise behind the first bytes of a component",
            [COMPONENT, &noise].concat(),
            "not a valid component",
        ),
        (
            "noise behind a good component",
            [&good, noise.as_slice()].concat(),
            "not a valid component",
        ),
        (
            "two components in one file",
            [good.as_slice(), &good].concat(),
            "not a valid component",
        ),
        ("half of a component", half, "not a valid component"),
        (
            "a core module",
            wat::parse_str("(module)").unwrap(),
            "core WebAssembly module",
        ),
        (
            "WebAssembly of another version",
            b"\0asm\x0c\0\x01\0".to_vec(),
            "unknown version",
        ),
    ]
    .map(|(name, file, says)| Attack::by_file(name, file).refused(says))
    .to_vec()
}

/// Bytes without an order, always the same.
fn noise() -> Vec<u8> {
    let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(7), step)
        .take(1_000)
        .map(|state: u32| state.to_be_bytes()[0])
        .collect()
}

fn by_text(name: &str, text: &str) -> Attack {
    Attack::by_file(name, wat::parse_str(text).unwrap())
}

/// Components that use what the sandbox does not have.
fn components() -> Vec<Attack> {
    [
        ("memory with 64-bit addresses", "(memory i64 1)"),
        ("memory shared by threads", "(memory 1 1 shared)"),
        ("two memories in one module", "(memory 1) (memory 1)"),
        ("exceptions", "(tag (param i32))"),
        ("garbage collection", "(type (struct (field i32)))"),
        (
            "two tables in one module",
            "(table 1 funcref) (table 1 funcref)",
        ),
    ]
    .map(|(name, fields)| {
        // The component has to use the module: what is never made instances of does no harm.
        let text =
            format!("(component (core module $m {fields}) (core instance (instantiate $m)))");
        by_text(name, &text).refused("not a valid component")
    })
    .to_vec()
}

fn imports() -> Vec<Attack> {
    [
        (
            "wasi:clocks/wall-clock@0.2.0",
            r#"(instance (export "now" (func (result u64))))"#,
        ),
        (
            "wasi:random/random@0.2.0",
            r#"(instance (export "get-random-u64" (func (result u64))))"#,
        ),
        (
            "wasi:filesystem/preopens@0.2.0",
            r#"(instance (export "get-directories" (func)))"#,
        ),
        (
            "wasi:sockets/tcp-create-socket@0.2.0",
            r#"(instance (export "create-tcp-socket" (func)))"#,
        ),
        (
            "wasi:cli/environment@0.2.0",
            r#"(instance (export "get-arguments" (func (result (list string)))))"#,
        ),
        ("wasi:io/streams@0.2.0", "(instance)"),
        (
            "evil:unknown/anything",
            r#"(instance (export "ask" (func)))"#,
        ),
        ("ask", "(func)"),
        ("code", "(core module)"),
        ("thing", "(type (sub resource))"),
        (
            "airlock:connector/types@0.1.0",
            r#"(instance (export "open" (func)))"#,
        ),
        (
            "airlock:connector/types@0.1.0-evil",
            r#"(instance (export "thing" (type (sub resource))))"#,
        ),
        ("airlock:connector/secrets@0.1.0", "(instance)"),
    ]
    .map(|(name, kind)| {
        let text = format!(r#"(component (import "{name}" {kind}))"#);
        by_text(&format!("imports {name} as {kind}"), &text).refused(name)
    })
    .into_iter()
    .chain([whole_connector_with_a_clock()])
    .collect()
}

/// Everything else of it is as it shall be.
fn whole_connector_with_a_clock() -> Attack {
    let guest = Guest {
        wit: WIT.replace(
            "export describe",
            "import now: func() -> u64;\n\nexport describe",
        ),
        ..Guest::planning("(drop (call $now))")
    };
    let guest = guest.with_fields(r#"(import "$root" "now" (func $now (result i64)))"#);
    Attack::new("a whole connector that asks for the time", &guest).refused("imports now")
}

/// Contracts that are not this one.
fn foreign_types() -> Vec<Attack> {
    [
        ("the next version of the contract", "@0.1.0", "@0.2.0"),
        (
            "a version of the contract that is to come",
            "@0.1.0",
            "@0.1.0-evil",
        ),
        (
            "the contract of somebody else",
            "package airlock:",
            "package evil:",
        ),
    ]
    .map(|(name, from, to)| {
        let wit = WIT.replace(from, to);
        let guest = Guest {
            wit,
            ..Guest::default()
        };
        Attack::new(name, &guest).refused("not granted")
    })
    .to_vec()
}

fn exports() -> Vec<Attack> {
    let other = [
        (
            "describes itself with text alone",
            "func() -> manifest",
            "func() -> string",
        ),
        (
            "plans from four numbers",
            "plan: func(call: call)",
            "plan: func(a: u32, b: u32, c: u32, d: u32)",
        ),
        (
            "counts rows with a sign",
            "max-affected: option<u64>",
            "max-affected: option<s64>",
        ),
        (
            "cannot be resumed",
            "export resume: func(call: call, state: list<u8>, outcomes: list<outcome>) -> result<plan, failure>;",
            "",
        ),
        (
            "knows an access that there is not",
            "        define,",
            "        define,\n        anything,",
        ),
    ];
    let other = other.map(|(name, from, to)| {
        assert!(WIT.contains(from), "the contract has no {from}");
        let guest = Guest {
            wit: WIT.replace(from, to),
            ..Guest::default()
        };
        Attack::new(name, &guest).refused("does not export the world")
    });
    let none = [
        ("exports nothing", "(component)"),
        (
            "exports functions that take nothing",
            r#"(component
              (core module $m (func (export "f")))
              (core instance $i (instantiate $m))
              (func $f (canon lift (core func $i "f")))
              (export "describe" (func $f))
              (export "plan" (func $f))
              (export "resume" (func $f)))"#,
        ),
        (
            "exports no functions",
            r#"(component
              (instance $i)
              (export "describe" (instance $i))
              (export "plan" (instance $i))
              (export "resume" (instance $i)))"#,
        ),
    ];
    let none = none.map(|(name, text)| by_text(name, text).refused("does not export the world"));
    other.into_iter().chain(none).collect()
}
