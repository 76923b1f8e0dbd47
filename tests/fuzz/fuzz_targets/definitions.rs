#![no_main]

use airlock_tests::fuzz::definitions;

libfuzzer_sys::fuzz_target!(|input: &[u8]| definitions::check(input));
