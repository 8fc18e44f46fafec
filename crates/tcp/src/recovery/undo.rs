//! Reductions that were mistakes: undo by timestamps (Eifel, RFC 3522, RFC 4015), by DSACK (RFC 3708) and by F-RTO:
//! `tcp_may_undo()`, `tcp_try_undo_*()`, `tcp_undo_cwnd_reduction()` (net/ipv4/tcp_input.c, Linux 6.12).

use super::rack::RECOVERY_THRESH;
use crate::cell::Sk;
use crate::consts::{ca_state, state};
use crate::scoreboard::LOST;
use crate::seq::before;

impl Sk {
    /// `tcp_init_undo()`: from here on retransmissions are counted against DSACKs.
    pub(super) fn init_undo(&mut self) {
        let tp = &mut self.tp;
        tp.undo_marker = tp.snd_una;
        tp.undo_retrans = tp.retrans_out as i32;
        if tp.tlp_high_seq != 0 && tp.tlp_retrans() != 0 {
            tp.undo_retrans += 1;
        }
        if tp.undo_retrans == 0 {
            // Zero would mean that all of them were reported.
            tp.undo_retrans = -1;
        }
    }

    /// `tcp_try_undo_recovery()`, when the recovery is over. True if the state must be held (no SACK).
    pub(super) fn try_undo_recovery(&mut self) -> bool {
        if self.may_undo() {
            self.undo_cwnd_reduction(false);
        } else if self.tp.rack.reo_wnd_persist() > 0 {
            let persist = self.tp.rack.reo_wnd_persist() - 1;
            self.tp.rack.set_reo_wnd_persist(persist);
        }
        if self.non_sack_prevents_reopen() {
            return true;
        }
        self.set_ca_state(ca_state::OPEN);
        false
    }

    /// `tcp_try_undo_dsack()`: all retransmissions were reported as duplicates.
    pub(super) fn try_undo_dsack(&mut self) -> bool {
        if self.tp.undo_marker == 0 || self.tp.undo_retrans != 0 {
            return false;
        }
        let persist = (self.tp.rack.reo_wnd_persist() + 1).min(RECOVERY_THRESH);
        self.tp.rack.set_reo_wnd_persist(persist);
        self.undo_cwnd_reduction(false);
        true
    }

    /// `tcp_try_undo_loss()`: after a timeout.
    pub(super) fn try_undo_loss(&mut self, frto: bool) -> bool {
        if !frto && !self.may_undo() {
            return false;
        }
        self.undo_cwnd_reduction(true);
        self.tp.inet_conn.icsk_retransmits = 0;
        if self.non_sack_prevents_reopen() {
            return true;
        }
        if frto || self.is_sack() {
            self.set_ca_state(ca_state::OPEN);
        }
        true
    }

    /// `tcp_try_undo_partial()`: a hole was filled by the original. True if only new data may be sent for now.
    pub(super) fn try_undo_partial(&mut self, prior_snd_una: u32) -> bool {
        if self.tp.undo_marker == 0 || !self.packet_delayed() {
            return false;
        }
        self.check_sack_reordering(prior_snd_una);
        if self.tp.retrans_out != 0 {
            return true;
        }
        if !self.any_retrans_done() {
            self.tp.retrans_stamp = 0;
        }
        self.undo_cwnd_reduction(true);
        self.try_keep_open();
        false
    }

    /// Restores window and threshold; `unmark` also takes back the marks of loss.
    fn undo_cwnd_reduction(&mut self, unmark: bool) {
        if unmark {
            for position in 0..self.rtx.len() {
                if let Some(id) = self.rtx.at(position) {
                    self.rtx.get_mut(id).sacked &= !LOST;
                }
            }
            self.tp.lost_out = 0;
            self.retransmit_hint = None;
        }
        if self.tp.prior_ssthresh != 0 {
            let cwnd = self.ca_undo_cwnd();
            self.tp.snd_cwnd = cwnd;
            self.counters.undos += 1;
            if self.tp.prior_ssthresh > self.tp.snd_ssthresh {
                self.tp.snd_ssthresh = self.tp.prior_ssthresh;
                self.ecn_withdraw_cwr();
            }
        }
        self.tp.snd_cwnd_stamp = self.clock.jiffies();
        self.tp.undo_marker = 0;
        self.tp.rack.set_advanced(1);
    }

    /// `tcp_may_undo()`.
    fn may_undo(&self) -> bool {
        self.tp.undo_marker != 0 && (self.tp.undo_retrans == 0 || self.packet_delayed())
    }

    /// `tcp_packet_delayed()`: the ACK echoes a timestamp from before the first retransmission, or there was none.
    fn packet_delayed(&self) -> bool {
        if self.tp.retrans_stamp != 0 {
            return self.tsopt_ecr_before(self.tp.retrans_stamp);
        }
        if !self.is_sack() && !before(self.tp.snd_una, self.tp.high_seq) {
            return false;
        }
        self.state() != state::SYN_SENT
    }

    /// `tcp_is_non_sack_preventing_reopen()`: without SACK the state is held until more than `high_seq` is acknowledged.
    fn non_sack_prevents_reopen(&mut self) -> bool {
        if self.tp.snd_una != self.tp.high_seq || self.is_sack() {
            return false;
        }
        if !self.any_retrans_done() {
            self.tp.retrans_stamp = 0;
        }
        true
    }
}
