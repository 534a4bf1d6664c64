//! See `dolt_store::fuzzing`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dolt_store_fuzz::run("document", bytes));
