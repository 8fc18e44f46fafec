//! A congestion control may write any number into the fields that it may write. Nothing of it may make TCP panic, lose
//! count or run without end; going nowhere is allowed, as in Linux.

use crate::world::{START, World};
use net::{EcnStep, Link, Loss, Rate, Span};
use proptest::prelude::*;
use tcp::ca::OpsRef;
use tcp::consts::{cong_flags, tcp_ca_event};
use tcp::sock::{ack_sample, rate_sample, sock, tcp_sock};
use tcp::{Config, CongestionOps, EcnMode, kfuncs};

/// Scribbles over one writable field; gives a number to return. The state of the generator is in `icsk_ca_priv`.
fn scribble(sk: *mut sock) -> u32 {
    // SAFETY: TCP gives a live socket, to which no reference is alive; this one ends with the function.
    let tp = unsafe { &mut *sk.cast::<tcp_sock>() };
    let state = &mut tp.inet_conn.icsk_ca_priv[0];
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    let random = *state >> 32;
    let value = match random % 7 {
        0 => 0,
        1 => 1,
        2 => u32::MAX,
        3 => i32::MAX as u32,
        4 => 1 << 31,
        _ => (random >> 4) as u32 % 500,
    };
    match (random >> 8) % 12 {
        0 => tp.snd_cwnd = value,
        1 => tp.snd_ssthresh = value,
        2 => tp.snd_cwnd_cnt = value,
        3 => tp.snd_cwnd_stamp = value,
        4 => tp.app_limited = value,
        5 => tp.ecn_flags = value as u8,
        6 => tp.inet_conn.icsk_ack.pending = value as u8,
        7 => tp.inet_conn.icsk_inet.sk.sk_pacing_status = value % 4,
        8 => tp.inet_conn.icsk_inet.sk.sk_pacing_rate = u64::from(value) << (value % 32),
        // Mostly let it go on.
        _ => tp.snd_cwnd = 20,
    }
    value
}

unsafe extern "C" fn init(sk: *mut sock) {
    // SAFETY: as in `scribble`.
    let tp = unsafe { &mut *sk.cast::<tcp_sock>() };
    // Different sockets, different numbers.
    tp.inet_conn.icsk_ca_priv[0] = u64::from(tp.snd_nxt);
}
unsafe extern "C" fn number(sk: *mut sock) -> u32 {
    scribble(sk)
}
unsafe extern "C" fn cong_avoid(sk: *mut sock, ack: u32, acked: u32) {
    let w = scribble(sk);
    // SAFETY: the operation's own argument, to which no reference is alive.
    unsafe {
        kfuncs::tcp_cong_avoid_ai(sk.cast(), w, acked);
        kfuncs::tcp_slow_start(sk.cast(), acked);
        kfuncs::tcp_reno_cong_avoid(sk, ack, acked);
    }
}
unsafe extern "C" fn cong_control(sk: *mut sock, _: u32, _: i32, _: *const rate_sample) {
    scribble(sk);
}
unsafe extern "C" fn set_state(sk: *mut sock, _: u8) {
    scribble(sk);
}
unsafe extern "C" fn event(sk: *mut sock, _: tcp_ca_event) {
    let rcv_nxt = scribble(sk);
    // SAFETY: as in `cong_avoid`.
    unsafe { kfuncs::tcp_send_ack(sk.cast(), rcv_nxt) };
}
unsafe extern "C" fn in_ack_event(sk: *mut sock, _: u32) {
    scribble(sk);
}
unsafe extern "C" fn pkts_acked(sk: *mut sock, _: *const ack_sample) {
    scribble(sk);
}

const AVOIDS: CongestionOps = CongestionOps {
    init: Some(init),
    ssthresh: Some(number),
    cong_avoid: Some(cong_avoid),
    set_state: Some(set_state),
    cwnd_event: Some(event),
    in_ack_event: Some(in_ack_event),
    pkts_acked: Some(pkts_acked),
    min_tso_segs: Some(number),
    undo_cwnd: Some(number),
    sndbuf_expand: Some(number),
    flags: cong_flags::NEEDS_ECN,
    ..CongestionOps::named("avoids")
};
static WITH_CONG_AVOID: CongestionOps = AVOIDS;
static WITH_CONG_CONTROL: CongestionOps = CongestionOps {
    cong_control: Some(cong_control),
    ..AVOIDS
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks(isn: u32, controls: bool, every in 5u64..200, hz in prop::sample::select(vec![100u32, 250, 1000])) {
        let table = if controls { &WITH_CONG_CONTROL } else { &WITH_CONG_AVOID };
        // Small receive buffers, or a window of four thousand million packets fills the machine's memory.
        let config = Config { isn, hz, ecn: EcnMode::On, rmem: [4096, 131_072, 262_144], ..Config::default() };
        let queue = || EcnStep::new(100_000, 15_000);
        let (rate, delay) = (Rate::from_mbit(20), Span::from_millis(5));
        let mut world = World::on_path(config, OpsRef::from_static(table), queue(), rate, delay);
        world.forward = Link::new(rate, delay, queue()).with_loss(Loss::every(every));
        world.run_until(START + Span::from_secs(3));
        let tp = world.sender.tcp_sock();
        prop_assert!(tp.sacked_out + tp.lost_out <= tp.packets_out);
        prop_assert!(tp.retrans_out <= tp.packets_out);
    }
}
