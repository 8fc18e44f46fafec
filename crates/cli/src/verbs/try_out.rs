//! `opswap try`: one algorithm over a bottleneck, with plots; with `--swap`, two, one after the other in the same connections.

use super::compare::rows;
use super::scenario::{Bar, host, report, scenario, source};
use crate::arguments::{Common, ScenarioArguments, SwapAt};
use crate::failure::Failure;
use crate::output::{self, Output};
use opswap::lab::chart::Chart;
use opswap::lab::plot::{self, Glyphs};
use opswap::lab::{Cast, Run, RunResult, Span};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Body<'a> {
    run: &'a RunResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap: Option<SwapBody<'a>>,
}

#[derive(Serialize)]
struct SwapBody<'a> {
    at_s: f64,
    to: &'a str,
    halves: &'a [RunResult],
}

pub(crate) fn run(
    file: &str,
    swap: Option<&SwapAt>,
    page: Option<&Path>,
    arguments: &ScenarioArguments,
    common: &Common,
    output: &Output,
) -> Result<(), Failure> {
    let scenario = scenario(arguments, output);
    let swap = swap
        .map(|swap| Ok::<_, Failure>((swap.at, source(&swap.file, output)?)))
        .transpose()?;
    let cast = Cast {
        sources: vec![source(file, output)?],
        swap,
        host: host(common),
    };
    let bar = Bar::new(output);
    let run = opswap::try_out(&scenario, &cast, &mut |at| bar.at(file, at))?;
    drop(bar);
    if let Some(page) = page {
        report(page, file, &scenario, std::slice::from_ref(&run), output)?;
    }
    let swap = run.swap.as_ref().map(|(at, to)| SwapBody {
        at_s: at.as_secs_f64(),
        to,
        halves: &run.halves,
    });
    output.result(&Body { run: &run.result, swap }, || text(&run))
}

/// Plots, then the figures.
fn text(run: &Run) -> String {
    let mut text = String::new();
    for chart in Chart::of_runs(std::slice::from_ref(run)) {
        text.push_str(&plot::text(
            &chart,
            output::columns(PLOT_COLUMNS),
            PLOT_ROWS,
            Glyphs::Braille,
        ));
        text.push('\n');
    }
    match &run.swap {
        None => text.push_str(&rows(std::slice::from_ref(&run.result))),
        Some((at, to)) => text.push_str(&halves(*at, to, &run.halves)),
    }
    text
}

fn halves(at: Span, to: &str, halves: &[RunResult]) -> String {
    format!(
        "before and after the swap to {to} at {:.1} s\n{}",
        at.as_secs_f64(),
        rows(halves)
    )
}

/// Plots fit into the smallest usual terminal.
const PLOT_COLUMNS: usize = 80;
const PLOT_ROWS: usize = 12;
