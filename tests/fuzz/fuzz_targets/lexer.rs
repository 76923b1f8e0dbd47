#![no_main]

use airlock_tests::fuzz::lexer;

libfuzzer_sys::fuzz_target!(|input: &[u8]| lexer::check(input));
