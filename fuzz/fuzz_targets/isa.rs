//! `cargo fuzz run isa`; what it does is in `src/isa.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::isa::run(data));
