//! Tests of the crate from outside. One program, so that it is linked once; one module a topic.

mod agreement;
mod build;
mod cases;
mod conformance;
mod decode_linux;
mod fuzz_seeds;
mod linker;
mod linux;
