//! A report of runs as one HTML page that needs nothing else: style and charts are inside, nothing is fetched, no script runs.
//!
//! It follows the reader's choice of light or dark and is laid out for a phone as well as for a wide window. All text that comes from outside
//! (algorithm names, titles) is escaped.

use crate::chart::{Axis, COLOURS, Chart, Line};
use crate::origin::Origin;
use crate::printable;
use crate::run::Run;
use crate::scenario::Scenario;
use std::fmt::Write as _;

/// Size of a chart in its own units; the page scales it. Small, so that the lettering is readable on a phone.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 26.0;
/// Parts of the time axis that a line is thinned to.
const COLUMNS: usize = 360;
/// Lines in one chart at most, before each run gets charts of its own.
const LINES_TOGETHER: usize = 8;

const STYLE: &str = include_str!("report.css");

/// The page for `runs`, which came from `origin`.
pub fn html(title: &str, origin: &Origin, runs: &[Run]) -> String {
    let mut page = String::new();
    let title = escaped(title);
    // Writing to a String does not fail; the results are dropped throughout this file for that reason.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    let _ = writeln!(page, "<p>{}</p>", escaped(&origin.scenario));
    for run in runs {
        if let Some((at, to)) = &run.swap {
            let _ = writeln!(
                page,
                "<p>Every flow of {} changes to {} at {at}.</p>",
                escaped(&first_of(run)),
                escaped(to)
            );
        }
        for warning in &run.warnings {
            let _ = writeln!(page, "<p class=\"warning\">{}</p>", escaped(&warning.to_string()));
        }
    }
    table(&mut page, runs);
    let lines: usize = runs.iter().map(|run| run.series.flows.len()).sum();
    if lines <= LINES_TOGETHER {
        charts(&mut page, runs);
    } else {
        for run in runs {
            let _ = writeln!(page, "<h2>{}</h2>", escaped(&run.result.cc));
            charts(&mut page, std::slice::from_ref(run));
        }
    }
    again(&mut page, origin);
    page.push_str("</body>\n</html>\n");
    page
}

/// What the flows of a run with a swap began with.
fn first_of(run: &Run) -> String {
    run.halves.first().map_or_else(String::new, |half| half.cc.clone())
}

/// How to come by the same figures.
fn again(page: &mut String, origin: &Origin) {
    let _ = write!(
        page,
        "<h2>The same again</h2>\n<p><code>{}</code></p>\n<p>opswap {}; the same command and the same objects give the same figures.</p>\n<ul>\n",
        escaped(&origin.command_line()),
        escaped(&origin.version)
    );
    for object in &origin.objects {
        let digest = object.sha256.as_deref().unwrap_or("no object: part of the program");
        let _ = writeln!(
            page,
            "<li>{}: <code>{}</code></li>",
            escaped(&object.cc),
            escaped(digest)
        );
    }
    page.push_str("</ul>\n");
}

/// A scenario in a sentence.
pub(crate) fn summary(scenario: &Scenario) -> String {
    let flows = if scenario.flows == 1 {
        "1 flow".to_owned()
    } else {
        format!("{} flows", scenario.flows)
    };
    let buffer = |name: &str, bytes: Option<u32>| bytes.map_or_else(String::new, |bytes| format!(", {name} {bytes}b"));
    format!(
        "{}{}{}; {flows} of each algorithm for {}, figures without the first {}; seed {}, HZ {}.",
        scenario.path,
        buffer("receive buffer", scenario.rcvbuf_bytes),
        buffer("send buffer", scenario.sndbuf_bytes),
        scenario.duration,
        scenario.warmup,
        scenario.seed,
        scenario.hz
    )
}

const HEADINGS: [&str; 9] = [
    "Algorithm",
    "Flow",
    "Goodput, Mbit/s",
    "Window mean (min to max), packets",
    "RTT mean, ms",
    "Retransmits",
    "Recoveries",
    "Timeouts",
    "Link",
];

fn table(page: &mut String, runs: &[Run]) {
    page.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
    for heading in HEADINGS {
        let _ = write!(page, "<th scope=\"col\">{heading}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    // A run with a swap is told in halves.
    let results = runs.iter().flat_map(|run| match (run.halves.as_slice(), &run.swap) {
        ([before, after], Some((at, _))) => vec![(before, format!(", until {at}")), (after, format!(", from {at}"))],
        _ => vec![(&run.result, String::new())],
    });
    for (result, when) in results {
        for flow in &result.flows {
            let _ = write!(
                page,
                "<tr><th scope=\"row\">{}{when}</th><td>{}</td><td>{:.2}</td><td>{:.1} ({} to {})</td><td>{:.2}</td><td>{}</td><td>{}</td><td>{}</td>",
                escaped(&flow.cc),
                flow.id,
                flow.goodput_mbps,
                flow.cwnd_mean,
                flow.cwnd_min,
                flow.cwnd_max,
                flow.srtt_mean_ms,
                flow.retransmits,
                flow.loss_recoveries,
                flow.timeouts
            );
            if flow.id == 0 {
                let link = &result.link;
                let _ = write!(
                    page,
                    "<td class=\"link\" rowspan=\"{}\">{:.1} % used, queue {:.1} packets, {} drops, {} marks, Jain {:.3}</td>",
                    result.flows.len(),
                    link.utilization * 100.0,
                    link.queue_mean_pkts,
                    link.drops,
                    link.marks,
                    result.jain
                );
            }
            page.push_str("</tr>\n");
        }
        for total in &result.totals {
            let _ = writeln!(
                page,
                "<tr class=\"total\"><th scope=\"row\">{}</th><td>all {}</td><td>{:.2} ({:.0} %)</td><td></td><td></td><td>{}</td><td>{}</td><td>{}</td><td></td></tr>",
                escaped(&total.cc),
                total.flows,
                total.goodput_mbps,
                total.share * 100.0,
                total.retransmits,
                total.loss_recoveries,
                total.timeouts
            );
        }
    }
    page.push_str("</tbody></table></div>\n");
}

fn charts(page: &mut String, runs: &[Run]) {
    page.push_str("<div class=\"charts\">\n");
    for chart in Chart::of_runs(runs) {
        let _ = write!(
            page,
            "<figure><figcaption>{}, {}</figcaption>",
            escaped(&chart.title),
            chart.unit
        );
        svg(page, &chart);
        legend(page, &chart);
        page.push_str("</figure>\n");
    }
    page.push_str("</div>\n");
}

fn svg(page: &mut String, chart: &Chart) {
    let (x_axis, y_axis) = chart.axes(5.0, 4.0);
    let x = |value: f64| LEFT + x_axis.place(value) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - y_axis.place(value) * (HEIGHT - TOP - BOTTOM);
    let _ = write!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} over time\">",
        escaped(&chart.title)
    );
    for tick in y_axis.ticks() {
        let at = y(tick);
        let _ = write!(
            page,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            y_axis.label(tick)
        );
    }
    for tick in x_axis.ticks() {
        let _ = write!(
            page,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}s</text>",
            x(tick),
            HEIGHT - 8.0,
            x_axis.label(tick)
        );
    }
    for (at, name) in &chart.moments {
        let at = x(*at);
        let _ = write!(
            page,
            "<path class=\"moment\" d=\"M{at:.1} {TOP}V{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            HEIGHT - BOTTOM,
            at + 4.0,
            TOP + 8.0,
            escaped(name)
        );
    }
    for line in &chart.lines {
        let _ = write!(
            page,
            "<path class=\"line c{}\" d=\"{}\"/>",
            line.colour % COLOURS,
            path(line, x_axis, x, y)
        );
    }
    page.push_str("</svg>");
}

/// A line through the smallest and the largest value of each part of the time axis, in the order that keeps it short.
fn path(line: &Line, axis: Axis, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut last = f64::NAN;
    let width = (axis.high - axis.low) / COLUMNS as f64;
    for (column, part) in line.columns(axis, COLUMNS).into_iter().enumerate() {
        let Some((low, high)) = part else { continue };
        let at = x(axis.low + (column as f64 + 0.5) * width);
        let near_low = (last - low).abs() <= (last - high).abs();
        let (first, second) = if near_low { (low, high) } else { (high, low) };
        let letter = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{at:.1} {:.1}", y(first));
        if first != second {
            let _ = write!(path, "V{:.1}", y(second));
        }
        last = second;
    }
    path
}

fn legend(page: &mut String, chart: &Chart) {
    page.push_str("<p class=\"legend\">");
    for line in &chart.lines {
        let _ = write!(
            page,
            "<span><i class=\"c{}\"></i>{}</span> ",
            line.colour % COLOURS,
            escaped(&line.label)
        );
    }
    page.push_str("</p>");
}

/// Text for HTML content and attribute values; what a browser, or a terminal that shows the page's source, would obey is made visible.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in printable::line(text).chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}
