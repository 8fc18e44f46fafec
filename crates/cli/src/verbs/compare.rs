//! `opswap compare`: several algorithms over the same bottleneck, side by side.

use super::scenario::{name_all, origin, progress, report, scenario, share, source, warn};
use super::trace::{Trace, TraceBody};
use crate::arguments::ScenarioArguments;
use crate::failure::Failure;
use crate::output::{Output, table_in_view};
use crate::text::Text;
use opswap::lab::{Notice, Origin, RunResult, Setup};
use serde::Serialize;
use std::ffi::{OsStr, OsString};
use std::path::Path;

#[derive(Serialize)]
struct Body {
    runs: Vec<RunResult>,
    origin: Origin,
    #[serde(flatten)]
    trace: Option<TraceBody>,
}

pub(crate) fn run(
    files: &[OsString],
    ops: Option<&str>,
    mix: bool,
    page: Option<&Path>,
    arguments: &ScenarioArguments,
    setup: Setup,
    output: &Output,
) -> Result<(), Failure> {
    let scenario = scenario(arguments, output);
    let mut sources = files
        .iter()
        .map(|file| source(file, ops, output))
        .collect::<Result<Vec<_>, _>>()?;
    let words: Vec<&OsStr> = files.iter().map(OsString::as_os_str).collect();
    name_all(&words, &mut sources.iter_mut().collect::<Vec<_>>());
    let origin = origin(&scenario, &sources);
    let trace = Trace::new(output);
    let bar = progress(setup, output);
    let label = |number: usize| {
        if mix {
            "mix"
        } else {
            sources.get(number).map_or("", |source| source.label.as_str())
        }
    };
    let runs = opswap::compare(&scenario, &sources, mix, setup, &mut |number, notice| match notice {
        Notice::Progress(at) => bar.at(label(number), share(at)),
        Notice::Trace(line) => trace.line(number, line),
    })?;
    drop(bar);
    for run in &runs {
        warn(run, output);
    }
    if let Some(page) = page {
        let names: Vec<&str> = sources.iter().map(|source| source.label.as_str()).collect();
        report(page, &names.join(", "), &origin, &runs, output)?;
    }
    let body = Body {
        runs: runs.into_iter().map(|run| run.result).collect(),
        origin,
        trace: trace.body(setup.trace),
    };
    output.result(&body, || rows(&body.runs))
}

/// One line for each flow, and for each run what its flows have in common.
pub(super) fn rows(runs: &[RunResult]) -> Text {
    let head = [
        "CC",
        "FLOW",
        "GOODPUT Mbit/s",
        "CWND MEAN",
        "MIN",
        "MAX",
        "SRTT ms",
        "RETRANS",
        "RECOVERIES",
        "TIMEOUTS",
        "QUEUE pkts",
        "DROPS",
        "MARKS",
        "JAIN",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for run in runs {
        for (place, flow) in run.flows.iter().enumerate() {
            let mut line = vec![
                flow.cc.clone(),
                flow.id.to_string(),
                format!("{:.2}", flow.goodput_mbps),
                format!("{:.1}", flow.cwnd_mean),
                flow.cwnd_min.to_string(),
                flow.cwnd_max.to_string(),
                format!("{:.2}", flow.srtt_mean_ms),
                flow.retransmits.to_string(),
                flow.loss_recoveries.to_string(),
                flow.timeouts.to_string(),
            ];
            if place == 0 {
                let link = &run.link;
                line.push(format!("{:.1}", link.queue_mean_pkts));
                line.extend([
                    link.drops.to_string(),
                    link.marks.to_string(),
                    format!("{:.3}", run.jain),
                ]);
            }
            lines.push(line);
        }
        // What each algorithm has of a bottleneck that several share.
        for total in &run.totals {
            let nothing = String::new;
            lines.push(vec![
                total.cc.clone(),
                format!("all {}", total.flows),
                format!("{:.2}", total.goodput_mbps),
                nothing(),
                nothing(),
                nothing(),
                nothing(),
                total.retransmits.to_string(),
                total.loss_recoveries.to_string(),
                total.timeouts.to_string(),
            ]);
        }
    }
    table_in_view(&lines, 2)
}
