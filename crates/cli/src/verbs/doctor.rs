//! `opswap doctor`: what this machine can do, what is missing, and how to mend it. It fails as `opswap load` would, with the same exit code.

use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::{Cell, Output, table};
use crate::render;
use opswap::{Finding, Is};
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
        let answer = |answer: Is| {
            let style = match answer {
                Is::Yes => render::GOOD,
                Is::No => render::BAD,
                Is::CannotTell => render::DOUBTFUL,
            };
            Cell::styled(&answer.to_string(), style)
        };
        let rows: Vec<Vec<Cell>> = body
            .checks
            .iter()
            .map(|one| vec![answer(one.answer), one.name.as_str().into(), one.detail.as_str().into()])
            .collect();
        let mut text = table(&rows);
        for one in &body.checks {
            if let Some(fix) = &one.fix {
                text.push(&text!("fix: {}: {}\n", one.name, fix));
            }
        }
        text
    })?;
    match body.checks.iter().find_map(|one| one.stops_load) {
        Some(class) => Err(Failure::Shown(class.into())),
        None => Ok(()),
    }
}
