//! Experiments on simulated bottlenecks, as `lab` runs them, with the facade's errors.

use crate::Error;
use lab::{Cast, Notice, Run, Scenario, Setup, Source};

/// Runs one algorithm, or one and then another ([`Cast::swap`]).
///
/// # Errors
/// [`Error::Run`].
pub fn try_out(scenario: &Scenario, cast: &Cast, notice: &mut dyn FnMut(Notice)) -> Result<Run, Error> {
    Ok(lab::run(scenario, cast, notice)?)
}

/// Runs each algorithm alone over the same bottleneck, or with `mix` all at once.
///
/// # Errors
/// [`Error::Run`]; the first that fails ends the comparison.
pub fn compare(
    scenario: &Scenario,
    sources: &[Source],
    mix: bool,
    setup: Setup,
    notice: &mut dyn FnMut(usize, Notice),
) -> Result<Vec<Run>, Error> {
    Ok(lab::compare(scenario, sources, mix, setup, notice)?)
}
