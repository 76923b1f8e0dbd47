#![no_main]

use airlock_tests::fuzz::connection_strings;

libfuzzer_sys::fuzz_target!(|input: &[u8]| connection_strings::check(input));
