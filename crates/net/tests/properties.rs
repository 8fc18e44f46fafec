//! Properties of links and event queues that must hold for any traffic: nothing is made or lost, order is kept, the rate is never exceeded, and the
//! same input gives the same output.

use net::{DropTail, Ecn, EcnStep, EventQueue, Link, Loss, Packet, Queue, Rate, Rng, Sent, Span, Time};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    number: u64,
    len: u32,
    ecn: Ecn,
}

impl Packet for Frame {
    fn len_bytes(&self) -> u32 {
        self.len
    }
    fn ecn(&self) -> Ecn {
        self.ecn
    }
    fn set_ecn(&mut self, ecn: Ecn) {
        self.ecn = ecn;
    }
}

/// What a run of a link gave: each packet's fate and each arrival.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    fates: Vec<Sent>,
    arrivals: Vec<(Time, Frame)>,
}

/// Sends packets `(gap in ns, length)` one after the other and drains the link, by events as a simulator does.
fn drive<Q: Queue<Frame>>(mut link: Link<Frame, Q>, traffic: &[(u64, u32)], ecn: Ecn) -> Outcome {
    let mut outcome = Outcome {
        fates: Vec::new(),
        arrivals: Vec::new(),
    };
    let mut now = Time::ZERO;
    let collect = |link: &mut Link<Frame, Q>, until: Time, arrivals: &mut Vec<(Time, Frame)>| {
        while let Some(time) = link.next_event().filter(|time| *time <= until) {
            while let Some(frame) = link.poll(time) {
                arrivals.push((time, frame));
            }
        }
    };
    for (number, (gap, len)) in traffic.iter().enumerate() {
        now += Span::from_nanos(*gap);
        collect(&mut link, now, &mut outcome.arrivals);
        let number = number as u64;
        outcome.fates.push(link.send(now, Frame { number, len: *len, ecn }));
        let stats = link.stats();
        let gone = stats.delivered + stats.lost + stats.queue.dropped;
        assert_eq!(stats.sent, gone + link.inside() as u64, "a packet was made or lost");
    }
    collect(&mut link, Time::MAX, &mut outcome.arrivals);
    assert_eq!(link.inside(), 0);
    outcome
}

fn traffic() -> impl Strategy<Value = Vec<(u64, u32)>> {
    prop::collection::vec((0..400_000_u64, 40..1501_u32), 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn packets_are_conserved_and_stay_in_order(traffic in traffic(), limit in 1_500..20_000_u64) {
        let link = Link::new(Rate::from_mbit(100), Span::from_millis(3), DropTail::new(limit));
        let outcome = drive(link, &traffic, Ecn::NotEct);
        let accepted: Vec<u64> = (0_u64..).zip(&outcome.fates).filter(|(_, fate)| **fate == Sent::Accepted).map(|(number, _)| number).collect();
        let arrived: Vec<u64> = outcome.arrivals.iter().map(|(_, frame)| frame.number).collect();
        prop_assert_eq!(accepted, arrived);
    }

    #[test]
    fn the_rate_is_never_exceeded(traffic in traffic(), kbit in 100..200_000_u64) {
        let rate = Rate::from_bits_per_second(kbit * 1000);
        let outcome = drive(Link::new(rate, Span::from_millis(1), DropTail::new(30_000)), &traffic, Ecn::NotEct);
        for pair in outcome.arrivals.windows(2) {
            let gap = pair[1].0 - pair[0].0;
            prop_assert!(gap >= rate.time_for(pair[1].1.len), "{pair:?}");
        }
    }

    #[test]
    fn no_packet_is_early_and_a_busy_link_never_idles(traffic in traffic()) {
        let (rate, delay) = (Rate::from_mbit(50), Span::from_millis(2));
        let outcome = drive(Link::new(rate, delay, DropTail::new(u64::MAX)), &traffic, Ecn::NotEct);
        // The reference: with an endless queue, a packet leaves when the one before has left or when it comes, whichever is later.
        let (mut free, mut now) = (Time::ZERO, Time::ZERO);
        for ((gap, len), (arrival, _)) in traffic.iter().zip(&outcome.arrivals) {
            now += Span::from_nanos(*gap);
            free = free.max(now) + rate.time_for(*len);
            prop_assert_eq!(*arrival, free + delay);
        }
        prop_assert_eq!(traffic.len(), outcome.arrivals.len());
    }

    #[test]
    fn a_late_caller_sees_the_same_packets(traffic in traffic()) {
        let link = || Link::new(Rate::from_mbit(80), Span::from_millis(1), DropTail::new(8_000));
        let by_events = drive(link(), &traffic, Ecn::NotEct);
        let arrivals = by_events.arrivals.iter().map(|(_, frame)| frame.number).collect::<Vec<_>>();
        // The same, but looked at only when something is sent.
        let mut lazy = link();
        let (mut now, mut fates, mut arrived) = (Time::ZERO, Vec::new(), Vec::new());
        for (number, (gap, len)) in (0_u64..).zip(&traffic) {
            now += Span::from_nanos(*gap);
            fates.push(lazy.send(now, Frame { number, len: *len, ecn: Ecn::NotEct }));
        }
        while let Some(frame) = lazy.poll(Time::MAX) {
            arrived.push(frame.number);
        }
        prop_assert_eq!(&by_events.fates, &fates);
        prop_assert_eq!(arrivals, arrived);
    }

    #[test]
    fn waiting_is_counted_exactly(traffic in traffic()) {
        let rate = Rate::from_mbit(80);
        let mut link = Link::new(rate, Span::from_millis(1), DropTail::new(u64::MAX));
        // The reference: each packet waits from when it comes until the one before has left.
        let (mut now, mut free, mut waited) = (Time::ZERO, Time::ZERO, 0_u128);
        for (number, (gap, len)) in (0_u64..).zip(&traffic) {
            now += Span::from_nanos(*gap);
            link.send(now, Frame { number, len: *len, ecn: Ecn::NotEct });
            waited += u128::from((free - now).as_nanos());
            free = free.max(now) + rate.time_for(*len);
        }
        link.settle(Time::from_secs(100));
        prop_assert_eq!(link.stats().waiting_packet_ns, waited);
    }

    #[test]
    fn arrivals_alone_are_enough_to_drive_a_link(traffic in traffic()) {
        let mut link = Link::new(Rate::from_mbit(80), Span::from_millis(1), DropTail::new(8_000));
        let by_events = drive(link.clone(), &traffic, Ecn::NotEct);
        let (mut now, mut arrivals) = (Time::ZERO, Vec::new());
        for (number, (gap, len)) in (0_u64..).zip(&traffic) {
            now += Span::from_nanos(*gap);
            while let Some(time) = link.next_arrival().filter(|time| *time <= now) {
                arrivals.extend(link.poll(time).map(|frame| (time, frame)));
            }
            link.send(now, Frame { number, len: *len, ecn: Ecn::NotEct });
        }
        while let Some(time) = link.next_arrival() {
            arrivals.extend(link.poll(time).map(|frame| (time, frame)));
        }
        prop_assert_eq!(by_events.arrivals, arrivals);
    }

    #[test]
    fn the_seed_decides(traffic in traffic(), seed in any::<u64>(), percent in 0..100_u32) {
        let run = || {
            let loss = Loss::random(f64::from(percent) / 100.0, Rng::new(seed)).and_every(7);
            drive(Link::new(Rate::from_mbit(10), Span::ZERO, DropTail::new(10_000)).with_loss(loss), &traffic, Ecn::NotEct)
        };
        let first = run();
        for (index, fate) in first.fates.iter().enumerate() {
            prop_assert!((index + 1) % 7 != 0 || *fate == Sent::Lost);
        }
        prop_assert_eq!(first, run());
    }

    #[test]
    fn marking_changes_nothing_but_the_mark(traffic in traffic(), threshold in 0..12_000_u64) {
        let plain = drive(Link::new(Rate::from_mbit(20), Span::ZERO, DropTail::new(10_000)), &traffic, Ecn::Ect0);
        let marking = drive(Link::new(Rate::from_mbit(20), Span::ZERO, EcnStep::new(10_000, threshold)), &traffic, Ecn::Ect0);
        let deaf = drive(Link::new(Rate::from_mbit(20), Span::ZERO, EcnStep::new(10_000, threshold)), &traffic, Ecn::NotEct);
        prop_assert_eq!(&deaf.fates, &plain.fates);
        let unmarked: Vec<Sent> = marking.fates.iter().map(|fate| if *fate == Sent::Marked { Sent::Accepted } else { *fate }).collect();
        prop_assert_eq!(&unmarked, &plain.fates);
        let marks = marking.fates.iter().filter(|fate| **fate == Sent::Marked).count();
        let ce = marking.arrivals.iter().filter(|(_, frame)| frame.ecn == Ecn::Ce).count();
        prop_assert_eq!(marks, ce);
        if threshold == 0 {
            prop_assert_eq!(ce, marking.arrivals.len());
        }
    }

    #[test]
    fn events_come_in_order_of_time_then_of_asking(times in prop::collection::vec(0..20_u64, 0..300)) {
        let mut queue = EventQueue::new();
        for (order, time) in times.iter().enumerate() {
            queue.push(Time::from_nanos(*time), order);
        }
        let mut expected: Vec<(u64, usize)> = times.iter().copied().zip(0..).collect();
        expected.sort();
        let popped: Vec<(u64, usize)> = std::iter::from_fn(|| queue.pop()).map(|(time, order)| (time.as_nanos(), order)).collect();
        prop_assert_eq!(popped, expected);
    }
}

/// The step: the first packet that finds the threshold waiting is marked, the one before is not.
#[test]
fn marking_begins_exactly_at_the_threshold() {
    let mut queue = EcnStep::new(6_000, 3_000);
    let frame = |ecn| Frame {
        number: 0,
        len: 1_500,
        ecn,
    };
    let offered = [Ecn::Ect0, Ecn::Ect0, Ecn::Ect1, Ecn::NotEct, Ecn::Ect0];
    let outcomes: Vec<String> = offered
        .iter()
        .map(|ecn| format!("{:?}", queue.enqueue(Time::ZERO, frame(*ecn))))
        .collect();
    assert_eq!(outcomes, ["Accepted", "Accepted", "Marked", "Accepted", "Dropped"]);
    assert_eq!(queue.backlog_bytes(), 6_000);
    let stats = queue.stats();
    assert_eq!(
        (stats.accepted, stats.marked, stats.dropped, stats.released),
        (4, 1, 1, 0)
    );
}
