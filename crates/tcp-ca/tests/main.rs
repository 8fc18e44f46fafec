//! Tests of the crate from outside. One program, so that it is linked once; one module a topic.

mod against_linux;
mod algorithms;
mod calls;
mod common;
mod conformance;
mod lifetimes;
mod map_shapes;
mod reports;
mod support;
