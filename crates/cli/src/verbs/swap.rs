//! `opswap swap`: loads a new version of a registered algorithm and exchanges it for the live one.

use super::change::{self, Change};
use super::load::settings;
use super::{changing_host, find_ops, note_left_out};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;
use std::ffi::OsStr;

pub(crate) fn run(
    name: &str,
    file: &OsStr,
    ops: Option<&str>,
    set: &[String],
    no_namespaces: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let settings = settings(set, None)?;
    let host = changing_host(common, no_namespaces)?;
    let source = find_ops(file, ops, output)?;
    note_left_out(&source, &[], output);
    let swapped = host.swap(name, &source, &settings)?;
    change::show(vec![Change::Swapped(swapped)], None, &host, common, output)
}
