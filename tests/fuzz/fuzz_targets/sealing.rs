#![no_main]

use airlock_tests::fuzz::sealing;

libfuzzer_sys::fuzz_target!(|input: &[u8]| sealing::check(input));
