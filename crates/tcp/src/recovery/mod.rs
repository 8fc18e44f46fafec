//! The sender's state machine for loss and congestion: `tcp_fastretrans_alert()` (net/ipv4/tcp_input.c, Linux 6.12). The
//! parts: [`rack`] loss detection, [`prr`] the window during a reduction, [`undo`] mistakes, [`loss`] timeouts, [`tlp`]
//! tail loss probes, [`reno`] peers without SACK.

mod loss;
mod prr;
mod rack;
mod reno;
mod tlp;
mod undo;

pub(crate) use rack::sent_after;

use crate::cell::Sk;
use crate::consts::ca_state;
use crate::input::{Rexmit, flag};
use crate::scoreboard::EVER_RETRANS;
use crate::seq::before;

impl Sk {
    /// Works through an ACK that is not plain; gives what to send after the window is updated.
    pub(crate) fn fastretrans_alert(&mut self, prior_snd_una: u32, num_dupack: u32, flag: &mut u32) -> Rexmit {
        let ece = *flag & flag::ECE != 0;
        if self.tp.packets_out == 0 && self.tp.sacked_out != 0 {
            self.tp.sacked_out = 0;
        }
        if ece {
            // The reduction is due, whatever else turns out.
            self.tp.prior_ssthresh = 0;
        }
        if self.leave_state() {
            return Rexmit::None;
        }
        let una_advanced = *flag & flag::SND_UNA_ADVANCED != 0;
        match self.ca_state() {
            ca_state::RECOVERY => {
                if !una_advanced {
                    self.add_reno_sack(num_dupack, ece);
                } else if self.try_undo_partial(prior_snd_una) {
                    return Rexmit::None;
                }
                if self.try_undo_dsack() {
                    self.try_to_open(*flag);
                }
                self.identify_packet_loss(flag);
                if self.ca_state() != ca_state::RECOVERY {
                    if !self.time_to_recover() {
                        return Rexmit::None;
                    }
                    self.enter_recovery(ece);
                }
                Rexmit::Lost
            }
            ca_state::LOSS => {
                let rexmit = self.process_loss(*flag, num_dupack);
                self.identify_packet_loss(flag);
                if self.ca_state() != ca_state::OPEN && *flag & flag::LOST_RETRANS == 0 {
                    return rexmit;
                }
                // The window is restored, or retransmissions were lost: go on as in the other states.
                self.open_or_recover(*flag, num_dupack, flag, rexmit)
            }
            _ => self.open_or_recover(*flag, num_dupack, flag, Rexmit::None),
        }
    }

    /// The part of the states Open, Disorder and CWR.
    fn open_or_recover(&mut self, at_entry: u32, num_dupack: u32, flag: &mut u32, rexmit: Rexmit) -> Rexmit {
        let ece = at_entry & flag::ECE != 0;
        if !self.is_sack() {
            if at_entry & flag::SND_UNA_ADVANCED != 0 {
                self.tp.sacked_out = 0;
            }
            self.add_reno_sack(num_dupack, ece);
        }
        if self.ca_state() <= ca_state::DISORDER {
            self.try_undo_dsack();
        }
        self.identify_packet_loss(flag);
        if !self.time_to_recover() {
            self.try_to_open(at_entry);
            return rexmit;
        }
        self.enter_recovery(ece);
        Rexmit::Lost
    }

    /// Ends a state when `high_seq` is acknowledged. True if nothing more is to be done.
    fn leave_state(&mut self) -> bool {
        let state = self.ca_state();
        if state == ca_state::OPEN {
            self.tp.retrans_stamp = 0;
            return false;
        }
        if before(self.tp.snd_una, self.tp.high_seq) {
            return false;
        }
        match state {
            ca_state::CWR if self.tp.snd_una != self.tp.high_seq => {
                self.end_cwnd_reduction();
                self.set_ca_state(ca_state::OPEN);
            }
            ca_state::RECOVERY => {
                if !self.is_sack() {
                    self.tp.sacked_out = 0;
                }
                if self.try_undo_recovery() {
                    return true;
                }
                self.end_cwnd_reduction();
            }
            _ => {}
        }
        false
    }

    /// `tcp_time_to_recover()`: with RACK, when a loss is marked.
    fn time_to_recover(&self) -> bool {
        self.tp.lost_out != 0
    }

    /// `tcp_identify_packet_loss()`.
    fn identify_packet_loss(&mut self, flag: &mut u32) {
        if self.rtx.is_empty() {
            return;
        }
        if !self.is_sack() {
            self.newreno_mark_lost(*flag & flag::SND_UNA_ADVANCED != 0);
            return;
        }
        let prior_retrans = self.tp.retrans_out;
        if self.rack_mark_lost() {
            *flag &= !flag::SET_XMIT_TIMER;
        }
        if prior_retrans > self.tp.retrans_out {
            *flag |= flag::LOST_RETRANS;
        }
    }

    /// `tcp_enter_recovery()`.
    pub(super) fn enter_recovery(&mut self, ece: bool) {
        if !self.any_retrans_done() {
            self.tp.retrans_stamp = 0;
        }
        self.tp.prior_ssthresh = 0;
        self.init_undo();
        if !self.in_cwnd_reduction() {
            if !ece {
                self.tp.prior_ssthresh = self.current_ssthresh();
            }
            self.init_cwnd_reduction();
        }
        self.counters.recoveries += 1;
        self.set_ca_state(ca_state::RECOVERY);
    }

    /// `tcp_try_to_open()`.
    fn try_to_open(&mut self, flag: u32) {
        if !self.any_retrans_done() {
            self.tp.retrans_stamp = 0;
        }
        if flag & flag::ECE != 0 {
            self.enter_cwr();
        }
        if self.ca_state() != ca_state::CWR {
            self.try_keep_open();
        }
    }

    /// `tcp_try_keep_open()`.
    pub(super) fn try_keep_open(&mut self) {
        let left_out = self.tp.sacked_out + self.tp.lost_out != 0;
        let state = if left_out || self.any_retrans_done() {
            ca_state::DISORDER
        } else {
            ca_state::OPEN
        };
        if self.ca_state() != state {
            self.set_ca_state(state);
            self.tp.high_seq = self.tp.snd_nxt;
        }
    }

    /// `tcp_any_retrans_done()`.
    pub(super) fn any_retrans_done(&self) -> bool {
        self.tp.retrans_out != 0 || self.rtx.head().is_some_and(|id| self.rtx.get(id).is(EVER_RETRANS))
    }

    /// `icsk_ca_state`.
    pub(crate) fn ca_state(&self) -> u8 {
        self.tp.inet_conn.icsk_ca_state()
    }

    /// `tcp_set_ca_state()`: the algorithm hears first.
    pub(crate) fn set_ca_state(&mut self, state: u8) {
        self.ca_set_state(state);
        self.tp.inet_conn.set_icsk_ca_state(state);
    }

    /// `tcp_current_ssthresh()`: the threshold, or while the window is not being reduced three quarters of it at least.
    pub(crate) fn current_ssthresh(&self) -> u32 {
        let tp = &self.tp;
        if self.in_cwnd_reduction() {
            return tp.snd_ssthresh;
        }
        tp.snd_ssthresh.max((tp.snd_cwnd >> 1).wrapping_add(tp.snd_cwnd >> 2))
    }
}
