#![no_main]

use airlock_tests::fuzz::sessions;

libfuzzer_sys::fuzz_target!(|input: &[u8]| sessions::check(input));
