//! `opswap unload`: unregisters algorithms and removes what was kept of them. What goes wrong with one keeps none of the others.

use super::change::{self, Change};
use super::{host, or_not_found};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn run(
    names: &[String],
    default: Option<&str>,
    ignore_not_found: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let host = host(common)?;
    let mut changes = Vec::new();
    let mut failed = None;
    let mut others = Vec::new();
    for name in names {
        let unloaded = match default {
            Some(default) => host.unload_to(name, default),
            None => host.unload(name),
        };
        match or_not_found(unloaded, ignore_not_found, output) {
            Ok(unloaded) => changes.extend(unloaded.map(Change::Unloaded)),
            Err(error) if failed.is_none() => failed = Some(Failure::Operation(error)),
            Err(error) => others.push(format!("also: {error}")),
        }
    }
    if output.json() {
        others.drain(..).for_each(|other| output.note(&other));
    }
    let done = match failed {
        // Nothing was done: the error is all there is to say.
        Some(failure) if changes.is_empty() => Err(failure),
        failed => change::show(changes, failed, &host, common, output),
    };
    match done {
        // What went wrong first is said first.
        Err(failure) if !others.is_empty() => {
            failure.show(output);
            others.iter().for_each(|other| output.note(other));
            Err(Failure::Shown(failure.exit()))
        }
        done => done,
    }
}
