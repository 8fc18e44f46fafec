//! The report is one page that needs nothing else, and no name can break out of its place in it.

use lab::{FlowResult, FlowSeries, LinkResult, Origin, Run, RunResult, Scenario, Series, Source, SourceKind, Work};
use net::Span;

fn made_up(cc: &str, flows: u32) -> Run {
    let seconds: Vec<f64> = (0..=300).map(|point| f64::from(point) / 10.0).collect();
    let saw = |low: f64| seconds.iter().map(|x| low + (x % 5.0) * 30.0).collect::<Vec<f64>>();
    Run {
        warnings: Vec::new(),
        result: RunResult {
            cc: cc.to_owned(),
            flows: (0..flows)
                .map(|id| FlowResult {
                    id,
                    cc: cc.to_owned(),
                    goodput_mbps: 96.5,
                    cwnd_mean: 250.0,
                    cwnd_min: 168,
                    cwnd_max: 336,
                    srtt_mean_ms: 30.5,
                    retransmits: 6,
                    loss_recoveries: 4,
                    timeouts: 1,
                    rcvbuf_limited: 0.0,
                    sndbuf_limited: 0.0,
                })
                .collect(),
            link: LinkResult {
                utilization: 0.99,
                queue_mean_pkts: 85.0,
                drops: 6,
                marks: 0,
            },
            jain: 1.0,
            totals: Vec::new(),
        },
        halves: Vec::new(),
        swap: Some((Span::from_secs(10), cc.to_owned())),
        series: Series {
            queue_packets: saw(0.0),
            flows: (0..flows)
                .map(|id| FlowSeries {
                    cc: cc.to_owned(),
                    cwnd_packets: saw(160.0 + f64::from(id)),
                    srtt_ms: saw(20.0),
                    goodput_mbps: saw(1.0),
                })
                .collect(),
            seconds,
        },
        work: Work::default(),
    }
}

fn origin() -> Origin {
    let native = Source {
        label: "native".to_owned(),
        kind: SourceKind::NativeReno,
    };
    let command = ["opswap", "try", "<native>"].map(str::to_owned).into();
    Origin::new(command, "9.9.9", &Scenario::default(), [&native])
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let page = lab::report::html("reno", &origin(), &[made_up("reno", 2), made_up("cubic", 1)]);
    for forbidden in [
        "http:", "https:", "src=", "href=", "url(", "@import", "<script", "onload",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for needed in [
        "prefers-color-scheme: dark",
        "name=\"viewport\"",
        "Congestion window",
        "reno #1",
        "cubic",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    assert_eq!(page.matches("<svg").count(), 4);
    assert_eq!(page.matches("<path class=\"line").count(), 3 + 3 + 2 + 3);
}

#[test]
fn names_are_escaped_everywhere() {
    let name = "<b>\"x\"&'y'\u{7}";
    let page = lab::report::html(name, &origin(), &[made_up(name, 1)]);
    assert!(!page.contains("<b>"));
    assert!(!page.contains("\"x\""));
    assert!(!page.contains('\u{7}'));
    // Title twice, what it is swapped to, table, legends of four charts, name of the swap in four charts.
    assert_eq!(
        page.matches("&lt;b&gt;&quot;x&quot;&amp;&#39;y&#39;\\u{7}").count(),
        2 + 1 + 1 + 4 + 4
    );
}

#[test]
fn many_lines_are_drawn_run_by_run() {
    let page = lab::report::html("many", &origin(), &[made_up("reno", 8), made_up("cubic", 8)]);
    assert_eq!(page.matches("<svg").count(), 8);
    assert_eq!(page.matches("<h2>").count(), 2 + 1, "and how to come by it again");
}

/// One algorithm has one colour, whatever flow and whatever report, and different ones have different colours.
#[test]
fn colours_are_the_algorithms() {
    let colours = |runs: &[Run]| -> Vec<(String, usize)> {
        let charts = lab::chart::Chart::of_runs(runs);
        charts[0]
            .lines
            .iter()
            .map(|line| (line.label.clone(), line.colour))
            .collect()
    };
    let alone = colours(&[made_up("reno", 2)]);
    assert_eq!(alone[0].1, alone[1].1, "{alone:?}");
    let names = ["reno", "cubic", "dctcp", "bbr", "vegas", "westwood", "illinois", "htcp"];
    let runs: Vec<Run> = names.iter().map(|name| made_up(name, 1)).collect();
    let all = colours(&runs);
    assert_eq!(all[0].1, alone[0].1, "the first has its own");
    let mut seen: Vec<usize> = all.iter().map(|(_, colour)| *colour).collect();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7], "eight algorithms, eight colours");
}

/// The page says how to repeat the run, what was swapped to, and what else decided the figures.
#[test]
fn the_page_says_how_to_repeat_it() {
    let mut run = made_up("reno", 1);
    run.halves = vec![run.result.clone(), made_up("cubic", 1).result];
    run.swap = Some((Span::from_secs(10), "cubic".to_owned()));
    run.warnings.push(lab::Warning::Limited {
        label: "reno".to_owned(),
        flow: 0,
        by: lab::Buffer::Receive,
        share: 0.5,
    });
    let page = lab::report::html("reno → cubic", &origin(), &[run]);
    for needed in [
        "Every flow of reno changes to cubic at 10s",
        "reno, until 10s",
        "cubic, from 10s",
        "opswap try &#39;&lt;native&gt;&#39;",
        "opswap 9.9.9",
        "native: <code>no object",
        "the receive buffer limits it 50 % of the time",
        "Timeouts",
    ] {
        assert!(page.contains(needed), "{needed}: {page}");
    }
}

/// Tags that are opened are closed, in order.
#[test]
fn the_page_is_well_formed() {
    let page = lab::report::html("a < b", &origin(), &[made_up("reno", 3)]);
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        if tag.starts_with('!') || tag.ends_with('/') || name == "meta" {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}
