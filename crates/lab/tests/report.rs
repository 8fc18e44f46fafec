//! The report is one page that needs nothing else, and no name can break out of its place in it.

use lab::{FlowResult, FlowSeries, LinkResult, Run, RunResult, Scenario, Series, Work};
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
                })
                .collect(),
            link: LinkResult {
                utilization: 0.99,
                queue_mean_pkts: 85.0,
                drops: 6,
                marks: 0,
            },
            jain: 1.0,
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

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let page = lab::report::html("reno", &Scenario::default(), &[made_up("reno", 2), made_up("cubic", 1)]);
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
    let page = lab::report::html(name, &Scenario::default(), &[made_up(name, 1)]);
    assert!(!page.contains("<b>"));
    assert!(!page.contains("\"x\""));
    assert!(!page.contains('\u{7}'));
    // Title twice, table, legends of four charts, name of the swap in four charts.
    assert_eq!(
        page.matches("&lt;b&gt;&quot;x&quot;&amp;&#39;y&#39;\\u{7}").count(),
        2 + 1 + 4 + 4
    );
}

#[test]
fn many_lines_are_drawn_run_by_run() {
    let page = lab::report::html("many", &Scenario::default(), &[made_up("reno", 8), made_up("cubic", 8)]);
    assert_eq!(page.matches("<svg").count(), 8);
    assert_eq!(page.matches("<h2>").count(), 2);
}

/// Tags that are opened are closed, in order.
#[test]
fn the_page_is_well_formed() {
    let page = lab::report::html("a < b", &Scenario::default(), &[made_up("reno", 3)]);
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
