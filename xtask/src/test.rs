//! `cargo xtask test`: everything that must hold before a change is taken. CI runs this and nothing else.

use crate::run::{StepError, step};
use crate::{algorithms, packages, root, tidy};

/// Where proptest looks for the seed of its cases.
const SEED: &str = "PROPTEST_RNG_SEED";

/// Packages, then all tests. What needs the Linux kernel says so loudly where it cannot run; `OPSWAP_REQUIRE_LINUX=1` makes that a failure.
pub(crate) fn all() -> Result<(), StepError> {
    packages::install()?;
    algorithms::check(&root())?;
    checks(&[])
}

/// The same without packages and without the Linux kernel.
pub(crate) fn quick() -> Result<(), StepError> {
    checks(&[("OPSWAP_NO_LINUX", "1")])
}

fn checks(environment: &[(&str, &str)]) -> Result<(), StepError> {
    let here = root();
    tidy::all(&here)?;
    step(&here, &["cargo", "fmt", "--all", "--check"], &[])?;
    step(
        &here,
        &[
            "cargo",
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
        &[],
    )?;
    // The same cases each time: a change fails for what it changed. Without the variable the properties look at new cases in every run.
    let seed = std::env::var(SEED).unwrap_or_else(|_| "1".to_owned());
    let environment = [environment, &[(SEED, &seed)]].concat();
    step(&here, &["cargo", "test", "--workspace", "--locked"], &environment)?;
    step(
        &here,
        &["cargo", "doc", "--workspace", "--no-deps", "--locked"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )
}
