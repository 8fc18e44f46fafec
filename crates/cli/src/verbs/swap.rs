//! `opswap swap`: loads a new version of a registered algorithm and exchanges it for the live one.

use super::change::{self, Change};
use super::load::settings;
use super::{find_ops, host};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn run(
    name: &str,
    file: &str,
    ops: Option<&str>,
    set: &[String],
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let settings = settings(set, None)?;
    let host = host(common)?;
    let source = find_ops(file, ops, output)?;
    let swapped = host.swap(name, &source, &settings)?;
    change::show(vec![Change::Swapped(swapped)], None, &host, common, output)
}
