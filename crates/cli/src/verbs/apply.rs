//! `opswap apply`: load, or swap if the algorithm is registered, or nothing if it is the same.

use super::change::{self, Change};
use super::load::settings;
use super::{changing_host, find_ops, note_left_out};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;
use opswap::Applied;
use std::ffi::OsStr;

pub(crate) fn run(
    file: &OsStr,
    ops: Option<&str>,
    set: &[String],
    rename: Option<&str>,
    no_namespaces: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let settings = settings(set, rename)?;
    let host = changing_host(common, no_namespaces)?;
    let source = find_ops(file, ops, output)?;
    note_left_out(&source, &[], output);
    let place = host.place();
    let changes = match host.apply(&source, &settings)? {
        Applied::Loaded(loaded) => {
            change::note_place(place, common, output);
            loaded.into_iter().map(Change::Loaded).collect()
        }
        Applied::Swapped(swapped) => vec![Change::Swapped(swapped)],
        Applied::Unchanged(unchanged) => vec![Change::Unchanged(unchanged)],
    };
    change::show(changes, None, &host, common, output)
}
