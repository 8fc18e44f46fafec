//! Transfers over networks that lose, repeat and reorder, with the counters recounted after every event.

use crate::ca::OpsRef;
use crate::cell::Sk;
use crate::reno::RENO;
use crate::scoreboard::{LOST, SACKED_ACKED, SACKED_RETRANS};
use crate::{Config, EcnMode, Pacing, Segment, Socket};
use net::{Ecn, Packet, Rng, Span, Time};
use proptest::prelude::*;

/// What the network does to packets, in 1/1000.
#[derive(Clone, Debug)]
struct Network {
    loss: u32,
    repeat: u32,
    mark: u32,
    jitter: Span,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn transfers_end_and_counters_hold(
        seed: u64,
        loss in 0u32..200,
        repeat in 0u32..100,
        mark in 0u32..100,
        jitter_ms in 0u64..30,
        bytes in 1u64..400_000,
        sack: bool,
        timestamps: bool,
        paced: bool,
        hz in prop::sample::select(vec![100u32, 250, 1000]),
        isn: u32,
    ) {
        let config = Config {
            sack,
            timestamps,
            hz,
            isn,
            ecn: if mark > 50 { EcnMode::On } else { EcnMode::Passive },
            pacing: if paced { Pacing::Internal } else { Pacing::Off },
            ..Config::default()
        };
        let network = Network { loss, repeat, mark, jitter: Span::from_millis(jitter_ms) };
        transfer(config, &network, bytes, seed);
    }
}

/// Runs a transfer to its end.
fn transfer(config: Config, network: &Network, bytes: u64, seed: u64) {
    let mut rng = Rng::new(seed);
    let reno = OpsRef::from_static(&RENO);
    let mut now = Time::from_secs(3);
    let mut sender = Socket::new(config.clone(), reno.clone());
    let mut receiver = Socket::new(
        Config {
            isn: config.isn.wrapping_mul(3),
            ..config
        },
        reno,
    );
    receiver.listen(now);
    sender.connect(now);
    sender.send(bytes);
    let mut flying: Vec<(Time, bool, Segment)> = Vec::new();
    let mut events = 0;
    while sender.info().bytes_acked < bytes {
        for (to_receiver, socket) in [(true, &mut sender), (false, &mut receiver)] {
            while let Some(segment) = socket.poll_output(now) {
                launch(&mut flying, network, &mut rng, now, to_receiver, segment);
            }
        }
        let arrival = flying.iter().map(|(at, ..)| *at).min();
        let next = [arrival, sender.next_timeout(), receiver.next_timeout()];
        now = next
            .into_iter()
            .flatten()
            .min()
            .expect("something is always on its way");
        sender.on_timeout(now);
        receiver.on_timeout(now);
        while let Some(at) = flying.iter().position(|(at, ..)| *at <= now) {
            let (_, to_receiver, segment) = flying.remove(at);
            let socket = if to_receiver { &mut receiver } else { &mut sender };
            socket.input(&segment, now);
            recount(&sender.sk);
        }
        recount(&sender.sk);
        events += 1;
        assert!(events < 2_000_000, "no end: {:?}", sender.info());
        assert!(now < Time::from_secs(40_000), "too slow: {:?}", sender.info());
    }
    assert_eq!(receiver.info().bytes_received, bytes);
    assert_eq!(sender.info().packets_out, 0);
}

fn launch(
    flying: &mut Vec<(Time, bool, Segment)>,
    network: &Network,
    rng: &mut Rng,
    now: Time,
    to_receiver: bool,
    mut segment: Segment,
) {
    let mut chance = |per_mille: u32| rng.next_u32() % 1000 < per_mille;
    if chance(network.loss) {
        return;
    }
    if segment.ecn.is_capable() && chance(network.mark) {
        segment.set_ecn(Ecn::Ce);
    }
    let copies = if chance(network.repeat) { 2 } else { 1 };
    for _ in 0..copies {
        let jitter = u64::from(rng.next_u32()) % (network.jitter.as_nanos() + 1);
        let at = now + Span::from_millis(5) + Span::from_nanos(jitter);
        flying.push((at, to_receiver, segment));
    }
}

/// Counts the tags of all bursts and compares with the counters kept.
fn recount(sk: &Sk) {
    let (mut out, mut sacked, mut lost, mut retrans) = (0, 0, 0, 0);
    for position in 0..sk.rtx.len() {
        let skb = sk.rtx.get(sk.rtx.at(position).expect("below the length"));
        out += skb.pcount;
        let count = |bit| if skb.is(bit) { skb.pcount } else { 0 };
        sacked += count(SACKED_ACKED);
        lost += count(LOST);
        retrans += count(SACKED_RETRANS);
        assert!(!(skb.is(SACKED_ACKED) && skb.is(LOST)), "SACKED and LOST at once");
    }
    let tp = &sk.tp;
    assert!(sk.rtx.is_contiguous_from(tp.snd_una) || sk.rtx.is_empty());
    assert_eq!(
        (tp.packets_out, tp.lost_out, tp.retrans_out),
        (out, lost, retrans),
        "out, lost, retransmitted"
    );
    if sk.is_sack() {
        assert_eq!(tp.sacked_out, sacked, "sacked");
    }
    assert!(tp.sacked_out + tp.lost_out <= tp.packets_out);
    assert!(tp.snd_cwnd >= 1 && tp.snd_cwnd < 1 << 20, "window {}", tp.snd_cwnd);
}
