//! The size of the receive buffer: dynamic right-sizing. `tcp_rcv_space_adjust()`, `tcp_rcv_rtt_measure*()`,
//! `tcp_init_buffer_space()` (net/ipv4/tcp_input.c, Linux 6.12); the growth by what the application read, and the room for
//! out-of-order data, are those of 6.18, as its traces show.

use super::truesize;
use crate::cell::Sk;
use crate::segment::Segment;
use crate::seq::before;

impl Sk {
    /// `tcp_init_buffer_space()`, when the connection stands.
    pub(crate) fn init_buffer_space(&mut self) {
        self.sndbuf_expand();
        let full = self.full_space();
        let now = self.tp.tcp_mstamp;
        let init_cwnd = self.config.init_cwnd;
        let tp = &mut self.tp;
        tp.rcvq_space.time = now;
        tp.rcvq_space.seq = tp.copied_seq;
        tp.window_clamp = tp.window_clamp.min(full);
        tp.rcv_ssthresh = tp.rcv_ssthresh.min(tp.window_clamp);
        let space = tp
            .rcv_ssthresh
            .min(tp.rcv_wnd)
            .min(init_cwnd.saturating_mul(u32::from(tp.advmss)));
        tp.rcvq_space.space = space as i32;
    }

    /// `tcp_select_initial_window()`: the first window, a whole number of segments, and the scale.
    pub(crate) fn select_initial_window(&mut self) -> u8 {
        let mss = u32::from(self.tp.advmss).max(1);
        let full = self.full_space();
        let window = if full > mss { full / mss * mss } else { full };
        let largest = full.max(self.config.rmem[2]).max(RMEM_MAX).max(1);
        let scale = largest.ilog2().saturating_sub(15).min(14) as u8;
        self.tp.rcv_wnd = window;
        self.tp.rcv_ssthresh = window;
        self.tp.window_clamp = 65_535 << scale;
        scale
    }

    /// `tcp_initialize_rcv_mss()`.
    pub(crate) fn initialize_rcv_mss(&mut self) {
        let tp = &mut self.tp;
        let hint = u32::from(tp.advmss).min(tp.mss_cache).min(tp.rcv_wnd / 2);
        tp.inet_conn.icsk_ack.rcv_mss = hint.clamp(88, 536) as u16;
    }

    /// The part of `tcp_measure_rcv_mss()` about memory: how much of it is payload.
    pub(super) fn update_scaling_ratio(&mut self, len: u32) {
        let ratio = (u64::from(len) << 8) / u64::from(truesize(len));
        let ratio = ratio.clamp(1, 255) as u8;
        if ratio == self.tp.scaling_ratio {
            return;
        }
        self.tp.scaling_ratio = ratio;
        self.tp.window_clamp = self.full_space();
        let clamp = self.tp.window_clamp as i32;
        self.tp.rcvq_space.space = self.tp.rcvq_space.space.min(clamp);
    }

    /// `tcp_rcv_space_adjust()`: once a round trip, compares what was read with the best round so far.
    pub(super) fn rcv_space_adjust(&mut self) {
        let tp = &self.tp;
        let elapsed = tp.tcp_mstamp.saturating_sub(tp.rcvq_space.time);
        if tp.rcv_rtt_est.rtt_us == 0 || elapsed < u64::from(tp.rcv_rtt_est.rtt_us >> 3) {
            return;
        }
        let copied = tp.copied_seq.wrapping_sub(tp.rcvq_space.seq);
        if copied as i32 > tp.rcvq_space.space {
            self.rcvbuf_grow(copied);
        }
        self.tp.rcvq_space.seq = self.tp.copied_seq;
        self.tp.rcvq_space.time = self.tp.tcp_mstamp;
    }

    /// `tcp_rcvbuf_grow()` of 6.18: twice what was read, and more while the sender accelerates.
    fn rcvbuf_grow(&mut self, read: u32) {
        let old = u64::from(self.tp.rcvq_space.space.max(1) as u32);
        self.tp.rcvq_space.space = read as i32;
        let mut window = u64::from(read) * 2;
        window += window * u64::from(read).saturating_sub(old) / old * 2;
        window += u64::from(self.ooo_span());
        self.set_rcvbuf_for(window);
    }

    /// Out-of-order data needs its room beside what is read.
    pub(super) fn rcvbuf_grow_for_ooo(&mut self) {
        let window = u64::from(self.tp.rcvq_space.space.max(0) as u32) * 2 + u64::from(self.ooo_span());
        self.set_rcvbuf_for(window);
    }

    fn ooo_span(&self) -> u32 {
        self.rcv.ooo.end().map_or(0, |end| end.wrapping_sub(self.tp.rcv_nxt))
    }

    fn set_rcvbuf_for(&mut self, window: u64) {
        let ratio = u64::from(self.tp.scaling_ratio.max(1));
        let memory = ((window << 8) / ratio).min(u64::from(self.config.rmem[2])) as i32;
        if memory > self.tp.inet_conn.icsk_inet.sk.sk_rcvbuf {
            self.tp.inet_conn.icsk_inet.sk.sk_rcvbuf = memory;
            self.tp.window_clamp = self.full_space();
        }
    }

    /// `tcp_rcv_rtt_measure_ts()`: the receiver's round-trip time from the timestamps that data echoes.
    pub(crate) fn rcv_rtt_measure_ts(&mut self, segment: &Segment) {
        let echoed = self.tp.rx_opt.rcv_tsecr;
        if echoed == self.tp.rcv_rtt_last_tsecr {
            return;
        }
        self.tp.rcv_rtt_last_tsecr = echoed;
        if segment.len < u32::from(self.tp.inet_conn.icsk_ack.rcv_mss) {
            return;
        }
        if let Some(us) = self.rtt_tsopt_us(0).filter(|&us| us > 0) {
            self.rcv_rtt_update(us.min(u64::from(u32::MAX)) as u32, false);
        }
    }

    /// `tcp_rcv_rtt_measure()`: without timestamps, the time that a window of data takes.
    pub(super) fn rcv_rtt_measure(&mut self) {
        let est = self.tp.rcv_rtt_est;
        if est.time != 0 {
            if before(self.tp.rcv_nxt, est.seq) {
                return;
            }
            let us = self
                .tp
                .tcp_mstamp
                .saturating_sub(est.time)
                .clamp(1, u64::from(u32::MAX));
            self.rcv_rtt_update(us as u32, true);
        }
        self.tp.rcv_rtt_est.seq = self.tp.rcv_nxt.wrapping_add(self.tp.rcv_wnd);
        self.tp.rcv_rtt_est.time = self.tp.tcp_mstamp;
    }

    /// `tcp_rcv_rtt_update()`.
    fn rcv_rtt_update(&mut self, sample: u32, window_dependent: bool) {
        let old = self.tp.rcv_rtt_est.rtt_us;
        let scaled = sample.saturating_mul(8);
        if old == 0 || scaled < old {
            self.tp.rcv_rtt_est.rtt_us = scaled;
        } else if !window_dependent {
            self.tp.rcv_rtt_est.rtt_us = old - (old >> 3) + sample;
        }
    }

    /// `tcp_sndbuf_expand()`: what the send buffer would be. Nothing here is held back by it.
    pub(crate) fn sndbuf_expand(&mut self) {
        let per_mss = (self.tp.mss_cache + 640).next_power_of_two() + 256;
        let segs = self.config.init_cwnd.max(self.tp.snd_cwnd).max(self.tp.reordering + 1);
        let factor = self.ca_sndbuf_expand().unwrap_or(2);
        let memory = (u64::from(factor) * u64::from(segs)).saturating_mul(u64::from(per_mss));
        let memory = memory.min(u64::from(self.config.wmem[2])) as i32;
        let sk = &mut self.tp.inet_conn.icsk_inet.sk;
        sk.sk_sndbuf = sk.sk_sndbuf.max(memory);
    }
}

/// `net.core.rmem_max`: the window scale allows at least that much.
const RMEM_MAX: u32 = 4 << 20;
