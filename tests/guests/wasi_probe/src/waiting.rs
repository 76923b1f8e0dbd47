//! What programs can do by WASI itself: every function that works, and one that is closed.

use serde_json::{Value, json};
use wasip2::cli::{stderr, stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::random::{insecure, insecure_seed, random};

/// Some days in nanoseconds: longer than anybody waits.
const DAYS: u64 = 300_000_000_000_000;

pub(crate) fn poll() -> Value {
    let begin = monotonic_clock::now();
    let late = monotonic_clock::subscribe_duration(2 * DAYS);
    let soon = monotonic_clock::subscribe_instant(begin + DAYS);
    let before = [late.ready(), soon.ready()];
    let first = wasip2::io::poll::poll(&[&late, &soon]);
    let between = monotonic_clock::now() - begin;
    late.block();
    let both = wasip2::io::poll::poll(&[&late, &soon]);
    let end = monotonic_clock::now() - begin;
    let never = monotonic_clock::subscribe_duration(u64::MAX);
    never.block();
    json!({
        "before": before, "first": first, "between": between, "both": both, "end": end,
        "resolution": monotonic_clock::resolution(), "last": monotonic_clock::now(),
    })
}

pub(crate) fn poll_nothing() -> Value {
    json!(wasip2::io::poll::poll(&[]))
}

pub(crate) fn streams() -> Value {
    let (input, output, errors) = (
        stdin::get_stdin(),
        stdout::get_stdout(),
        stderr::get_stderr(),
    );
    let ready = [input.subscribe().ready(), output.subscribe().ready()];
    let closed = [
        input.read(10).is_err(),
        input.blocking_read(10).is_err(),
        input.skip(10).is_err(),
        input.blocking_skip(10).is_err(),
        output.splice(&input, 10).is_err(),
        output.blocking_splice(&input, 10).is_err(),
    ];
    let written = [
        output.write(b"a").is_ok(),
        output.blocking_write_and_flush(b"b").is_ok(),
        output.write_zeroes(1).is_ok(),
        output.blocking_write_zeroes_and_flush(1).is_ok(),
        errors.flush().is_ok(),
        errors.blocking_flush().is_ok(),
    ];
    let terminals = [
        terminal_stdin::get_terminal_stdin().is_some(),
        terminal_stdout::get_terminal_stdout().is_some(),
        terminal_stderr::get_terminal_stderr().is_some(),
    ];
    json!({
        "ready": ready, "closed": closed, "written": written, "terminals": terminals,
        "permit": output.check_write().is_ok_and(|permit| permit > 0),
    })
}

pub(crate) fn numbers() -> Value {
    let now = wall_clock::now();
    json!({
        "bytes": [random::get_random_bytes(9), insecure::get_insecure_random_bytes(9)],
        "numbers": [random::get_random_u64(), insecure::get_insecure_random_u64()],
        "seed": insecure_seed::insecure_seed(),
        "wall": [now.seconds, u64::from(now.nanoseconds)],
        "resolution": wall_clock::resolution().nanoseconds,
    })
}

pub(crate) fn http() -> Value {
    json!(wasip2::http::types::Fields::new().entries().len())
}
