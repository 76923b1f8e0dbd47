#![no_main]

use airlock_tests::fuzz::bodies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::check(input));
