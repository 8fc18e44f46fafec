//! Retransmission timeout: `tcp_enter_loss()`, `tcp_process_loss()` with F-RTO (RFC 5682), `tcp_timeout_mark_lost()`
//! (net/ipv4/tcp_input.c, Linux 6.12). Reneging peers are not modelled.

use crate::cell::Sk;
use crate::consts::{ca_state, tcp_ca_event};
use crate::input::{Rexmit, flag};
use crate::seq::{after, before};

impl Sk {
    /// `tcp_enter_loss()`.
    pub(crate) fn enter_loss(&mut self) {
        let state = self.ca_state();
        let retransmits = self.tp.inet_conn.icsk_retransmits;
        let new_recovery = state < ca_state::RECOVERY;
        self.timeout_mark_lost();
        let first_in_window = state <= ca_state::DISORDER
            || !after(self.tp.high_seq, self.tp.snd_una)
            || (state == ca_state::LOSS && retransmits == 0);
        if first_in_window {
            self.tp.prior_ssthresh = self.current_ssthresh();
            self.tp.prior_cwnd = self.tp.snd_cwnd;
            let ssthresh = self.ca_ssthresh();
            self.tp.snd_ssthresh = ssthresh;
            self.ca_event(tcp_ca_event::Loss);
            self.init_undo();
        }
        let default_reordering = self.config.reordering;
        let now = self.clock.jiffies();
        let tp = &mut self.tp;
        tp.snd_cwnd = tp.packets_in_flight().wrapping_add(1);
        tp.snd_cwnd_cnt = 0;
        tp.snd_cwnd_stamp = now;
        if state <= ca_state::DISORDER && tp.sacked_out >= default_reordering {
            tp.reordering = tp.reordering.min(default_reordering);
        }
        self.set_ca_state(ca_state::LOSS);
        self.tp.high_seq = self.tp.snd_nxt;
        self.tp.tlp_high_seq = 0;
        self.ecn_queue_cwr();
        let frto = self.config.frto && (new_recovery || retransmits != 0);
        self.tp.set_frto(u8::from(frto));
    }

    /// `tcp_process_loss()`: an ACK after a timeout.
    pub(super) fn process_loss(&mut self, flag: u32, num_dupack: u32) -> Rexmit {
        let recovered = !before(self.tp.snd_una, self.tp.high_seq);
        let advanced = flag & flag::SND_UNA_ADVANCED != 0;
        if advanced && self.try_undo_loss(false) {
            return Rexmit::None;
        }
        if self.tp.frto() != 0 {
            // Data that was never sent again has arrived: the timeout was a mistake.
            if flag & flag::ORIG_SACK_ACKED != 0 && self.try_undo_loss(true) {
                return Rexmit::None;
            }
            if after(self.tp.snd_nxt, self.tp.high_seq) {
                if flag & flag::DATA_SACKED != 0 || num_dupack != 0 {
                    self.tp.set_frto(0);
                }
            } else if advanced && !recovered {
                self.tp.high_seq = self.tp.snd_nxt;
                if self.unsent() > 0 && after(self.wnd_end(), self.tp.snd_nxt) {
                    return Rexmit::New;
                }
                self.tp.set_frto(0);
            }
        }
        if recovered {
            self.try_undo_recovery();
            return Rexmit::None;
        }
        if !self.is_sack() {
            if after(self.tp.snd_nxt, self.tp.high_seq) && num_dupack != 0 {
                self.add_reno_sack(num_dupack, flag & flag::ECE != 0);
            } else if advanced {
                self.tp.sacked_out = 0;
            }
        }
        Rexmit::Lost
    }

    /// `tcp_timeout_mark_lost()`: all but what was sent so recently that it may still arrive.
    fn timeout_mark_lost(&mut self) {
        if !self.is_sack() {
            self.tp.sacked_out = 0;
        }
        for position in 0..self.rtx.len() {
            let Some(id) = self.rtx.at(position) else {
                break;
            };
            let skb = *self.rtx.get(id);
            if position > 0 && self.rack_skb_timeout(&skb, 0) > 0 {
                continue;
            }
            self.mark_skb_lost(id);
        }
        self.retransmit_hint = None;
    }
}
