//! Tail loss probes (RFC 8985 section 7): `tcp_schedule_loss_probe()`, `tcp_send_loss_probe()` (net/ipv4/tcp_output.c) and
//! `tcp_process_tlp_ack()` (net/ipv4/tcp_input.c, Linux 6.12).

use crate::cell::Sk;
use crate::consts::{ca_state, icsk_time};
use crate::input::flag;
use crate::output::PushOne;
use crate::seq::{after, before};
use crate::timer::TIMEOUT_MIN_US;

impl Sk {
    /// Sets the timer for a probe; false if none is due, then the timeout must be set.
    pub(crate) fn schedule_loss_probe(&mut self, advancing_rto: bool) -> bool {
        let state = self.ca_state();
        if !self.config.tail_loss_probe
            || self.tp.packets_out == 0
            || !self.is_sack()
            || (state != ca_state::OPEN && state != ca_state::CWR)
        {
            return false;
        }
        let mut timeout = if self.tp.srtt_us != 0 {
            let mut us = self.tp.srtt_us >> 2;
            us = us.saturating_add(if self.tp.packets_out == 1 {
                self.clock.jiffies_to_usecs(self.tp.inet_conn.icsk_rto_min)
            } else {
                TIMEOUT_MIN_US
            });
            self.clock.usecs_to_jiffies(us)
        } else {
            self.clock.span_to_jiffies(net::Span::from_secs(1))
        };
        let rto_delta = if advancing_rto {
            i64::from(self.clock.jiffies_to_usecs(self.tp.inet_conn.icsk_rto))
        } else {
            self.rto_delta_us()
        };
        if rto_delta > 0 {
            let delta = rto_delta.min(i64::from(u32::MAX)) as u32;
            timeout = timeout.min(self.clock.usecs_to_jiffies(delta));
        }
        self.reset_xmit_timer(icsk_time::LOSS_PROBE, timeout);
        true
    }

    /// The probe's time has come: new data if there is any, else the last segment again.
    pub(crate) fn send_loss_probe(&mut self) {
        if self.tp.tlp_high_seq == 0 && self.send_probe_segment() {
            self.tp.tlp_high_seq = self.tp.snd_nxt;
            // So that the timeout is counted from now.
            self.tp.inet_conn.icsk_pending = icsk_time::NONE;
        }
        if self.tp.packets_out != 0 {
            self.rearm_rto();
        } else {
            self.clear_xmit_timer();
        }
    }

    fn send_probe_segment(&mut self) -> bool {
        self.tp.set_tlp_retrans(0);
        if self.unsent() > 0 && self.snd_wnd_test() {
            let prior = self.tp.packets_out;
            self.write_xmit(PushOne::Probe);
            return self.tp.packets_out > prior;
        }
        let Some(tail) = self.rtx.tail() else {
            return false;
        };
        let skb = *self.rtx.get(tail);
        let mss = self.tp.mss_cache.max(1);
        let all_but_last = (skb.pcount - 1) * mss;
        if skb.pcount > 1 && skb.len() > all_but_last {
            let position = self.rtx.len() - 1;
            self.rtx.split(position, all_but_last, mss);
        }
        let last = self.rtx.len().saturating_sub(1);
        if !self.retransmit_one(last, 1) {
            return false;
        }
        self.tp.set_tlp_retrans(1);
        true
    }

    /// An ACK while a probe is out.
    pub(crate) fn process_tlp_ack(&mut self, ack: u32, flag: u32) {
        if before(ack, self.tp.tlp_high_seq) {
            return;
        }
        if self.tp.tlp_retrans() == 0 || flag & flag::DSACK_TLP != 0 {
            self.tp.tlp_high_seq = 0;
        } else if after(ack, self.tp.tlp_high_seq) {
            // Without the probe the loss would have gone unnoticed: reduce once.
            self.init_cwnd_reduction();
            self.set_ca_state(ca_state::CWR);
            self.end_cwnd_reduction();
            self.try_keep_open();
        } else if flag & (flag::SND_UNA_ADVANCED | flag::NOT_DUP | flag::DATA_SACKED) == 0 {
            self.tp.tlp_high_seq = 0;
        }
    }
}
