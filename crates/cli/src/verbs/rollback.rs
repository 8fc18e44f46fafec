//! `opswap rollback`: brings the previous version of an algorithm back.

use super::change::{self, Change};
use super::{changing_host, or_not_found};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn run(
    name: &str,
    ignore_not_found: bool,
    no_namespaces: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let host = changing_host(common, no_namespaces)?;
    let swapped = or_not_found(host.rollback(name), ignore_not_found, output)?;
    let changes = swapped.into_iter().map(Change::RolledBack).collect();
    change::show(changes, None, &host, common, output)
}
