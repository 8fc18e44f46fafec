//! [`Block`]: all memory of one socket. `struct tcp_sock` comes first, so that a pointer to it is a pointer to all.

use crate::app::App;
use crate::ca::OpsRef;
use crate::clock::Clock;
use crate::config::{Config, Pacing};
use crate::consts::{SK_PACING_NEEDED, SK_PACING_NONE, TCP_INFINITE_SSTHRESH, ca_state, state};
use crate::info::Counters;
use crate::input::Handshake;
use crate::receiver::Receiver;
use crate::scoreboard::RtxQueue;
use crate::segment::Segment;
use crate::sock::{
    icsk_ack, inet_connection_sock, inet_sock, minmax, minmax_sample, rcv_rtt_est, rcvq_space, sock, sock_common,
    tcp_options_received, tcp_rack, tcp_sack_block, tcp_sock,
};
use crate::timer::Timers;
use std::collections::VecDeque;

/// A closure that runs when the socket is dropped.
pub(crate) type DestroyHook = Box<dyn FnOnce(*mut sock) + Send>;

/// One socket. What Linux keeps in `struct tcp_sock` is in `tp`; what it keeps in skbs, timers and queues follows.
#[repr(C)]
pub(crate) struct Block {
    pub(crate) tp: tcp_sock,
    /// The table in use; `icsk_ca_ops` points to it.
    pub(crate) ca: OpsRef,
    /// Tables given up while one of their operations may have been running.
    pub(crate) retired: Vec<OpsRef>,
    pub(crate) destroy_hooks: Vec<DestroyHook>,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) counters: Counters,
    pub(crate) handshake: Handshake,
    pub(crate) timers: Timers,
    /// What is in flight.
    pub(crate) rtx: RtxQueue,
    /// Where to look for something to retransmit (`retransmit_skb_hint`); `None` = from the head on.
    pub(crate) retransmit_hint: Option<u32>,
    /// End of the highest SACKed burst; valid while `sacked_out` is not zero.
    pub(crate) highest_sack: u32,
    /// End of the first skb of the application's data that waits.
    pub(crate) chunk_end: u32,
    pub(crate) app: App,
    pub(crate) rcv: Receiver,
    /// Segments ready to leave.
    pub(crate) out: VecDeque<Segment>,
}

impl Block {
    pub(crate) fn new(config: Config, ca: OpsRef) -> Self {
        let clock = Clock::new(config.hz);
        Self {
            tp: new_tcp_sock(&config, &clock, &ca),
            ca,
            retired: Vec::new(),
            destroy_hooks: Vec::new(),
            clock,
            counters: Counters::default(),
            handshake: Handshake::default(),
            timers: Timers::default(),
            rtx: RtxQueue::new(),
            retransmit_hint: None,
            highest_sack: 0,
            chunk_end: 0,
            app: App::default(),
            rcv: Receiver::default(),
            out: VecDeque::new(),
            config,
        }
    }
}

/// `tcp_init_sock()`, `inet_create()` and `sock_init_data()`.
fn new_tcp_sock(config: &Config, clock: &Clock, ca: &OpsRef) -> tcp_sock {
    let isn = config.isn;
    let common = sock_common {
        skc_daddr: u32::from_ne_bytes(config.remote_addr),
        skc_rcv_saddr: u32::from_ne_bytes(config.local_addr),
        skc_dport: config.remote_port.to_be(),
        skc_num: config.local_port,
        skc_family: 2,
        skc_state: state::CLOSE,
        skc_cookie: crate::sock::atomic64_t {
            counter: config.cookie as i64,
        },
    };
    let sk = sock {
        __sk_common: common,
        sk_rcvbuf: config.rmem[1] as i32,
        sk_pacing_status: match config.pacing {
            Pacing::Off => SK_PACING_NONE,
            Pacing::Internal => SK_PACING_NEEDED,
        },
        sk_pacing_rate: config.max_pacing_rate,
        sk_max_pacing_rate: config.max_pacing_rate,
        sk_gso_max_segs: 65_535,
        sk_gso_max_size: config.gso_max_size,
        sk_sndbuf: config.wmem[1] as i32,
        sk_pacing_shift: 10,
    };
    let conn = inet_connection_sock {
        icsk_inet: inet_sock {
            sk,
            inet_saddr: u32::from_ne_bytes(config.local_addr),
            inet_sport: config.local_port.to_be(),
            tos: 0,
        },
        icsk_rto: clock.span_to_jiffies(net::Span::from_secs(1)),
        icsk_rto_min: clock.span_to_jiffies(config.rto_min).max(1),
        icsk_rto_max: clock.span_to_jiffies(config.rto_max).max(1),
        icsk_delack_max: clock.span_to_jiffies(config.delack_max).max(1),
        icsk_ca_ops: ca.as_ptr(),
        icsk_ca_bits: ca_state::OPEN,
        icsk_retransmits: 0,
        icsk_pending: 0,
        icsk_backoff: 0,
        icsk_ack: icsk_ack::default(),
        icsk_ca_priv: [0; 13],
    };
    tcp_sock {
        inet_conn: conn,
        max_window: 0,
        rcv_ssthresh: 0,
        reordering: config.reordering,
        gso_segs: 0,
        snd_wnd: 0,
        mss_cache: u32::from(config.mss.min(536)),
        snd_cwnd: config.init_cwnd,
        prr_out: 0,
        lost_out: 0,
        sacked_out: 0,
        tcp_header_len: 20,
        scaling_ratio: 128,
        cwnd_bits: 0,
        copied_seq: 0,
        snd_wl1: 0,
        tlp_high_seq: 0,
        rttvar_us: 0,
        retrans_out: 0,
        advmss: config.mss,
        lost: 0,
        snd_ssthresh: TCP_INFINITE_SSTHRESH,
        rtt_min: minmax {
            s: [minmax_sample { t: 0, v: u32::MAX }; 3],
        },
        segs_out: 0,
        data_segs_out: 0,
        bytes_sent: 0,
        write_seq: isn,
        lsndtime: 0,
        mdev_us: 1_000_000,
        rtt_seq: 0,
        tcp_wstamp_ns: 0,
        ecn_flags: 0,
        rate_bits: 0,
        tcp_clock_cache: 0,
        tcp_mstamp: 0,
        rcv_nxt: 0,
        snd_nxt: isn,
        snd_una: isn,
        window_clamp: 0,
        srtt_us: 0,
        packets_out: 0,
        delivered: 0,
        delivered_ce: 0,
        app_limited: u32::MAX,
        rcv_wnd: 0,
        rcv_tstamp: 0,
        rx_opt: tcp_options_received::default(),
        bytes_received: 0,
        segs_in: 0,
        data_segs_in: 0,
        rcv_wup: 0,
        max_packets_out: 0,
        cwnd_usage_seq: 0,
        rate_delivered: 0,
        rate_interval_us: 0,
        rcv_rtt_last_tsecr: 0,
        first_tx_mstamp: 0,
        delivered_mstamp: 0,
        bytes_acked: 0,
        rcv_rtt_est: rcv_rtt_est::default(),
        rcvq_space: rcvq_space::default(),
        dsack_dups: 0,
        compressed_ack_rcv_nxt: 0,
        rack: tcp_rack {
            reo_wnd_steps: 1,
            ..tcp_rack::default()
        },
        compressed_ack: 0,
        ack_bits: 0,
        frto_bits: 0,
        mdev_max_us: 0,
        reord_seen: 0,
        snd_cwnd_cnt: 0,
        snd_cwnd_clamp: u32::MAX,
        snd_cwnd_used: 0,
        snd_cwnd_stamp: 0,
        prior_cwnd: 0,
        prr_delivered: 0,
        duplicate_sack: [tcp_sack_block::default(); 1],
        selective_acks: [tcp_sack_block::default(); 4],
        recv_sack_cache: [tcp_sack_block::default(); 4],
        prior_ssthresh: 0,
        high_seq: 0,
        retrans_stamp: 0,
        undo_marker: 0,
        undo_retrans: 0,
        bytes_retrans: 0,
        total_retrans: 0,
        total_rto: 0,
        bpf_bits: 0,
        rcv_ooopack: 0,
    }
}
