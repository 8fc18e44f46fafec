//! `opswap doctor`: what this machine can do, what is missing, and how to mend it. It fails as `opswap load` would, with the same exit code.

use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::{Output, table};
use opswap::Finding;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    checks: Vec<Finding>,
}

pub(crate) fn run(common: &Common, output: &Output) -> Result<(), Failure> {
    let body = Body {
        checks: opswap::doctor(&common.bpffs),
    };
    output.result(&body, || {
        let rows: Vec<Vec<String>> = body
            .checks
            .iter()
            .map(|one| vec![one.answer.to_string(), one.name.clone(), one.detail.clone()])
            .collect();
        let mut text = table(&rows);
        for fix in body.checks.iter().filter_map(|one| one.fix.as_ref()) {
            text.push(&text!("fix: {}\n", fix));
        }
        text
    })?;
    match body.checks.iter().find_map(|one| one.stops_load) {
        Some(class) => Err(Failure::Shown(class.into())),
        None => Ok(()),
    }
}
