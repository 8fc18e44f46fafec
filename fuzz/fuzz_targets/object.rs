//! `cargo fuzz run object`; what it does is in `src/object.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::object::run(data));
