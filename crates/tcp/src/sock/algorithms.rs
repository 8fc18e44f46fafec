//! Private memory of Linux's own algorithms (`net/ipv4/tcp_cubic.c`, `tcp_bbr.c` 6.18, `tcp_dctcp.c` 6.12): sources for a real `vmlinux.h` lay their
//! `icsk_ca_priv` out by these types, so that a kernel without them could not place their fields.
//!
//! No code here uses them.

use super::parts::minmax;
use btf::BtfType;

/// `struct bictcp` of CUBIC.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
#[expect(missing_docs, non_snake_case, reason = "the fields are those of another program")]
pub struct bictcp {
    pub cnt: u32,
    pub last_max_cwnd: u32,
    pub last_cwnd: u32,
    pub last_time: u32,
    pub bic_origin_point: u32,
    pub bic_K: u32,
    pub delay_min: u32,
    pub epoch_start: u32,
    pub ack_cnt: u32,
    pub tcp_cwnd: u32,
    pub unused: u16,
    pub sample_cnt: u8,
    pub found: u8,
    pub round_start: u32,
    pub end_seq: u32,
    pub last_ack: u32,
    pub curr_rtt: u32,
}

/// `struct bbr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
#[expect(missing_docs, reason = "the fields are those of another program")]
pub struct bbr {
    pub min_rtt_us: u32,
    pub min_rtt_stamp: u32,
    pub probe_rtt_done_stamp: u32,
    pub bw: minmax,
    pub rtt_cnt: u32,
    pub next_rtt_delivered: u32,
    pub cycle_mstamp: u64,
    #[btf(bits(
        mode = 3,
        prev_ca_state = 3,
        packet_conservation = 1,
        round_start = 1,
        idle_restart = 1,
        probe_rtt_round_done = 1,
        unused = 13,
        lt_is_sampling = 1,
        lt_rtt_cnt = 7,
        lt_use_bw = 1
    ))]
    pub state_bits: u32,
    pub lt_bw: u32,
    pub lt_last_delivered: u32,
    pub lt_last_stamp: u32,
    pub lt_last_lost: u32,
    #[btf(bits(
        pacing_gain = 10,
        cwnd_gain = 10,
        full_bw_reached = 1,
        full_bw_cnt = 2,
        cycle_idx = 3,
        has_seen_rtt = 1,
        unused_b = 5
    ))]
    pub gain_bits: u32,
    pub prior_cwnd: u32,
    pub full_bw: u32,
    pub ack_epoch_mstamp: u64,
    pub extra_acked: [u16; 2],
    #[btf(bits(
        ack_epoch_acked = 20,
        extra_acked_win_rtts = 5,
        extra_acked_win_idx = 1,
        unused_c = 6
    ))]
    pub extra_bits: u32,
}

/// `struct dctcp`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
#[expect(missing_docs, reason = "the fields are those of another program")]
pub struct dctcp {
    pub old_delivered: u32,
    pub old_delivered_ce: u32,
    pub prior_rcv_nxt: u32,
    pub dctcp_alpha: u32,
    pub next_seq: u32,
    pub ce_state: u32,
    pub loss_cwnd: u32,
    pub plb: tcp_plb_state,
}

/// `struct tcp_plb_state` (include/net/tcp.h): protective load balancing.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, BtfType)]
#[expect(missing_docs, reason = "the fields are those of another program")]
pub struct tcp_plb_state {
    #[btf(bits(consec_cong_rounds = 5, unused = 3))]
    pub bits: u8,
    pub pause_until: u32,
}
