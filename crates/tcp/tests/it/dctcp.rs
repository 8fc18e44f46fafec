//! ECN end to end with DCTCP (RFC 8257) written against the C table, on the path of a reference trace: step mark at 36,000
//! bytes. It uses what no other native algorithm does: `in_ack_event`, the ECN events, `tcp_send_ack`.

use crate::world::{START, World};
use net::{EcnStep, Queue, Span};
use tcp::ca::OpsRef;
use tcp::consts::{ca_state, cong_flags, ecn_flags, icsk_ack_state, tcp_ca_event};
use tcp::sock::{sock, tcp_sock};
use tcp::{Config, CongestionOps, EcnMode, kfuncs};

/// What the algorithm keeps in `icsk_ca_priv`.
#[derive(Clone, Copy)]
struct Dctcp {
    old_delivered: u32,
    old_delivered_ce: u32,
    prior_rcv_nxt: u32,
    alpha: u32,
    next_seq: u32,
    ce_state: u32,
    loss_cwnd: u32,
}

impl Dctcp {
    fn load(tp: &tcp_sock) -> Self {
        let word = |i: usize| (tp.inet_conn.icsk_ca_priv[i / 2] >> (32 * (i % 2))) as u32;
        Self {
            old_delivered: word(0),
            old_delivered_ce: word(1),
            prior_rcv_nxt: word(2),
            alpha: word(3),
            next_seq: word(4),
            ce_state: word(5),
            loss_cwnd: word(6),
        }
    }

    fn store(self, tp: &mut tcp_sock) {
        let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let memory = &mut tp.inet_conn.icsk_ca_priv;
        memory[0] = pair(self.old_delivered, self.old_delivered_ce);
        memory[1] = pair(self.prior_rcv_nxt, self.alpha);
        memory[2] = pair(self.next_seq, self.ce_state);
        memory[3] = pair(self.loss_cwnd, 0);
    }

    fn restart(&mut self, tp: &tcp_sock) {
        self.next_seq = tp.snd_nxt;
        self.old_delivered = tp.delivered;
        self.old_delivered_ce = tp.delivered_ce;
    }
}

static DCTCP: CongestionOps = CongestionOps {
    init: Some(init),
    in_ack_event: Some(update_alpha),
    cwnd_event: Some(event),
    set_state: Some(set_state),
    ssthresh: Some(ssthresh),
    cong_avoid: Some(kfuncs::tcp_reno_cong_avoid),
    undo_cwnd: Some(undo_cwnd),
    flags: cong_flags::NEEDS_ECN,
    ..CongestionOps::named("dctcp-test")
};

const ALPHA_MAX: u32 = 1024;

/// Lets `work` at the socket and the private memory for the time of an operation.
fn with<R>(sk: *mut sock, work: impl FnOnce(&mut tcp_sock, &mut Dctcp) -> R) -> R {
    // SAFETY: TCP gives a live socket, to which no reference is alive; this one ends with the function.
    let tp = unsafe { &mut *sk.cast::<tcp_sock>() };
    let mut ca = Dctcp::load(tp);
    let result = work(tp, &mut ca);
    ca.store(tp);
    result
}

unsafe extern "C" fn init(sk: *mut sock) {
    with(sk, |tp, ca| {
        ca.prior_rcv_nxt = tp.rcv_nxt;
        ca.alpha = ALPHA_MAX;
        ca.restart(tp);
    });
}

unsafe extern "C" fn update_alpha(sk: *mut sock, _flags: u32) {
    with(sk, |tp, ca| {
        if (tp.snd_una.wrapping_sub(ca.next_seq) as i32) < 0 {
            return;
        }
        let marked = tp.delivered_ce.wrapping_sub(ca.old_delivered_ce);
        ca.alpha -= match ca.alpha >> 4 {
            0 => ca.alpha,
            share => share,
        };
        if marked != 0 {
            let delivered = tp.delivered.wrapping_sub(ca.old_delivered).max(1);
            ca.alpha = (ca.alpha + (marked << 6) / delivered).min(ALPHA_MAX);
        }
        ca.restart(tp);
    });
}

unsafe extern "C" fn ssthresh(sk: *mut sock) -> u32 {
    with(sk, |tp, ca| {
        ca.loss_cwnd = tp.snd_cwnd;
        (tp.snd_cwnd - ((tp.snd_cwnd * ca.alpha) >> 11)).max(2)
    })
}

unsafe extern "C" fn undo_cwnd(sk: *mut sock) -> u32 {
    with(sk, |tp, ca| tp.snd_cwnd.max(ca.loss_cwnd))
}

unsafe extern "C" fn set_state(sk: *mut sock, state: u8) {
    with(sk, |tp, ca| {
        if state == ca_state::RECOVERY && tp.inet_conn.icsk_ca_state() != ca_state::RECOVERY {
            ca.loss_cwnd = tp.snd_cwnd;
            tp.snd_ssthresh = (tp.snd_cwnd >> 1).max(2);
        }
    });
}

unsafe extern "C" fn event(sk: *mut sock, event: tcp_ca_event) {
    let marked = match event {
        tcp_ca_event::EcnIsCe => 1,
        tcp_ca_event::EcnNoCe => 0,
        tcp_ca_event::TxStart | tcp_ca_event::CwndRestart | tcp_ca_event::CompleteCwr | tcp_ca_event::Loss => return,
    };
    // An ACK that is owed for packets of the other kind goes first.
    let owed = with(sk, |tp, ca| {
        let owed = tp.inet_conn.icsk_ack.pending & icsk_ack_state::TIMER != 0;
        if ca.ce_state != marked && owed {
            demand_cwr(tp, ca.ce_state);
            return Some(ca.prior_rcv_nxt);
        }
        None
    });
    if let Some(rcv_nxt) = owed {
        // SAFETY: the socket that runs this operation; no reference to it is alive.
        unsafe { kfuncs::tcp_send_ack(sk.cast(), rcv_nxt) };
    }
    with(sk, |tp, ca| {
        if ca.ce_state != marked {
            tp.inet_conn.icsk_ack.pending |= icsk_ack_state::NOW;
        }
        ca.prior_rcv_nxt = tp.rcv_nxt;
        ca.ce_state = marked;
        demand_cwr(tp, marked);
    });
}

fn demand_cwr(tp: &mut tcp_sock, on: u32) {
    tp.ecn_flags &= !ecn_flags::DEMAND_CWR;
    if on == 1 {
        tp.ecn_flags |= ecn_flags::DEMAND_CWR;
    }
}

#[test]
fn steady_state_is_that_of_linux() {
    let config = Config {
        ecn: EcnMode::On,
        ..Config::default()
    };
    let mut world = World::new(config, OpsRef::from_static(&DCTCP), EcnStep::new(250_000, 36_000));
    world.run_until(START + Span::from_secs(10));
    let (before, marks_before) = (world.sender.info(), world.forward.stats().queue.marked);
    let (mut cwnd, mut queue, mut alpha, mut count) = (0.0, 0.0, 0.0, 0.0);
    while world.now < START + Span::from_secs(30) {
        let next = world.now + Span::from_millis(1);
        world.run_until(next);
        cwnd += f64::from(world.sender.info().cwnd);
        queue += world.forward.queue().backlog_packets() as f64;
        alpha += (world.sender.tcp_sock().inet_conn.icsk_ca_priv[1] >> 32) as f64 / 1024.0;
        count += 1.0;
    }
    let info = world.sender.info();
    let goodput = (info.bytes_acked - before.bytes_acked) as f64 * 8.0 / 20e6;
    let marked =
        (world.forward.stats().queue.marked - marks_before) as f64 / f64::from(info.delivered - before.delivered);
    let near = |name: &str, ours: f64, linux: f64, tolerance: f64| {
        assert!((ours / linux - 1.0).abs() < tolerance, "{name} {ours}, Linux {linux}");
    };
    near("goodput", goodput, 96.48, 0.005);
    near("window", cwnd / count, 192.7, 0.02);
    near("queue", queue / count, 19.5, 0.05);
    near("marks", marked, 0.0219, 0.20);
    near("alpha", alpha / count, 0.029, 0.15);
    assert_eq!(info.retransmits, before.retransmits);
    assert_eq!(world.forward.stats().queue.dropped, 0);
}
