//! The figures of simulated runs against those of the real Linux TCP (6.18, HZ 250) in the same setting: two hosts joined by an emulated link, one bulk
//! flow, figures of the last two thirds of 30 s. Each expectation is the mean of the measured repetitions; repetitions differ by about one per cent.

use lab::{Cast, FlowResult, QueueSize, Run, Scenario, Setup, Source, SourceKind};
use net::{Rate, Span};
use std::path::Path;

fn shipped(name: &str) -> Source {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../algorithms/objects/{name}.bpf.o"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Source {
        label: name.to_owned(),
        kind: SourceKind::object(bytes),
    }
}

fn native_reno() -> Source {
    Source {
        label: "reno".to_owned(),
        kind: SourceKind::NativeReno,
    }
}

fn run(scenario: &Scenario, source: Source) -> Run {
    let label = source.label.clone();
    lab::run(scenario, &Cast::one(source), &mut |_| {}).unwrap_or_else(|error| panic!("{label}: {error:?}"))
}

/// Mean number of packets in flight, from goodput and round-trip time, as the measurements were evaluated.
fn window(flow: &FlowResult) -> f64 {
    flow.goodput_mbps * 1e6 / 8.0 / 1448.0 * flow.srtt_mean_ms / 1e3
}

/// Figures that must be met: name, simulated, measured, tolerance in per cent.
fn assert_close(what: &str, figures: &[(&str, f64, f64, f64)]) {
    let mut failed = false;
    for (name, simulated, measured, percent) in figures {
        let off = (simulated / measured - 1.0) * 100.0;
        let verdict = if off.abs() <= *percent { "ok" } else { "TOO FAR" };
        failed |= off.abs() > *percent;
        eprintln!(
            "{what:<28} {name:<12} simulated {simulated:>8.2} measured {measured:>8.2} {off:>+6.1} % (±{percent}) {verdict}"
        );
    }
    assert!(!failed, "{what}: see the table above");
}

#[test]
fn reno_as_on_linux() {
    let table = Source {
        label: "reno".to_owned(),
        kind: SourceKind::Table(tcp::ca::OpsRef::from_static(&tcp::reno::RENO)),
    };
    for (what, source) in [
        ("native reno", native_reno()),
        ("reno as a table", table),
        ("bpf reno", shipped("reno")),
    ] {
        let run = run(&Scenario::default(), source);
        let flow = &run.result.flows[0];
        assert_close(
            what,
            &[
                ("goodput", flow.goodput_mbps, 96.05, 3.0),
                ("cwnd", flow.cwnd_mean, 258.9, 3.0),
                ("cwnd min", f64::from(flow.cwnd_min), 168.0, 3.0),
                ("cwnd max", f64::from(flow.cwnd_max), 336.0, 3.0),
                ("srtt", flow.srtt_mean_ms, 30.52, 3.0),
                ("queue", run.result.link.queue_mean_pkts, 84.7, 5.0),
            ],
        );
    }
}

#[test]
fn cubic_as_on_linux() {
    let run = run(&Scenario::default(), shipped("cubic"));
    let flow = &run.result.flows[0];
    assert_close(
        "bpf cubic",
        &[
            ("goodput", flow.goodput_mbps, 96.53, 3.0),
            ("cwnd", flow.cwnd_mean, 301.1, 3.0),
            ("cwnd min", f64::from(flow.cwnd_min), 234.0, 3.0),
            ("cwnd max", f64::from(flow.cwnd_max), 335.0, 3.0),
            ("srtt", flow.srtt_mean_ms, 35.62, 3.0),
            ("queue", run.result.link.queue_mean_pkts, 127.7, 5.0),
        ],
    );
}

#[test]
fn dctcp_as_on_linux() {
    let mut scenario = Scenario::default();
    scenario.path.ecn_at = Some(QueueSize::Bytes(36_000));
    let run = run(&scenario, shipped("dctcp"));
    let (flow, link) = (&run.result.flows[0], &run.result.link);
    assert_eq!((flow.retransmits, link.drops), (0, 0));
    let packets = flow.goodput_mbps * 1e6 / 8.0 / 1448.0 * 20.0;
    assert_close(
        "bpf dctcp, step 24 packets",
        &[
            ("goodput", flow.goodput_mbps, 96.48, 3.0),
            ("cwnd", flow.cwnd_mean, 192.7, 3.0),
            ("srtt", flow.srtt_mean_ms, 22.67, 3.0),
            ("queue", link.queue_mean_pkts, 19.5, 10.0),
            // Linux's bursts jitter, so that fewer of them meet the step.
            ("marks, %", link.marks as f64 / packets * 100.0, 2.19, 25.0),
        ],
    );
}

/// A swap reaches both ends: DCTCP's receiver reports marks as RFC 8257 wants it, so that its second half is as if it had run from the start.
#[test]
fn a_swap_moves_sender_and_receiver() {
    let mut scenario = Scenario::default();
    scenario.path.ecn_at = Some(QueueSize::Bytes(36_000));
    let cast = Cast {
        swap: Some((Span::from_secs(10), shipped("dctcp"))),
        ..Cast::one(shipped("reno"))
    };
    let run = lab::run(&scenario, &cast, &mut |_| {}).unwrap();
    let after = &run.halves[1];
    assert_close(
        "dctcp after a swap from reno",
        &[
            ("goodput", after.flows[0].goodput_mbps, 96.48, 3.0),
            ("cwnd", after.flows[0].cwnd_mean, 192.7, 3.0),
            ("queue", after.link.queue_mean_pkts, 19.5, 10.0),
        ],
    );
}

#[test]
fn cubic_with_ecn_as_on_linux() {
    let mut scenario = Scenario::default();
    scenario.path.ecn_at = Some(QueueSize::Bytes(97_500));
    let run = run(&scenario, shipped("cubic"));
    let (flow, link) = (&run.result.flows[0], &run.result.link);
    assert_eq!((flow.retransmits, link.drops), (0, 0));
    assert_close(
        "bpf cubic, step 65 packets",
        &[
            ("goodput", flow.goodput_mbps, 95.94, 3.0),
            ("cwnd", flow.cwnd_mean, 206.5, 5.0),
            ("srtt", flow.srtt_mean_ms, 24.42, 5.0),
        ],
    );
}

/// The loss model of RFC 9438's tables 1 to 3, against what Linux gave with it (not against the tables, from which Linux itself is up to a fifth away).
#[test]
fn windows_under_regular_loss_as_on_linux() {
    for (name, every, measured, percent) in [
        ("reno", 100, 10.4, 5.0),
        ("reno", 1_000, 37.0, 3.0),
        ("reno", 10_000, 120.6, 3.0),
        ("cubic", 100, 11.0, 5.0),
        ("cubic", 1_000, 46.0, 3.0),
        ("cubic", 10_000, 214.6, 3.0),
    ] {
        let mut scenario = Scenario {
            duration: Span::from_secs(120),
            warmup: Span::from_secs(30),
            ..Scenario::default()
        };
        scenario.path.rate = Rate::from_mbit(2000);
        scenario.path.rtt = Span::from_millis(100);
        scenario.path.queue = QueueSize::Bdp(1.0);
        scenario.path.loss_every = Some(every);
        let run = run(&scenario, shipped(name));
        let what = format!("{name}, every {every}th lost");
        // The queue has room for all: what the link dropped is what the model took, a share of what was sent.
        let (flow, link) = (&run.result.flows[0], &run.result.link);
        let sent = flow.goodput_mbps * 1e6 / 8.0 / 1448.0 * 90.0 + flow.retransmits as f64;
        assert_close(&what, &[("drops", link.drops as f64, sent / every as f64, 6.0)]);
        assert_close(&what, &[("window", window(&run.result.flows[0]), measured, percent)]);
    }
}

#[test]
fn two_flows_of_one_kind_share_fairly() {
    for name in ["reno", "cubic", "dctcp"] {
        let mut scenario = Scenario {
            duration: Span::from_secs(90),
            warmup: Span::from_secs(30),
            flows: 2,
            ..Scenario::default()
        };
        if name == "dctcp" {
            scenario.path.ecn_at = Some(QueueSize::Bytes(36_000));
        }
        let run = run(&scenario, shipped(name));
        eprintln!("{name}: Jain {}", run.result.jain);
        assert!(run.result.jain > 0.95, "{name}: {:?}", run.result);
        assert!(run.result.link.utilization > 0.95, "{name}: {:?}", run.result.link);
    }
}

#[test]
fn the_seed_decides_every_digit() {
    let json = |seed| {
        let mut scenario = Scenario {
            duration: Span::from_secs(8),
            warmup: Span::from_secs(2),
            flows: 2,
            seed,
            ..Scenario::default()
        };
        scenario.path.loss = 1e-4;
        let sources = [shipped("reno"), shipped("cubic")];
        let runs = lab::compare(&scenario, &sources, true, Setup::default(), &mut |_, _| {}).unwrap();
        serde_json::to_string_pretty(&runs[0].result).unwrap()
    };
    let first = json(1);
    assert_eq!(first, json(1));
    assert_ne!(first, json(2));
    // The names are an interface.
    for name in [
        "cc",
        "flows",
        "id",
        "goodput_mbps",
        "cwnd_mean",
        "cwnd_min",
        "cwnd_max",
        "srtt_mean_ms",
        "retransmits",
        "loss_recoveries",
        "link",
        "utilization",
        "queue_mean_pkts",
        "drops",
        "marks",
        "jain",
    ] {
        assert!(first.contains(&format!("\"{name}\": ")), "{name} is missing in {first}");
    }
}
