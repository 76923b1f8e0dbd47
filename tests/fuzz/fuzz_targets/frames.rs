#![no_main]

use airlock_tests::fuzz::frames;

libfuzzer_sys::fuzz_target!(|input: &[u8]| frames::check(input));
