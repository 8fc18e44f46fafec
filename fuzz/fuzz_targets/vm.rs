//! `cargo fuzz run vm`; what it does is in `src/vm.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::vm::run(data));
