//! Tests of the crate from outside. One program, so that it is linked once; one module a topic.

mod build;
mod c_header;
mod check;
mod common;
mod core;
mod damaged;
mod derive;
mod fields;
mod parse;
