//! `opswap rollback`: brings the previous version of an algorithm back.

use super::change::{self, Change};
use super::{host, or_not_found};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn run(name: &str, ignore_not_found: bool, common: &Common, output: &Output) -> Result<(), Failure> {
    let host = host(common)?;
    let swapped = or_not_found(host.rollback(name), ignore_not_found, output)?;
    let changes = swapped.into_iter().map(Change::RolledBack).collect();
    change::show(changes, None, &host, common, output)
}
