#![no_main]

use airlock_tests::fuzz::plans;

libfuzzer_sys::fuzz_target!(|input: &[u8]| plans::check(input));
