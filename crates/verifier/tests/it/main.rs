//! Tests of the crate from outside. One program, so that it is linked once; one module a topic.

mod adversary;
mod against_linux;
mod cases;
mod execution;
mod generate;
mod hunt;
mod linux_types;
mod objects;
mod odd_slots;
mod programs;
mod pruning;
mod rng;
mod setting;
mod struct_access;
mod verdicts;
mod world;
