//! Connectors that take more than they may: time, memory, tables, instances, stack.

use super::Attack;
use crate::hostile::{Guest, command, manifest};
use airlock::plan::{Access, Manifest};

const LOOP: &str = "(loop $again (br $again))";

/// Fuel that a loop burns in no time.
const LITTLE_FUEL: u64 = 1_000_000;

pub(super) fn attacks() -> Vec<Attack> {
    [
        compiling(),
        probing(),
        fuel(),
        time(),
        memory(),
        tables(),
        instances(),
        stack(),
        output(),
    ]
    .concat()
}

/// A connector that plans until its usual limits end it, which takes seconds.
#[must_use]
pub fn endless() -> Attack {
    Attack::new("loops up to the usual limits", &Guest::planning(LOOP)).fails("plan_")
}

fn starting(code: &str) -> Guest {
    Guest::default().with_fields(format!("(func $begin {code}) (start $begin)"))
}

fn allocating(code: &str) -> Guest {
    Guest {
        allocate: code.into(),
        ..Guest::default()
    }
}

/// Each example keeps within its limits; all together do not.
fn probing() -> Vec<Attack> {
    let commands = (0..200).map(|at| command(&format!("C{at}"), Access::Read));
    let manifest = Manifest {
        commands: commands.collect(),
        ..manifest()
    };
    let slow = "(local $left i32) (local.set $left (i32.const 3000000))
        (loop $again
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br_if $again (local.get $left)))";
    let guest = Guest {
        manifest,
        ..Guest::planning(slow)
    };
    let attack = Attack::new("has many slow examples", &guest).probed();
    vec![
        attack
            .within(|limits| limits.probe_ms = 100)
            .refused_at("probe_ms"),
    ]
}

/// Files that are small and take the compiler long, and much memory.
fn compiling() -> Vec<Attack> {
    let step = "(local.set 0 (i32.rem_s (i32.mul (local.get 0) (local.get 1)) (local.get 0)))";
    let function = format!("(func (param i32 i32) {})", step.repeat(100_000));
    let bomb = Guest::default().with_fields(function);
    vec![
        Attack::new("compiles for ages", &bomb)
            .within(|limits| limits.compile_ms = 300)
            .refused_at("compile_ms"),
        Attack::new("compiles with much memory", &bomb)
            .within(|limits| limits.compile_memory_bytes = 256 << 20)
            .refused_at("compile_memory_bytes"),
    ]
}

fn fuel() -> Vec<Attack> {
    let tail_calls = "(func $again (return_call $again))";
    let afterwards = format!(r#"(func (export "cabi_post_plan") (param i32) {LOOP})"#);
    let calls = [
        ("loops while it plans", Guest::planning(LOOP)),
        ("loops while it takes the call", allocating(LOOP)),
        (
            "loops when its plan was taken",
            Guest::default().with_fields(afterwards),
        ),
        (
            "loops by tail calls",
            Guest::planning("(call $again)").with_fields(tail_calls),
        ),
    ];
    let calls = calls.map(|(name, guest)| Attack::new(name, &guest).fails_at("plan_fuel"));
    let loads = [
        ("loops while it describes itself", Guest::describing(LOOP)),
        ("loops when it starts", starting(LOOP)),
    ];
    let loads = loads.map(|(name, guest)| Attack::new(name, &guest).refused_at("plan_fuel"));
    let all = calls.into_iter().chain(loads);
    all.map(|attack| attack.within(|limits| limits.plan_fuel = LITTLE_FUEL))
        .collect()
}

/// Where fuel does not tell, the clock does.
fn time() -> Vec<Attack> {
    let fill = "(memory.fill (i32.const 0) (i32.const 1) (i32.const 6000000))";
    let filling = |code: String| Guest {
        pages: 100,
        ..Guest::planning(code)
    };
    let grow = "(loop $again (drop (memory.grow (i32.const 0))) (br $again))";
    let calls = [
        ("loops with fuel for ages", Guest::planning(LOOP)),
        (
            "fills its memory again and again",
            filling(format!("(loop $again {fill} (br $again))")),
        ),
        (
            "fills its memory many times without a loop",
            filling(fill.repeat(1_000)),
        ),
        ("asks for no memory again and again", Guest::planning(grow)),
    ];
    let calls = calls.map(|(name, guest)| Attack::new(name, &guest).fails_at("plan_ms"));
    let count = "(local.set $command (i32.const 60000000))
        (loop $again
          (local.set $command (i32.sub (local.get $command) (i32.const 1)))
          (br_if $again (local.get $command)))";
    // Longer than what is waited for at the usual priority.
    let patient = Attack::new("counts to sixty million", &Guest::planning(count))
        .within(|limits| limits.plan_ms = 60_000)
        .answers("[[1]]");
    let start = Attack::new("starts for ages", &starting(LOOP)).refused_at("plan_ms");
    let all = calls.into_iter().chain([start]);
    all.map(|attack| {
        attack.within(|limits| {
            limits.plan_fuel = u64::MAX;
            limits.plan_ms = 50;
        })
    })
    .chain([patient])
    .collect()
}

fn memory() -> Vec<Attack> {
    let pages = |pages| Guest {
        pages,
        ..Guest::default()
    };
    let beside = r#"(component $bomb
      (core module $half (memory 600))
      (core instance (instantiate $half)))
      (instance (instantiate $bomb))"#;
    let grow = "(memory.grow (i32.const 2000))";
    let touch = "(loop $again
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
      (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (i32.const 7))
      (br $again))";
    vec![
        Attack::new("memory beyond the limit from the start", &pages(1_100))
            .refused_at("memory_bytes"),
        Attack::new("memory beyond what is set aside", &pages(4_000))
            .refused("which exceeds the limit of"),
        Attack::new(
            "two memories that are too large together",
            &Guest {
                pages: 600,
                ..Guest::default().with_parts(beside)
            },
        )
        .refused_at("memory_bytes"),
        Attack::new(
            "grows its memory at once",
            &Guest::planning(format!(
                "(if (i32.eq {grow} (i32.const -1)) (then unreachable))"
            )),
        )
        .fails_at("memory_bytes"),
        Attack::new("grows its memory page by page", &Guest::planning(touch))
            .within(|limits| limits.memory_bytes = 4 << 20)
            .fails_at("memory_bytes"),
        Attack::new(
            "asks for too much memory and takes the no",
            &Guest::planning(format!("(drop {grow})")),
        )
        .answers("[[1]]"),
        Attack::new(
            "grows its memory when it starts",
            &starting(&format!(
                "(if (i32.eq {grow} (i32.const -1)) (then unreachable))"
            )),
        )
        .refused_at("memory_bytes"),
    ]
}

fn tables() -> Vec<Attack> {
    let table = |size| Guest::default().with_fields(format!("(table {size} funcref)"));
    let grow = "(if (i32.eq (table.grow $t (ref.null func) (i32.const 5000)) (i32.const -1))
      (then unreachable))";
    let growing = Guest::planning(grow).with_fields("(table $t 1 funcref)");
    let beside = r#"(component $bomb
      (core module $half (table 1500 funcref))
      (core instance (instantiate $half)))
      (instance (instantiate $bomb))"#;
    let many = format!(
        "(component $bomb (core module $one (table 1 funcref)) {})
         (instance (instantiate $bomb))",
        "(core instance (instantiate $one))".repeat(5)
    );
    vec![
        Attack::new("a table beyond the limit", &table(3_000)).refused_at("table_elements"),
        Attack::new("a table beyond what is set aside", &table(1_000_000))
            .refused("which exceeds the limit of"),
        Attack::new(
            "two tables that are too large together",
            &table(1_500).with_parts(beside),
        )
        .refused_at("table_elements"),
        Attack::new("grows its table", &growing).fails_at("table_elements"),
        Attack::new("many tables", &Guest::default().with_parts(many)).refused_at("tables"),
    ]
}

/// A component inside that makes this many instances of a module with these fields.
fn instances_of(fields: &str, count: usize) -> Guest {
    let instances = "(core instance (instantiate $one))".repeat(count);
    Guest::default().with_parts(format!(
        "(component $bomb (core module $one {fields}) {instances}) (instance (instantiate $bomb))"
    ))
}

fn instances() -> Vec<Attack> {
    let hoard = r#"(component $hoard
      (type $thing (resource (rep i32)))
      (core func $new (canon resource.new $thing))
      (core module $m
        (import "" "new" (func $new (param i32) (result i32)))
        (func $begin (loop $again (drop (call $new (i32.const 0))) (br $again)))
        (start $begin))
      (core instance $own (export "new" (func $new)))
      (core instance (instantiate $m (with "" (instance $own)))))
      (instance (instantiate $hoard))"#;
    vec![
        Attack::new("many memories", &instances_of("(memory 1)", 3)).refused_at("memories"),
        Attack::new("many instances", &instances_of("", 10)).refused_at("core_instances"),
        Attack::new(
            "more instances than there is room for",
            &instances_of("", 1_000),
        )
        .refused("core module instances, which exceeds the configured maximum"),
        Attack::new(
            "hoards handles of a resource of its own",
            &Guest::default().with_parts(hoard),
        )
        .refused("the limit its handles"),
    ]
}

fn stack() -> Vec<Attack> {
    let direct = "(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))";
    let indirect = "(table 1 1 funcref) (elem (i32.const 0) $deep) (type $code (func (result i32)))
      (func $deep (result i32)
        (i32.add (call_indirect (type $code) (i32.const 0)) (i32.const 1)))";
    let begins = format!("{direct} (func $begin (drop (call $deep))) (start $begin)");
    vec![
        Attack::new(
            "calls itself without end",
            &Guest::planning("(drop (call $deep))").with_fields(direct),
        )
        .fails_at("stack_bytes"),
        Attack::new(
            "calls itself through a table without end",
            &Guest::planning("(drop (call $deep))").with_fields(indirect),
        )
        .fails_at("stack_bytes"),
        Attack::new(
            "calls itself when it starts",
            &Guest::default().with_fields(begins),
        )
        .refused_at("stack_bytes"),
    ]
}

/// More data than a plan may have.
fn output() -> Vec<Attack> {
    let roomy = |pages, code: &str| Guest {
        pages,
        ..Guest::planning(code)
    };
    // Every statement is the same one.
    let same = "(local $at i32)
      (i32.store (call $statement) (i32.const 200000))
      (i32.store offset=4 (call $statement) (i32.const 100000))
      (local.set $at (i32.const 131072))
      (loop $again
        (memory.copy (local.get $at) (call $statement) (i32.const 48))
        (local.set $at (i32.add (local.get $at) (i32.const 48)))
        (br_if $again (i32.lt_u (local.get $at) (i32.const 174272))))
      (i32.store offset=4 (global.get $answer) (i32.const 131072))
      (i32.store offset=8 (global.get $answer) (i32.const 900))";
    let summary = Manifest {
        summary: "x".repeat(3_000),
        ..manifest()
    };
    vec![
        Attack::new(
            "a statement of a million characters",
            &roomy(
                20,
                "(i32.store offset=4 (call $statement) (i32.const 1000000))",
            ),
        )
        .within(|limits| limits.plan_bytes = 100_000)
        .fails_at("plan_bytes"),
        Attack::new(
            "a million statements",
            &roomy(
                800,
                "(i32.store offset=8 (global.get $answer) (i32.const 1000000))",
            ),
        )
        .fails_at("plan_bytes"),
        Attack::new("one long text in nine hundred statements", &roomy(4, same))
            .fails_at("plan_bytes"),
        Attack::new("a long summary", &Guest::described_by(summary))
            .within(|limits| limits.manifest_bytes = 2_000)
            .refused_at("manifest_bytes"),
    ]
}
