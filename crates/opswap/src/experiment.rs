//! Experiments on simulated bottlenecks, as `lab` runs them, with the facade's errors.

use crate::Error;
use lab::{Cast, Progress, Run, Scenario, Setup, Source};

/// Runs one algorithm, or one and then another ([`Cast::swap`]).
///
/// # Errors
/// [`Error::Run`].
pub fn try_out(scenario: &Scenario, cast: &Cast, progress: &mut dyn FnMut(Progress)) -> Result<Run, Error> {
    Ok(lab::run(scenario, cast, progress)?)
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
    progress: &mut dyn FnMut(usize, Progress),
) -> Result<Vec<Run>, Error> {
    Ok(lab::compare(scenario, sources, mix, setup, progress)?)
}
