//! RACK loss detection by time of transmission (RFC 8985; net/ipv4/tcp_recovery.c, Linux 6.12).

use crate::cell::Sk;
use crate::consts::{ca_state, icsk_time};
use crate::scoreboard::{LOST, RETRANS, SACKED_ACKED, SACKED_RETRANS, Skb, SkbId};
use crate::seq::{after, before};
use crate::sock::rate_sample;
use crate::timer::TIMEOUT_MIN_US;

impl Sk {
    /// `tcp_rack_advance()`: a segment was delivered; notes the latest sent one.
    pub(crate) fn rack_advance(&mut self, sacked: u8, end_seq: u32, xmit_us: u64) {
        let tp = &mut self.tp;
        let rtt_us = tp.tcp_mstamp.saturating_sub(xmit_us).min(u64::from(u32::MAX)) as u32;
        if rtt_us < tp.min_rtt_us() && sacked & RETRANS != 0 {
            // It was the original that arrived, most likely.
            return;
        }
        tp.rack.set_advanced(1);
        tp.rack.rtt_us = rtt_us;
        if sent_after(xmit_us, tp.rack.mstamp, end_seq, tp.rack.end_seq) {
            tp.rack.mstamp = xmit_us;
            tp.rack.end_seq = end_seq;
        }
    }

    /// `tcp_rack_mark_lost()`: true if the timer for the reordering window was set.
    pub(super) fn rack_mark_lost(&mut self) -> bool {
        if self.tp.rack.advanced() == 0 {
            return false;
        }
        self.tp.rack.set_advanced(0);
        let wait_us = self.rack_detect_loss();
        if wait_us == 0 {
            return false;
        }
        let jiffies = self.clock.usecs_to_jiffies(wait_us.saturating_add(TIMEOUT_MIN_US));
        let rto = self.tp.inet_conn.icsk_rto;
        self.reset_xmit_timer(icsk_time::REO_TIMEOUT, jiffies.min(rto));
        true
    }

    /// `tcp_rack_reo_timeout()`.
    pub(crate) fn rack_reo_timeout(&mut self) {
        let prior_in_flight = self.tp.packets_in_flight();
        let prior_lost = self.tp.lost;
        self.rack_detect_loss();
        if prior_in_flight != self.tp.packets_in_flight() {
            if self.ca_state() != ca_state::RECOVERY {
                self.enter_recovery(false);
                if !self.ca_has_cong_control() {
                    let lost = self.tp.lost.wrapping_sub(prior_lost) as i32;
                    self.cwnd_reduction(1, lost, 0);
                }
            }
            self.xmit_retransmit_queue();
        }
        if self.tp.inet_conn.icsk_pending != icsk_time::RETRANS {
            self.rearm_rto();
        }
    }

    /// `tcp_rack_update_reo_wnd()`: DSACKs widen the window, recoveries without them narrow it.
    pub(crate) fn rack_update_reo_wnd(&mut self, rate: &rate_sample) {
        if self.config.rack_static_reo_wnd || rate.prior_delivered == 0 {
            return;
        }
        let tp = &mut self.tp;
        if before(rate.prior_delivered, tp.rack.last_delivered) {
            tp.rack.set_dsack_seen(0);
        }
        if tp.rack.dsack_seen() != 0 {
            tp.rack.reo_wnd_steps = tp.rack.reo_wnd_steps.saturating_add(1);
            tp.rack.set_dsack_seen(0);
            tp.rack.last_delivered = tp.delivered;
            tp.rack.set_reo_wnd_persist(RECOVERY_THRESH);
        } else if tp.rack.reo_wnd_persist() == 0 {
            tp.rack.reo_wnd_steps = 1;
        }
    }

    /// `tcp_rack_detect_loss()`: marks what has waited long enough; gives the longest wait of the rest, microseconds.
    fn rack_detect_loss(&mut self) -> u32 {
        let reo_wnd = self.rack_reo_wnd();
        let mut longest = 0;
        let mut next = self.rtx.sorted_first();
        while let Some(id) = next {
            next = self.rtx.sorted_next(id);
            let skb = *self.rtx.get(id);
            if skb.is(LOST) && !skb.is(SACKED_RETRANS) {
                continue;
            }
            let rack = &self.tp.rack;
            if !sent_after(rack.mstamp, skb.mstamp_us(), rack.end_seq, skb.end_seq) {
                break;
            }
            let remaining = self.rack_skb_timeout(&skb, reo_wnd);
            if remaining <= 0 {
                self.mark_skb_lost(id);
                self.rtx.unlink(id);
            } else {
                longest = longest.max(remaining as u32);
            }
        }
        longest
    }

    /// `tcp_rack_skb_timeout()`: time left until a burst counts as lost, microseconds.
    pub(super) fn rack_skb_timeout(&self, skb: &Skb, reo_wnd: u32) -> i32 {
        let age = self.tp.tcp_mstamp.saturating_sub(skb.mstamp_us());
        let left = i64::from(self.tp.rack.rtt_us) + i64::from(reo_wnd) - age as i64;
        left.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }

    /// `tcp_rack_reo_wnd()`, microseconds.
    fn rack_reo_wnd(&self) -> u32 {
        let tp = &self.tp;
        let aggressive = self.ca_state() >= ca_state::RECOVERY || tp.sacked_out >= tp.reordering;
        if tp.reord_seen == 0 && aggressive {
            return 0;
        }
        let quarter = tp.min_rtt_us() >> 2;
        quarter
            .saturating_mul(u32::from(tp.rack.reo_wnd_steps))
            .min(tp.srtt_us >> 3)
    }

    /// `tcp_mark_skb_lost()`.
    pub(super) fn mark_skb_lost(&mut self, id: SkbId) {
        let skb = *self.rtx.get(id);
        if skb.is(SACKED_ACKED) {
            return;
        }
        // `tcp_verify_retransmit_hint()`, before the counters change.
        let earlier = match self.retransmit_hint {
            None => self.tp.retrans_out >= self.tp.lost_out,
            Some(hint) => before(skb.seq, hint),
        };
        if earlier {
            self.retransmit_hint = Some(skb.seq);
        }
        if skb.is(LOST) {
            if skb.is(SACKED_RETRANS) {
                self.rtx.get_mut(id).sacked &= !SACKED_RETRANS;
                self.tp.retrans_out = self.tp.retrans_out.saturating_sub(skb.pcount);
                self.tp.lost = self.tp.lost.wrapping_add(skb.pcount);
            }
        } else {
            self.tp.lost_out += skb.pcount;
            self.rtx.get_mut(id).sacked |= LOST;
            self.tp.lost = self.tp.lost.wrapping_add(skb.pcount);
        }
    }
}

/// `tcp_skb_sent_after()`: later, or at the same time and further on.
pub(crate) fn sent_after(t1: u64, t2: u64, seq1: u32, seq2: u32) -> bool {
    t1 > t2 || (t1 == t2 && after(seq1, seq2))
}

/// `TCP_RACK_RECOVERY_THRESH`: recoveries for which a wider window is kept.
pub(super) const RECOVERY_THRESH: u8 = 16;
