//! Whatever the path is like, a run ends, and its figures are possible ones.

use lab::{Cast, QueueSize, RunError, Scenario, Source, SourceKind};
use net::{Rate, Span};
use proptest::prelude::*;

fn reno(label: &str) -> Source {
    Source {
        label: label.to_owned(),
        kind: SourceKind::NativeReno,
    }
}

prop_compose! {
    fn scenario()(
        kbit in prop_oneof![1..100_u64, 100..10_000_u64, 10_000..1_000_000_u64],
        rtt_us in prop_oneof![Just(0_u64), 1..1000_u64, 1000..500_000_u64],
        queue in prop_oneof![(1_500..10_000_u64).prop_map(QueueSize::Bytes), (1..500_u64).prop_map(QueueSize::Packets)],
        ecn_at in prop::option::of((0..100_u64).prop_map(QueueSize::Packets)),
        loss in prop_oneof![Just(0.0), 0.0..0.5_f64],
        loss_every in prop::option::of(2..1000_u64),
        warmup_ms in 0..1_900_u64,
        flows in 1..5_u32,
        seed in any::<u64>(),
        hz in prop::sample::select(vec![1_u32, 100, 250, 300, 1000, 10_000]),
    ) -> Scenario {
        let mut scenario = Scenario {
            duration: Span::from_secs(2),
            warmup: Span::from_millis(warmup_ms),
            flows,
            seed,
            hz,
            ..Scenario::default()
        };
        scenario.path.rate = Rate::from_bits_per_second(kbit * 1000);
        scenario.path.rtt = Span::from_micros(rtt_us);
        scenario.path.queue = queue;
        scenario.path.ecn_at = ecn_at;
        scenario.path.loss = loss;
        scenario.path.loss_every = loss_every;
        scenario
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_possible(scenario in scenario(), swap_ms in prop::option::of(1..2_000_u64)) {
        let cast = Cast {
            swap: swap_ms.map(|ms| (Span::from_millis(ms), reno("again"))),
            ..Cast::one(reno("reno"))
        };
        let run = lab::run(&scenario, &cast, &mut |_| {}).unwrap();
        prop_assert_eq!(run.halves.len(), if swap_ms.is_some() { 2 } else { 0 });
        // Timestamps, which measure when retransmissions are about, count whole milliseconds.
        let rtt_ms = scenario.path.rtt.as_secs_f64() * 1e3;
        // A packet that began before the time counts as a whole when it ends in it.
        let bits = scenario.path.rate.bytes_in(scenario.duration - scenario.warmup) as f64 * 8.0;
        prop_assert!(run.result.link.utilization <= 1.0 + 1500.0 * 8.0 / bits + 0.001, "{:?}", run.result);
        for result in run.halves.iter().chain([&run.result]) {
            prop_assert!(result.link.queue_mean_pkts <= scenario.path.queue_bytes() as f64 / 40.0, "{result:?}");
            prop_assert!(result.jain <= 1.0 && result.jain >= 1.0 / f64::from(scenario.flows) - 0.001, "{result:?}");
            prop_assert_eq!(result.flows.len(), scenario.flows as usize);
            for flow in &result.flows {
                prop_assert!(flow.cwnd_mean == 0.0 || (f64::from(flow.cwnd_min)..=f64::from(flow.cwnd_max)).contains(&flow.cwnd_mean), "{flow:?}");
                prop_assert!(flow.srtt_mean_ms == 0.0 || flow.srtt_mean_ms >= rtt_ms - 1.0, "{flow:?}");
            }
        }
        let points = run.series.seconds.len();
        prop_assert!(run.series.flows.iter().all(|flow| flow.cwnd_packets.len() == points && flow.goodput_mbps.len() == points));
        prop_assert!(run.series.seconds.last().is_some_and(|last| (last - 2.0).abs() < 1e-6), "{:?}", run.series.seconds.last());
        // And each can be drawn.
        for chart in lab::chart::Chart::of_runs(std::slice::from_ref(&run)) {
            prop_assert!(lab::plot::text(&chart, 80, 10, lab::plot::Glyphs::Braille).lines().count() >= 12);
        }
    }
}

/// A swap to the same table changes nothing, so that the halves must add up to the whole.
#[test]
fn halves_add_up() {
    let scenario = Scenario {
        duration: Span::from_secs(12),
        warmup: Span::from_secs(2),
        ..Scenario::default()
    };
    let plain = lab::run(&scenario, &Cast::one(reno("reno")), &mut |_| {}).unwrap();
    let cast = Cast {
        swap: Some((Span::from_secs(7), reno("again"))),
        ..Cast::one(reno("reno"))
    };
    let swapped = lab::run(&scenario, &cast, &mut |_| {}).unwrap();
    let (whole, same) = (&plain.result.flows[0], &swapped.result.flows[0]);
    assert_eq!(same.cc, "reno→again");
    assert_eq!(whole.goodput_mbps, same.goodput_mbps);
    assert_eq!(plain.result.link, swapped.result.link);
    let [before, after] = swapped.halves.as_slice() else {
        panic!("{:?}", swapped.halves)
    };
    assert_eq!((before.cc.as_str(), after.cc.as_str()), ("reno", "again"));
    let (first, second) = (&before.flows[0], &after.flows[0]);
    assert!((f64::midpoint(first.goodput_mbps, second.goodput_mbps) - whole.goodput_mbps).abs() < 0.002);
    assert!((f64::midpoint(first.cwnd_mean, second.cwnd_mean) - whole.cwnd_mean).abs() < 0.02);
    assert_eq!(first.retransmits + second.retransmits, whole.retransmits);
    assert_eq!(first.cwnd_max.max(second.cwnd_max), whole.cwnd_max);
}

#[test]
fn what_cannot_run_is_said() {
    let scenario = Scenario::default();
    let object = |bytes: &[u8]| {
        Cast::one(Source {
            label: "mine".to_owned(),
            kind: SourceKind::object(bytes),
        })
    };
    let at = |seconds| Cast {
        swap: Some((Span::from_secs(seconds), reno("b"))),
        ..Cast::one(reno("a"))
    };
    let linux = Cast {
        setup: lab::Setup {
            host: lab::Host::Linux,
            ..lab::Setup::default()
        },
        ..Cast::one(reno("a"))
    };
    let many = Cast {
        sources: vec![reno("a"); 3],
        ..Cast::one(reno("a"))
    };
    let crowd = Scenario {
        flows: 400,
        ..Scenario::default()
    };
    let nobody = Cast {
        sources: Vec::new(),
        ..Cast::one(reno("a"))
    };
    let faults: Vec<String> = [
        (&scenario, at(0)),
        (&scenario, at(30)),
        (&scenario, linux),
        (&crowd, many),
        (&scenario, nobody),
        (&scenario, object(include_bytes!("data/two.bpf.o"))),
        (&scenario, object(b"")),
        (
            &Scenario {
                flows: 0,
                ..Scenario::default()
            },
            Cast::one(reno("a")),
        ),
    ]
    .into_iter()
    .map(|(scenario, cast)| {
        let error: RunError = lab::run(scenario, &cast, &mut |_| {}).unwrap_err();
        error.to_string()
    })
    .collect();
    insta::assert_snapshot!(faults.join("\n"), @r"
    the swap at 0ns is not within the run of 30s
    the swap at 30s is not within the run of 30s
    runs with real Linux TCP over emulated links are not supported yet: use the embedded kernel
    1200 flows on one bottleneck are more than 1000
    no algorithm is given
    mine: the object has 2 congestion controls, and a run takes one: bpf_reno, bpf_second
    mine: not a BPF object file: no ELF header that fits the file
    flows is 0 but must be between 1 and 1000
    ");
}

/// A buffer that is smaller than the path decides instead of the algorithm, and that is told; one that is large enough is not felt.
#[test]
fn buffers_that_limit_are_told() {
    let run = |change: fn(&mut Scenario)| {
        let mut scenario = Scenario {
            duration: Span::from_secs(4),
            warmup: Span::from_secs(2),
            ..Scenario::default()
        };
        change(&mut scenario);
        lab::run(&scenario, &Cast::one(reno("reno")), &mut |_| {}).unwrap()
    };
    let free = run(|_| {});
    assert_eq!(free.warnings, []);
    let wide = run(|scenario| scenario.sndbuf_bytes = Some(64 << 20));
    assert_eq!(wide.result, free.result, "what does not limit changes nothing");
    let by = |run: &lab::Run| match run.warnings.as_slice() {
        [lab::Warning::Limited { by, share, .. }] => (*by, *share > 0.9),
        other => panic!("{other:?}"),
    };
    let receive = run(|scenario| scenario.rcvbuf_bytes = Some(200 << 10));
    assert_eq!(by(&receive), (lab::Buffer::Receive, true));
    // A window of 100 kB in 20 ms.
    let send = run(|scenario| scenario.sndbuf_bytes = Some(100_000));
    assert_eq!(by(&send), (lab::Buffer::Send, true));
    let goodput = send.result.flows[0].goodput_mbps;
    assert!((38.0..40.5).contains(&goodput), "{goodput}");
    let fast = run(|scenario| {
        scenario.path.rate = Rate::from_mbit(10_000);
        scenario.path.queue = QueueSize::Bdp(1.0);
    });
    assert_eq!(
        by(&fast),
        (lab::Buffer::Receive, true),
        "Linux's usual buffer is too small there"
    );
}

/// Where algorithms share the bottleneck, each has its sum.
#[test]
fn totals_of_a_mix() {
    let scenario = Scenario {
        duration: Span::from_secs(3),
        warmup: Span::from_secs(1),
        flows: 2,
        ..Scenario::default()
    };
    let runs = lab::compare(
        &scenario,
        &[reno("a"), reno("b")],
        true,
        lab::Setup::default(),
        &mut |_, _| {},
    )
    .unwrap();
    let result = &runs[0].result;
    let totals: Vec<(&str, u32)> = result
        .totals
        .iter()
        .map(|total| (total.cc.as_str(), total.flows))
        .collect();
    assert_eq!(totals, [("a", 2), ("b", 2)]);
    for total in &result.totals {
        let flows = result.flows.iter().filter(|flow| flow.cc == total.cc);
        let sum: f64 = flows.map(|flow| flow.goodput_mbps).sum();
        assert!((sum - total.goodput_mbps).abs() < 0.01, "{total:?}");
    }
    let shares: f64 = result.totals.iter().map(|total| total.share).sum();
    assert!((shares - 1.0).abs() < 0.001, "{shares}");
    let alone = lab::compare(&scenario, &[reno("a")], true, lab::Setup::default(), &mut |_, _| {}).unwrap();
    assert_eq!(alone[0].result.totals, [], "nothing to tell apart");
}
