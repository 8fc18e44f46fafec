//! `cargo xtask test`: everything that must hold before a change is taken. CI runs this and nothing else.

use crate::run::{StepError, step};
use crate::{algorithms, packages, root, tidy};

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
    step(&here, &["cargo", "fmt", "--all", "--check"], &[], 120)?;
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
        1200,
    )?;
    step(&here, &["cargo", "test", "--workspace", "--locked"], environment, 1500)?;
    step(
        &here,
        &["cargo", "doc", "--workspace", "--no-deps", "--locked"],
        &[("RUSTDOCFLAGS", "-D warnings")],
        600,
    )
}
