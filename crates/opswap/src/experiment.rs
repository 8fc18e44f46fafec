//! Experiments on simulated bottlenecks, as `lab` runs them, with the facade's errors.

use crate::Error;
use lab::{Cast, Notice, Run, Scenario, Setup, Source};

/// The name under which the algorithm of a source would be registered; `None` when it is not one algorithm, or the embedded kernel lacks something that it
/// needs, which a run tells.
///
/// ```
/// let cubic = opswap::Source::find("cubic").unwrap();
/// assert_eq!(opswap::algorithm_name(&cubic).as_deref(), Some("bpf_cubic"));
/// ```
pub fn algorithm_name(source: &crate::Source) -> Option<String> {
    let plan = crate::check::plan(source, &crate::embedded().ok()?, &loader::PlanOptions::default()).ok()?;
    let [ops] = plan.ops() else { return None };
    let member = loader::rules::name_member(&ops.kind)?;
    ops.text(member)
}

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
