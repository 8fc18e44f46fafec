//! Tests of the crate from outside. One program, so that it is linked once; one module a topic.

mod callbacks;
mod dctcp;
mod hostile;
mod layout;
mod reno;
mod script;
mod world;
