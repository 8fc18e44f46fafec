//! `cargo fuzz run btf`; what it does is in `src/btf.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::btf::run(data));
