//! Peers without SACK: duplicate ACKs stand for SACKs, NewReno marks one segment after the other (RFC 6582). After
//! `tcp_add_reno_sack()`, `tcp_remove_reno_sacks()`, `tcp_newreno_mark_lost()` (net/ipv4, Linux 6.12).

use crate::cell::Sk;
use crate::consts::ca_state;
use crate::scoreboard::LOST;

impl Sk {
    /// A duplicate ACK counts as one segment delivered.
    pub(super) fn add_reno_sack(&mut self, num_dupack: u32, ece: bool) {
        if num_dupack == 0 || self.is_sack() {
            return;
        }
        let prior = self.tp.sacked_out;
        self.tp.sacked_out += num_dupack;
        self.check_reno_reordering(0);
        self.count_delivered(self.tp.sacked_out.saturating_sub(prior), ece);
    }

    /// A cumulative ACK: one segment filled the hole, the others were counted as duplicates.
    pub(crate) fn remove_reno_sacks(&mut self, acked: u32, ece: bool) {
        if acked > 0 {
            let delivered = acked.saturating_sub(self.tp.sacked_out).max(1);
            self.count_delivered(delivered, ece);
            self.tp.sacked_out = self.tp.sacked_out.saturating_sub(acked - 1);
        }
        self.check_reno_reordering(acked);
    }

    /// `tcp_newreno_mark_lost()`.
    pub(super) fn newreno_mark_lost(&mut self, una_advanced: bool) {
        let state = self.ca_state();
        let enough = state < ca_state::RECOVERY && self.tp.sacked_out >= self.tp.reordering;
        let partial = state == ca_state::RECOVERY && una_advanced;
        if !enough && !partial {
            return;
        }
        let Some(id) = self.rtx.head() else {
            return;
        };
        let skb = *self.rtx.get(id);
        if skb.is(LOST) {
            return;
        }
        let mss = self.tp.mss_cache.max(1);
        if skb.pcount > 1 && skb.len() > mss {
            self.rtx.split(0, mss, mss);
        }
        self.mark_skb_lost(id);
    }

    /// `tcp_check_reno_reordering()`: more duplicates than can be out mean reordering.
    fn check_reno_reordering(&mut self, acked: u32) {
        let tp = &mut self.tp;
        let holes = tp.lost_out.max(1).min(tp.packets_out);
        if tp.sacked_out + holes <= tp.packets_out {
            return;
        }
        tp.sacked_out = tp.packets_out - holes;
        tp.reordering = (tp.packets_out + acked).min(300);
        tp.reord_seen = tp.reord_seen.wrapping_add(1);
    }
}
