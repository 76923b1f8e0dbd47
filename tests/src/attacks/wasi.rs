//! Connectors that may import WASI and abuse it, and imports that are not WASI.

use super::Attack;
use crate::hostile::{Guest, WIT};
use airlock::Imports;

pub(super) fn attacks() -> Vec<Attack> {
    let attacks = [output(), random(), waiting(), ends(), closed(), foreign()].concat();
    let granted = |attack: Attack| attack.granted(Imports::VirtualWasi);
    attacks.into_iter().map(granted).collect()
}

/// As much of WASI as the attacks call.
const WASI: &str = "
package wasi:io@0.2.0 {
    interface error { resource error; }
    interface poll {
        resource pollable { ready: func() -> bool; block: func(); }
        poll: func(in: list<borrow<pollable>>) -> list<u32>;
    }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
        resource output-stream {
            write: func(contents: list<u8>) -> result<_, stream-error>;
            write-zeroes: func(len: u64) -> result<_, stream-error>;
        }
    }
}
package wasi:cli@0.2.0 {
    interface exit { exit: func(status: result); }
    interface stdin { use wasi:io/streams@0.2.0.{input-stream}; get-stdin: func() -> input-stream; }
    interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
}
package wasi:clocks@0.2.0 {
    interface monotonic-clock {
        use wasi:io/poll@0.2.0.{pollable};
        now: func() -> u64;
        subscribe-duration: func(when: u64) -> pollable;
    }
}
package wasi:random@0.2.0 {
    interface random { get-random-bytes: func(len: u64) -> list<u8>; }
}
package wasi:evil@0.2.0 {
    interface anything { take: func(bytes: list<u8>); }
}
";

/// The functions above: interface, name, and the name and type that the guest's code has for them.
const FUNCTIONS: [(&str, &str, &str, &str); 13] = [
    ("wasi:cli/exit", "exit", "$exit", "(param i32)"),
    ("wasi:cli/stdin", "get-stdin", "$stdin", "(result i32)"),
    ("wasi:cli/stdout", "get-stdout", "$stdout", "(result i32)"),
    ("wasi:clocks/monotonic-clock", "now", "$now", "(result i64)"),
    (
        "wasi:clocks/monotonic-clock",
        "subscribe-duration",
        "$subscribe",
        "(param i64) (result i32)",
    ),
    (
        "wasi:io/poll",
        "[method]pollable.block",
        "$block",
        "(param i32)",
    ),
    (
        "wasi:io/poll",
        "[resource-drop]pollable",
        "$drop",
        "(param i32)",
    ),
    ("wasi:io/poll", "poll", "$poll", "(param i32 i32 i32)"),
    (
        "wasi:io/streams",
        "[method]input-stream.blocking-read",
        "$read",
        "(param i32 i64 i32)",
    ),
    (
        "wasi:io/streams",
        "[method]output-stream.write",
        "$write",
        "(param i32 i32 i32 i32)",
    ),
    (
        "wasi:io/streams",
        "[method]output-stream.write-zeroes",
        "$zeroes",
        "(param i32 i64 i32)",
    ),
    (
        "wasi:random/random",
        "get-random-bytes",
        "$random",
        "(param i64 i32)",
    ),
    ("wasi:evil/anything", "take", "$take", "(param i32 i32)"),
];

/// A connector whose code may call the functions above.
fn calling(code: &str) -> Guest {
    let mut interfaces: Vec<_> = FUNCTIONS.iter().map(|(interface, ..)| interface).collect();
    interfaces.dedup();
    let imports = interfaces
        .iter()
        .map(|interface| format!("import {interface}@0.2.0;\n"));
    let world = imports.collect::<String>() + "\n    export describe";
    let functions = FUNCTIONS.map(|(interface, function, name, kind)| {
        format!(r#"(import "{interface}@0.2.0" "{function}" (func {name} {kind}))"#)
    });
    Guest {
        wit: WIT.replacen("export describe", &world, 1) + WASI,
        ..Guest::planning(code)
    }
    .with_fields(functions.concat())
}

/// Code again and again.
fn forever(code: &str) -> String {
    format!("(loop $again {code} (br $again))")
}

fn output() -> Vec<Attack> {
    let write = "(call $write (call $stdout) (i32.const 64) (i32.const 1000) (i32.const 0))";
    let huge = Guest {
        pages: 100,
        ..calling("(call $write (call $stdout) (i32.const 64) (i32.const 5000000) (i32.const 0))")
    };
    let escape = r#"(data (i32.const 0) "\1b[2J\ff\00\n")"#;
    let mut escaping =
        calling("(call $write (call $stdout) (i32.const 0) (i32.const 8) (i32.const 16))");
    escaping.fields += escape;
    let describing = Guest {
        describe: forever(write),
        ..calling("")
    };
    vec![
        Attack::new("prints again and again", &calling(&forever(write))).fails_at("log_bytes"),
        Attack::new("prints all of its memory", &huge).fails_at("log_bytes"),
        Attack::new(
            "prints more zeroes than there is memory",
            &calling("(call $zeroes (call $stdout) (i64.const -1) (i32.const 0))"),
        )
        .fails_at("log_bytes"),
        Attack::new(
            "prints a few zeroes again and again",
            &calling(&forever(
                "(call $zeroes (call $stdout) (i64.const 1) (i32.const 0))",
            )),
        )
        .within(|limits| limits.log_bytes = 500)
        .fails_at("log_bytes"),
        Attack::new("prints what is no text", &escaping).answers("[[1]]"),
        Attack::new("prints while it describes itself", &describing).refused_at("log_bytes"),
    ]
}

fn random() -> Vec<Attack> {
    let roomy = Guest {
        pages: 10,
        // All of it to the same place.
        allocate: "(if (i32.eq (local.get $bytes) (i32.const 65536))
            (then (return (i32.const 65536))))"
            .into(),
        ..calling(&forever("(call $random (i64.const 65536) (i32.const 0))"))
    };
    vec![
        Attack::new(
            "asks for more random bytes than there is memory",
            &calling("(call $random (i64.const -1) (i32.const 0))"),
        )
        .fails("random bytes at once"),
        Attack::new("asks for random bytes again and again", &roomy)
            .within(|limits| {
                limits.plan_fuel = u64::MAX;
                limits.plan_ms = 50;
            })
            .fails_at("plan_ms"),
    ]
}

fn waiting() -> Vec<Attack> {
    let sleep = "(local.set $command (call $subscribe (i64.const 3600000000000)))
        (call $block (local.get $command))
        (call $drop (local.get $command))";
    let same = format!(
        "(local.set $command (call $subscribe (i64.const -1)))
         (local.set $input (i32.const 65536))
         (loop $fill
           (i32.store (local.get $input) (local.get $command))
           (local.set $input (i32.add (local.get $input) (i32.const 4)))
           (br_if $fill (i32.lt_u (local.get $input) (i32.const 4000000))))
         (call $poll (i32.const 65536) (i32.const {}) (i32.const 0))",
        (4_000_000 - 65_536) / 4
    );
    let polling = Guest {
        pages: 100,
        ..calling(&same)
    };
    vec![
        Attack::new("sleeps for hours", &calling(&sleep.repeat(3))).answers("[[1]]"),
        Attack::new("sleeps again and again", &calling(&forever(sleep)))
            .within(|limits| {
                limits.plan_fuel = u64::MAX;
                limits.plan_ms = 50;
            })
            .fails_at("plan_ms"),
        Attack::new(
            "waits for the clock to move",
            &calling("(loop $again (br_if $again (i64.eqz (call $now))))"),
        )
        .within(|limits| limits.plan_fuel = 1_000_000)
        .fails_at("plan_fuel"),
        Attack::new("polls one moment a million times at once", &polling).fails("its handles"),
        Attack::new(
            "subscribes to more and more",
            &calling(&forever("(drop (call $subscribe (i64.const 1)))")),
        )
        .fails("its handles"),
        Attack::new(
            "opens its input again and again",
            &calling(&forever("(drop (call $stdin))")),
        )
        .fails("its handles"),
        Attack::new(
            "reads its input again and again",
            &calling(&format!(
                "(local.set $command (call $stdin)) {}",
                forever("(call $read (local.get $command) (i64.const -1) (i32.const 0))")
            )),
        )
        .within(|limits| limits.plan_fuel = 1_000_000)
        .fails_at("plan_fuel"),
        Attack::new(
            "waits for what it dropped",
            &calling(
                "(local.set $command (call $subscribe (i64.const 1)))
                 (call $drop (local.get $command))
                 (call $block (local.get $command))",
            ),
        )
        .fails("failed while planning"),
        Attack::new(
            "waits for its output as for a moment",
            &calling("(call $block (call $stdout))"),
        )
        .fails("failed while planning"),
    ]
}

fn ends() -> Vec<Attack> {
    let describing = Guest {
        describe: "(call $exit (i32.const 0))".into(),
        ..calling("")
    };
    vec![
        Attack::new("exits", &calling("(call $exit (i32.const 1))"))
            .fails("exited with the code 1"),
        Attack::new("exits while it describes itself", &describing)
            .refused("exited with the code 0"),
    ]
}

fn closed() -> Vec<Attack> {
    let handing = Guest {
        pages: 100,
        ..calling("(call $take (i32.const 0) (i32.const 5000000))")
    };
    vec![
        Attack::new(
            "calls what is closed",
            &calling("(call $take (i32.const 0) (i32.const 1))"),
        )
        .fails("wasi:evil/anything@0.2.0#take, which is closed"),
        Attack::new("hands much to what is closed", &handing).fails_at("plan_bytes"),
    ]
}

/// Components that call something WASI which is not, and what the grant does not reach.
fn foreign() -> Vec<Attack> {
    let refused = |name: &str, import: &str, says: &str| {
        let text = format!("(component {import})");
        Attack::by_file(name, wat::parse_str(text).unwrap()).refused(says)
    };
    let many: String = (0..3_000)
        .map(|at| format!(r#"(export "f{at}" (func))"#))
        .collect();
    let long = "x".repeat(50_000);
    vec![
        refused(
            "imports a clock with a pollable of its own",
            r#"(import "wasi:clocks/monotonic-clock@0.2.0" (instance
                (export "pollable" (type $p (sub resource)))
                (export "subscribe-duration"
                    (func (param "when" u64) (result (own $p))))))"#,
            "not those of WASI",
        ),
        refused(
            "imports random numbers of another type",
            r#"(import "wasi:random/random@0.2.0" (instance
                (export "get-random-u64" (func (result u32)))))"#,
            "not those of WASI",
        ),
        refused(
            "imports a module in the name of WASI",
            r#"(import "wasi:random/random@0.2.0" (instance (export "m" (core module))))"#,
            "more than functions, types and resources",
        ),
        refused(
            "imports more functions than WASI has",
            &format!(r#"(import "wasi:evil/{long}@0.2.0" (instance {many}))"#),
            "more of WASI than there is",
        ),
        refused(
            "imports a function in the name of WASI",
            r#"(import "wasi:random/random@0.2.0" (func))"#,
            "not granted",
        ),
        refused(
            "imports the next WASI",
            r#"(import "wasi:random/random@0.3.0" (instance))"#,
            "not granted",
        ),
        refused(
            "imports a draft of WASI",
            r#"(import "wasi:random/random@0.2.0-rc" (instance))"#,
            "not granted",
        ),
        refused(
            "imports something else where WASI is granted",
            r#"(import "evil:random/random@0.2.0" (instance))"#,
            "not granted",
        ),
    ]
}
