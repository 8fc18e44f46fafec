//! Native reno on the path of the reference traces, held to what Linux 6.18 did there.

use crate::world::{START, World, reference_path, reno};
use net::{Span, Time};

/// Means over the last 20 of 30 seconds, and the times at which losses were found.
#[test]
fn steady_state_is_that_of_linux() {
    let mut world = reference_path();
    world.run_until(START + Span::from_secs(10));
    let before = world.sender.info();
    let samples = world.sample(Span::from_millis(10), START + Span::from_secs(30));
    let info = world.sender.info();

    let goodput = (info.bytes_acked - before.bytes_acked) as f64 * 8.0 / 20e6;
    assert!(
        (96.0..96.5).contains(&goodput),
        "goodput {goodput} Mbit/s; Linux 96.27 to 96.30"
    );
    let cwnds: Vec<f64> = samples.iter().map(|(_, info)| f64::from(info.cwnd)).collect();
    let mean = cwnds.iter().sum::<f64>() / cwnds.len() as f64;
    assert!(
        (257.0..260.0).contains(&mean),
        "mean window {mean}; Linux 258.1 to 259.3"
    );
    let (low, high) = (min(&cwnds), max(&cwnds));
    assert!(
        (166.0..=169.0).contains(&low) && (334.0..=337.0).contains(&high),
        "{low} to {high}; Linux 168 to 336"
    );

    let mut times = Vec::new();
    let mut recoveries = before.recoveries;
    for (time, info) in &samples {
        if info.recoveries != recoveries {
            recoveries = info.recoveries;
            times.push(*time);
        }
    }
    for pair in times.windows(2) {
        let period = pair[1] - pair[0];
        assert!((5.05..5.25).contains(&period), "period {period} s; Linux 5.13 to 5.17");
    }
    assert!(times.len() >= 3);
    assert_eq!((info.timeouts, info.undos), (0, 0));
}

/// Slow start: the window by round trips, the first losses, and the two halvings.
#[test]
fn the_start_is_that_of_linux() {
    let mut world = reference_path();
    let samples = world.sample(Span::from_millis(1), START + Span::from_millis(700));
    let cwnd_at = |time: f64| {
        samples
            .iter()
            .find(|(at, _)| *at >= time - 1e-6)
            .map_or(0, |(_, info)| info.cwnd)
    };
    // The first data leaves one round trip after the SYN.
    let first = 0.020;
    for (round, low, high) in [
        (0, 10, 10),
        (1, 10, 20),
        (2, 20, 40),
        (3, 40, 80),
        (4, 80, 160),
        (5, 160, 330),
    ] {
        let cwnd = cwnd_at(first + 0.020 * f64::from(round) + 0.001);
        assert!((low..=high).contains(&cwnd), "round {round}: window {cwnd}");
    }
    let (lost_at, info) = samples.iter().find(|(_, info)| info.recoveries == 1).expect("losses");
    assert!(
        (0.155..0.175).contains(&(lost_at - first)),
        "losses found at {lost_at}; Linux 0.160 after the first data"
    );
    assert!(
        (328..=340).contains(&info.ssthresh),
        "first threshold {}; Linux 335",
        info.ssthresh
    );
    let last = world.sender.info();
    assert_eq!(last.recoveries, 2);
    assert!(
        (164..=170).contains(&last.ssthresh),
        "second threshold {}; Linux 167",
        last.ssthresh
    );
    assert!(
        (320..350).contains(&last.retransmits),
        "{} retransmissions; Linux 337",
        last.retransmits
    );
}

/// Window by window beside a trace of Linux, whose own path added 0.17 ms to the round trip.
#[test]
fn the_window_follows_a_trace_of_linux() {
    let queue = net::DropTail::new(250_000);
    let delay = Span::from_micros(10_085);
    let mut world = World::on_path(tcp::Config::default(), reno(), queue, net::Rate::from_mbit(100), delay);
    let samples = world.sample(Span::from_millis(1), START + Span::from_secs(31));
    // One round trip for the handshake.
    let ours = |ms: usize| samples[ms + 20].1;
    let trace: Vec<(usize, f64, f64)> = include_str!("../data/linux-6.18-reno.csv")
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
        .map(|line| {
            let mut fields = line.split(',').map(|field| field.parse::<f64>().expect("a number"));
            let mut next = || fields.next().expect("three fields");
            (next() as usize, next(), next())
        })
        .collect();

    // The first sawtooth, before small differences of phase add up.
    let first: Vec<_> = trace.iter().filter(|(ms, ..)| (400..5_300).contains(ms)).collect();
    assert!(first.len() > 45);
    for (ms, cwnd, srtt_us) in first {
        let info = ours(*ms);
        let difference = f64::from(info.cwnd) - cwnd;
        assert!(difference.abs() <= 5.0, "{ms} ms: window {}, Linux {cwnd}", info.cwnd);
        let srtt = info.srtt.as_micros() as f64;
        assert!(
            (srtt / srtt_us - 1.0).abs() < 0.06,
            "{ms} ms: round trip {srtt} us, Linux {srtt_us}"
        );
    }
    // All of them, as a distribution.
    let mut linux: Vec<f64> = trace
        .iter()
        .filter(|(ms, ..)| *ms >= 1_000)
        .map(|(_, cwnd, _)| *cwnd)
        .collect();
    let mut model: Vec<f64> = (1_000..30_000)
        .step_by(100)
        .map(|ms| f64::from(ours(ms).cwnd))
        .collect();
    linux.sort_by(f64::total_cmp);
    model.sort_by(f64::total_cmp);
    for percent in [5, 25, 50, 75, 95] {
        let at = |values: &[f64]| values[values.len() * percent / 100];
        let (linux, model) = (at(&linux), at(&model));
        assert!(
            (model / linux - 1.0).abs() < 0.02,
            "{percent} % of windows below {model}, Linux {linux}"
        );
    }
}

/// The same world twice gives the same bytes at the same times.
#[test]
fn runs_repeat_bit_for_bit() {
    let run = || {
        let mut world = reference_path();
        let samples = world.sample(Span::from_millis(50), START + Span::from_secs(8));
        (samples, world.packets, world.forward.stats(), world.now)
    };
    assert_eq!(run(), run());
    assert!(run().3 > Time::ZERO);
}

fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}
