//! When to acknowledge: quick ACKs at the start and after trouble, then every second segment, else a timer
//! (`__tcp_ack_snd_check()`, `tcp_send_delayed_ack()`, `tcp_cleanup_rbuf()`, `tcp_measure_rcv_mss()` of net/ipv4, Linux
//! 6.12), and SACK compression.

use crate::cell::Sk;
use crate::consts::icsk_ack_state;
use crate::segment::{Flags, Segment};
use net::Span;

impl Sk {
    /// `inet_csk_schedule_ack()`.
    pub(super) fn schedule_ack(&mut self) {
        self.tp.inet_conn.icsk_ack.pending |= icsk_ack_state::SCHED;
    }

    /// `tcp_ack_snd_check()`.
    pub(crate) fn ack_snd_check(&mut self) {
        let ack = &self.tp.inet_conn.icsk_ack;
        if ack.pending & icsk_ack_state::SCHED == 0 {
            // A data segment took the ACK with it.
            return;
        }
        let owed = self.tp.rcv_nxt.wrapping_sub(self.tp.rcv_wup);
        let now = owed > u32::from(ack.rcv_mss) && self.offer() >= self.tp.rcv_wnd
            || self.in_quickack_mode()
            || self.tp.inet_conn.icsk_ack.pending & icsk_ack_state::NOW != 0;
        if now {
            self.send_ack();
        } else if self.rcv.ooo.is_empty() {
            self.send_delayed_ack();
        } else {
            self.compress_ack();
        }
    }

    /// Out-of-order data: the first duplicates at once, later ones together (`tcp_comp_sack_*`).
    fn compress_ack(&mut self) {
        if !self.is_sack() || self.tp.compressed_ack >= self.config.comp_sack_nr {
            self.send_ack();
            return;
        }
        let tp = &mut self.tp;
        if tp.compressed_ack_rcv_nxt != tp.rcv_nxt {
            tp.compressed_ack_rcv_nxt = tp.rcv_nxt;
            tp.set_dup_ack_counter(0);
        }
        if tp.dup_ack_counter() < 3 {
            let count = tp.dup_ack_counter() + 1;
            tp.set_dup_ack_counter(count);
            self.send_ack();
            return;
        }
        tp.compressed_ack += 1;
        if self.timers.compressed_ack.is_some() {
            return;
        }
        let tp = &self.tp;
        let mut rtt = tp.rcv_rtt_est.rtt_us;
        if tp.srtt_us != 0 && tp.srtt_us < rtt {
            rtt = tp.srtt_us;
        }
        // 5 % of a round trip; the estimates are times 8.
        let delay = Span::from_nanos(u64::from(rtt) * (1_000 / 8) / 20).min(self.config.comp_sack_delay);
        self.timers.compressed_ack = Some(self.clock.now + delay);
    }

    /// `tcp_compressed_ack_kick()`.
    pub(crate) fn compressed_ack_kick(&mut self) {
        if self.tp.compressed_ack != 0 {
            self.send_ack();
        }
    }

    /// `tcp_sack_compress_send_ack()`: what was held back must go before a block is forgotten.
    pub(super) fn sack_compress_send_ack(&mut self) {
        if self.tp.compressed_ack != 0 {
            self.send_ack();
        }
    }

    /// `tcp_send_delayed_ack()`.
    fn send_delayed_ack(&mut self) {
        let (delack_min, delack_max) = (self.ato_min(), self.delack_max());
        let mut ato = self.tp.inet_conn.icsk_ack.ato();
        if ato > delack_min {
            let mut max_ato = self.config.hz / 2;
            if self.in_pingpong_mode() || self.tp.inet_conn.icsk_ack.pending & icsk_ack_state::PUSHED != 0 {
                max_ato = delack_max;
            }
            if self.tp.srtt_us != 0 {
                let rtt = self.clock.usecs_to_jiffies(self.tp.srtt_us >> 3).max(delack_min);
                max_ato = max_ato.min(rtt);
            }
            ato = ato.min(max_ato);
        }
        let rto_min = self.tp.inet_conn.icsk_rto_min.max(2) - 1;
        ato = ato.min(self.tp.inet_conn.icsk_delack_max).min(rto_min);
        let at = self.clock.timer(ato);
        let pending = self.tp.inet_conn.icsk_ack.pending;
        let at = match self.timers.delack {
            Some(earlier) if pending & icsk_ack_state::TIMER != 0 => {
                if earlier <= self.clock.timer(ato >> 2) {
                    self.send_ack();
                    return;
                }
                earlier.min(at)
            }
            _ => at,
        };
        self.tp.inet_conn.icsk_ack.pending |= icsk_ack_state::SCHED | icsk_ack_state::TIMER;
        self.timers.delack = Some(at);
    }

    /// `tcp_delack_timer_handler()`.
    pub(crate) fn delack_timer(&mut self) {
        let pending = self.tp.inet_conn.icsk_ack.pending;
        self.tp.inet_conn.icsk_ack.pending &= !icsk_ack_state::TIMER;
        if pending & icsk_ack_state::SCHED == 0 {
            return;
        }
        let (ato_min, rto) = (self.ato_min(), self.tp.inet_conn.icsk_rto);
        if self.in_pingpong_mode() {
            self.tp.inet_conn.icsk_ack.pingpong = 0;
            self.tp.inet_conn.icsk_ack.set_ato(ato_min);
        } else {
            // The guess was too short: wait longer next time.
            let ato = self.tp.inet_conn.icsk_ack.ato();
            self.tp.inet_conn.icsk_ack.set_ato((ato << 1).min(rto).min(255));
        }
        self.send_ack();
    }

    /// `__tcp_cleanup_rbuf()`: the application has read everything.
    pub(super) fn cleanup_rbuf(&mut self) {
        let ack = &self.tp.inet_conn.icsk_ack;
        let mut now = false;
        if ack.pending & icsk_ack_state::SCHED != 0 {
            let owed = self.tp.rcv_nxt.wrapping_sub(self.tp.rcv_wup);
            let pushed = ack.pending & icsk_ack_state::PUSHED2 != 0
                || (ack.pending & icsk_ack_state::PUSHED != 0 && !self.in_pingpong_mode());
            now = owed > u32::from(ack.rcv_mss) || pushed;
        }
        if !now {
            let current = self.receive_window();
            if current.saturating_mul(2) <= self.tp.window_clamp {
                let new = self.offer();
                now = new != 0 && new >= current.saturating_mul(2);
            }
        }
        if now {
            self.send_ack();
        }
    }

    /// `tcp_measure_rcv_mss()`: the peer's segment size, the share of payload in memory, and PSH.
    pub(super) fn measure_rcv_mss(&mut self, segment: &Segment) {
        let advmss = self.tp.advmss;
        let len = segment.len;
        let ack = &mut self.tp.inet_conn.icsk_ack;
        let last = ack.last_seg_size;
        ack.last_seg_size = 0;
        let push = segment.flags.has(Flags::PSH);
        if len >= u32::from(ack.rcv_mss) {
            let changed = len != u32::from(ack.rcv_mss);
            ack.rcv_mss = len.min(u32::from(advmss)) as u16;
            if push {
                ack.pending |= icsk_ack_state::PUSHED;
            }
            if changed {
                self.update_scaling_ratio(len);
            }
            return;
        }
        let with_header = len + 20;
        if with_header >= 536 + 20 || (with_header >= 88 + 20 && !push) {
            ack.last_seg_size = len as u16;
            if ack.last_seg_size == last {
                ack.rcv_mss = last;
                return;
            }
        }
        if ack.pending & icsk_ack_state::PUSHED != 0 {
            ack.pending |= icsk_ack_state::PUSHED2;
        }
        ack.pending |= icsk_ack_state::PUSHED;
    }

    /// The middle part of `tcp_event_data_recv()`: how long segments are apart.
    pub(super) fn delack_update(&mut self) {
        let (ato_min, delack_max) = (self.ato_min(), self.delack_max());
        let now = self.clock.jiffies();
        let ack = self.tp.inet_conn.icsk_ack;
        if ack.ato() == 0 {
            self.incr_quickack(MAX_QUICKACKS);
            self.tp.inet_conn.icsk_ack.set_ato(ato_min);
        } else {
            let apart = now.wrapping_sub(ack.lrcvtime);
            let rto = self.tp.inet_conn.icsk_rto;
            if apart <= ato_min / 2 {
                self.tp.inet_conn.icsk_ack.set_ato((ack.ato() >> 1) + ato_min / 2);
            } else if apart < ack.ato() {
                let ato = ((ack.ato() >> 1) + apart).min(rto).min(delack_max);
                self.tp.inet_conn.icsk_ack.set_ato(ato);
            } else if apart > rto {
                self.incr_quickack(MAX_QUICKACKS);
            }
        }
        self.tp.inet_conn.icsk_ack.lrcvtime = now;
    }

    /// `tcp_incr_quickack()`.
    fn incr_quickack(&mut self, max: u8) {
        let mss = u32::from(self.tp.inet_conn.icsk_ack.rcv_mss).max(1);
        let fit = (self.tp.rcv_wnd / (2 * mss)).max(1);
        let quick = if self.tp.rcv_wnd / (2 * mss) == 0 { 2 } else { fit };
        let quick = quick.min(u32::from(max)) as u8;
        let ack = &mut self.tp.inet_conn.icsk_ack;
        ack.quick = ack.quick.max(quick);
    }

    /// `tcp_enter_quickack_mode()`.
    pub(crate) fn enter_quickack_mode(&mut self, max: u8) {
        self.incr_quickack(max);
        let ato_min = self.ato_min();
        self.tp.inet_conn.icsk_ack.pingpong = 0;
        self.tp.inet_conn.icsk_ack.set_ato(ato_min);
    }

    /// `tcp_in_quickack_mode()`.
    fn in_quickack_mode(&self) -> bool {
        self.tp.inet_conn.icsk_ack.quick != 0 && !self.in_pingpong_mode()
    }

    /// `tcp_dec_quickack_mode()`: an ACK was sent.
    pub(crate) fn dec_quickack_mode(&mut self) {
        let ato_min = self.ato_min();
        let ack = &mut self.tp.inet_conn.icsk_ack;
        let used = u8::from(ack.pending & icsk_ack_state::SCHED != 0);
        if ack.quick == 0 {
            return;
        }
        if used >= ack.quick {
            ack.quick = 0;
            ack.set_ato(ato_min);
        } else {
            ack.quick -= used;
        }
    }

    /// `inet_csk_in_pingpong_mode()`.
    fn in_pingpong_mode(&self) -> bool {
        self.tp.inet_conn.icsk_ack.pingpong >= PINGPONG_THRESH
    }

    /// `TCP_ATO_MIN` and `TCP_DELACK_MIN`, jiffies.
    fn ato_min(&self) -> u32 {
        if self.config.hz >= 100 { self.config.hz / 25 } else { 4 }
    }

    /// `TCP_DELACK_MAX`, jiffies.
    fn delack_max(&self) -> u32 {
        self.config.hz / 5
    }
}

/// `TCP_MAX_QUICKACKS`.
pub(super) const MAX_QUICKACKS: u8 = 16;
/// `tcp_pingpong_thresh`.
const PINGPONG_THRESH: u8 = 1;
