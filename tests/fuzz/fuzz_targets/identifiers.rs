#![no_main]

use airlock_tests::fuzz::identifiers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| identifiers::check(input));
