//! One suite for every kernel: what Linux 6.18 does, asked of a [`Bpf`] as a caller sees it.
//!
//! Linux is right by definition: run on it first, then on the embedded kernel. Only what has been measured on Linux is in here
//! (`docs/linux-notes.md`).

mod links;
mod maps;
mod objects;
mod programs;
mod tables;
mod types;

use crate::ops::Ops;
use bpf::Bpf;
use std::path::Path;

/// Where the scenarios run.
pub struct Ground<'k> {
    /// The kernel in question.
    pub kernel: &'k dyn Bpf,
    /// Makes tables on it.
    pub ops: Ops<'k>,
    /// An existing directory for pins of this run alone.
    pub pins: &'k Path,
}

/// A scenario: its name, and what it does. It fails by panicking.
pub type Scenario = (&'static str, fn(&Ground<'_>));

/// All scenarios, simple ones first.
pub fn scenarios() -> Vec<Scenario> {
    [
        maps::SCENARIOS,
        programs::SCENARIOS,
        types::SCENARIOS,
        tables::SCENARIOS,
        links::SCENARIOS,
        objects::SCENARIOS,
    ]
    .concat()
}

/// Runs every scenario. `pins` is an existing directory where pins can be made, used by nobody else.
///
/// # Panics
/// When one or more fail; all run, and the message names those that failed.
pub fn conformance(kernel: &dyn Bpf, pins: &Path) {
    let mut failed = Vec::new();
    for (name, scenario) in scenarios() {
        let run = || {
            scenario(&Ground {
                kernel,
                ops: Ops::new(kernel),
                pins,
            });
        };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
            failed.push(name);
            Ops::new(kernel).unregister_ours();
        }
    }
    assert!(failed.is_empty(), "not as on Linux 6.18: {}", failed.join(", "));
}
