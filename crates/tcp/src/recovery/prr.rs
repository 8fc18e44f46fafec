//! The window while it is being reduced: proportional rate reduction (RFC 6937, with Linux's changes), and the CWR state:
//! `tcp_init_cwnd_reduction()`, `tcp_cwnd_reduction()`, `tcp_end_cwnd_reduction()`, `tcp_enter_cwr()` (net/ipv4/tcp_input.c,
//! Linux 6.12).

use crate::cell::Sk;
use crate::consts::{TCP_INFINITE_SSTHRESH, ca_state, tcp_ca_event};
use crate::input::flag;

impl Sk {
    /// `tcp_in_cwnd_reduction()`: CWR or Recovery.
    pub(crate) fn in_cwnd_reduction(&self) -> bool {
        matches!(self.ca_state(), ca_state::CWR | ca_state::RECOVERY)
    }

    /// Asks the algorithm for the threshold and starts to count.
    pub(super) fn init_cwnd_reduction(&mut self) {
        let tp = &mut self.tp;
        tp.high_seq = tp.snd_nxt;
        tp.tlp_high_seq = 0;
        tp.snd_cwnd_cnt = 0;
        tp.prior_cwnd = tp.snd_cwnd;
        tp.prr_delivered = 0;
        tp.prr_out = 0;
        let ssthresh = self.ca_ssthresh();
        self.tp.snd_ssthresh = ssthresh;
        self.ecn_queue_cwr();
    }

    /// Sets the window to what is in flight plus what this ACK allows to send.
    pub(crate) fn cwnd_reduction(&mut self, acked_sacked: u32, newly_lost: i32, flag: u32) {
        let tp = &mut self.tp;
        if acked_sacked == 0 || tp.prior_cwnd == 0 {
            return;
        }
        let in_flight = tp.packets_in_flight();
        let delta = i64::from(tp.snd_ssthresh) - i64::from(in_flight);
        tp.prr_delivered = tp.prr_delivered.wrapping_add(acked_sacked);
        let delivered = i64::from(tp.prr_delivered);
        let out = i64::from(tp.prr_out);
        let mut send = if delta < 0 {
            let share = u64::from(tp.snd_ssthresh) * u64::from(tp.prr_delivered);
            share.div_ceil(u64::from(tp.prior_cwnd)) as i64 - out
        } else {
            let mut send = (delivered - out).max(i64::from(acked_sacked));
            if flag & flag::SND_UNA_ADVANCED != 0 && newly_lost == 0 {
                send += 1;
            }
            send.min(delta)
        };
        // One retransmission at the start, whatever the sum says.
        send = send.max(i64::from(tp.prr_out == 0));
        tp.snd_cwnd = in_flight.wrapping_add(send as u32).max(1);
    }

    /// The reduction is over.
    pub(super) fn end_cwnd_reduction(&mut self) {
        if self.ca_has_cong_control() {
            return;
        }
        if self.tp.snd_ssthresh < TCP_INFINITE_SSTHRESH
            && (self.ca_state() == ca_state::CWR || self.tp.undo_marker != 0)
        {
            self.tp.snd_cwnd = self.tp.snd_ssthresh;
            self.tp.snd_cwnd_stamp = self.clock.jiffies();
        }
        self.ca_event(tcp_ca_event::CompleteCwr);
    }

    /// `tcp_enter_cwr()`: congestion is proven, nothing to undo.
    pub(super) fn enter_cwr(&mut self) {
        self.tp.prior_ssthresh = 0;
        if self.ca_state() < ca_state::CWR {
            self.tp.undo_marker = 0;
            self.init_cwnd_reduction();
            self.counters.ecn_reductions += 1;
            self.set_ca_state(ca_state::CWR);
        }
    }
}
