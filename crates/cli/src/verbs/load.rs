//! `opswap load`: registers the ops structures of an object by link and keeps them under the bpffs.

use super::change::{self, Change};
use super::{changing_host, find_ops, note_left_out};
use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::Output;
use opswap::{SetFieldError, Settings};
use std::ffi::OsStr;

pub(crate) fn run(
    file: &OsStr,
    ops: Option<&str>,
    settings: &Settings,
    no_namespaces: bool,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let host = changing_host(common, no_namespaces)?;
    let source = find_ops(file, ops, output)?;
    let attached: Vec<String> = settings.attach.iter().map(|one| one.section.clone()).collect();
    let place = host.place();
    let loaded = host.load(&source, settings)?;
    change::note_place(place, common, output);
    note_left_out(&source, &attached, output);
    let changes = loaded.into_iter().map(Change::Loaded).collect();
    change::show(changes, None, &host, common, output)
}

/// `FIELD=VALUE` words as settings.
pub(super) fn settings(set: &[String], rename: Option<&str>) -> Result<Settings, Failure> {
    let set = set
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, SetFieldError>>();
    let set = set.map_err(|error| Failure::Usage(format!("--set {error}; try --set flags=non_restricted")))?;
    Ok(Settings {
        set,
        rename: rename.map(str::to_owned),
        attach: Vec::new(),
    })
}
