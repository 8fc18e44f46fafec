//! Congestion window validation (RFC 2861, RFC 7661 in parts): `tcp_cwnd_validate()`, `tcp_cwnd_application_limited()`,
//! `tcp_cwnd_restart()` (net/ipv4/tcp_output.c, Linux 6.12).

use crate::cell::Sk;
use crate::consts::{ca_state, tcp_ca_event};
use crate::seq::before;

impl Sk {
    /// After sending: was the window the limit, and how much of it was used?
    pub(super) fn cwnd_validate(&mut self, is_cwnd_limited: bool) {
        let now = self.clock.jiffies();
        let tp = &mut self.tp;
        if !before(tp.snd_una, tp.cwnd_usage_seq)
            || is_cwnd_limited
            || (tp.is_cwnd_limited() == 0 && tp.packets_out > tp.max_packets_out)
        {
            tp.set_is_cwnd_limited(u8::from(is_cwnd_limited));
            tp.max_packets_out = tp.packets_out;
            tp.cwnd_usage_seq = tp.snd_nxt;
        }
        if tp.tcp_is_cwnd_limited() {
            tp.snd_cwnd_used = 0;
            tp.snd_cwnd_stamp = now;
            return;
        }
        tp.snd_cwnd_used = tp.snd_cwnd_used.max(tp.packets_out);
        let unused_for = now.wrapping_sub(tp.snd_cwnd_stamp) as i32;
        let too_long = unused_for >= tp.inet_conn.icsk_rto as i32;
        if self.config.slow_start_after_idle && too_long && !self.ca_has_cong_control() {
            self.cwnd_application_limited();
        }
    }

    /// The window was not full for a whole timeout: meet what was used half-way.
    fn cwnd_application_limited(&mut self) {
        if self.ca_state() == ca_state::OPEN {
            let used = self.tp.snd_cwnd_used.max(self.config.init_cwnd);
            if used < self.tp.snd_cwnd {
                self.tp.snd_ssthresh = self.current_ssthresh();
                self.tp.snd_cwnd = self.tp.snd_cwnd.midpoint(used);
            }
            self.tp.snd_cwnd_used = 0;
        }
        self.tp.snd_cwnd_stamp = self.clock.jiffies();
    }

    /// `tcp_slow_start_after_idle_check()`: new data after a pause longer than the timeout.
    pub(crate) fn slow_start_after_idle_check(&mut self) {
        if !self.config.slow_start_after_idle || self.tp.packets_out != 0 || self.ca_has_cong_control() {
            return;
        }
        let pause = self.clock.jiffies().wrapping_sub(self.tp.lsndtime) as i32;
        if pause > self.tp.inet_conn.icsk_rto as i32 {
            self.cwnd_restart(pause);
        }
    }

    /// `tcp_cwnd_restart()`: halves the window for every timeout of the pause, down to the initial one.
    fn cwnd_restart(&mut self, pause: i32) {
        self.ca_event(tcp_ca_event::CwndRestart);
        self.tp.snd_ssthresh = self.current_ssthresh();
        let restart = self.config.init_cwnd.min(self.tp.snd_cwnd);
        let rto = i64::from(self.tp.inet_conn.icsk_rto.max(1));
        let mut left = i64::from(pause) - rto;
        let mut cwnd = self.tp.snd_cwnd;
        while left > 0 && cwnd > restart {
            cwnd >>= 1;
            left -= rto;
        }
        self.tp.snd_cwnd = cwnd.max(restart);
        self.tp.snd_cwnd_stamp = self.clock.jiffies();
        self.tp.snd_cwnd_used = 0;
    }
}
