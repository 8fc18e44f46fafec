//! `opswap try`: one algorithm over a bottleneck, with plots; with `--swap`, two, one after the other in the same connections.

use super::compare::rows;
use super::scenario::{name_all, origin, progress, report, scenario, share, source, warn};
use super::trace::{Trace, TraceBody};
use crate::arguments::{ScenarioArguments, SwapAt};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::text::Text;
use opswap::lab::chart::Chart;
use opswap::lab::plot::{self, Glyphs};
use opswap::lab::{Cast, Notice, Origin, Run, RunResult, Setup, Span};
use serde::Serialize;
use std::ffi::OsStr;
use std::path::Path;

#[derive(Serialize)]
struct Body<'a> {
    run: &'a RunResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap: Option<SwapBody<'a>>,
    origin: Origin,
    #[serde(flatten)]
    trace: Option<TraceBody>,
}

#[derive(Serialize)]
struct SwapBody<'a> {
    at_s: f64,
    to: &'a str,
    halves: &'a [RunResult],
}

pub(crate) fn run(
    file: &OsStr,
    ops: Option<&str>,
    swap: Option<&SwapAt>,
    page: Option<&Path>,
    arguments: &ScenarioArguments,
    setup: Setup,
    output: &Output,
) -> Result<(), Failure> {
    let scenario = scenario(arguments, output);
    let arguments_of_swap = swap;
    let mut swap = swap
        .map(|swap| Ok::<_, Failure>((swap.at, source(&swap.file, ops, output)?)))
        .transpose()?;
    let mut first = source(file, ops, output)?;
    let mut words = vec![file];
    let mut sources = vec![&mut first];
    if let (Some((_, next)), Some(arguments)) = (&mut swap, arguments_of_swap) {
        words.push(&arguments.file);
        sources.push(next);
    }
    name_all(&words, &mut sources);
    let origin = origin(
        &scenario,
        std::iter::once(&first).chain(swap.iter().map(|(_, next)| next)),
    );
    let title = match &swap {
        Some((_, next)) => format!("{} → {}", first.label, next.label),
        None => first.label.clone(),
    };
    let cast = Cast {
        sources: vec![first],
        swap,
        setup,
    };
    let name = file.to_string_lossy();
    let trace = Trace::new(output);
    let bar = progress(setup, output);
    let run = opswap::try_out(&scenario, &cast, &mut |notice| match notice {
        Notice::Progress(at) => bar.at(&name, share(at)),
        Notice::Trace(line) => trace.line(0, line),
    })?;
    drop(bar);
    warn(&run, output);
    if let Some(page) = page {
        report(page, &title, &origin, std::slice::from_ref(&run), output)?;
    }
    let swap = run.swap.as_ref().map(|(at, to)| SwapBody {
        at_s: at.as_secs_f64(),
        to,
        halves: &run.halves,
    });
    let body = Body {
        run: &run.result,
        swap,
        origin,
        trace: trace.body(setup.trace),
    };
    output.result(&body, || text(&run))
}

/// Plots, then the figures.
fn text(run: &Run) -> Text {
    let mut text = Text::default();
    for chart in Chart::of_runs(std::slice::from_ref(run)) {
        let plot = plot::text(&chart, output::columns(PLOT_COLUMNS), PLOT_ROWS, Glyphs::Braille);
        text.push(&text!("{}\n", Text::block(&plot)));
    }
    text.push(&match &run.swap {
        None => rows(std::slice::from_ref(&run.result)),
        Some((at, to)) => halves(*at, to, &run.halves),
    });
    text
}

fn halves(at: Span, to: &str, halves: &[RunResult]) -> Text {
    text!(
        "before and after the swap to {} at {:.1} s\n{}",
        to,
        at.as_secs_f64(),
        rows(halves)
    )
}

/// Where nobody says how wide it is, plots fit into the smallest usual terminal.
const PLOT_COLUMNS: usize = 80;
const PLOT_ROWS: usize = 12;
