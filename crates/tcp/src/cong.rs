//! Choosing and changing a socket's congestion control, and reno's arithmetic: net/ipv4/tcp_cong.c (Linux 6.12).

use crate::ca::{CaError, OpsRef};
use crate::cell::Sk;
use crate::consts::{cong_flags, state};
use crate::sock::tcp_sock;

impl Sk {
    /// `tcp_init_congestion_control()`, when the connection is established.
    pub(crate) fn init_congestion_control(&mut self) {
        self.tp.prior_ssthresh = 0;
        self.ca_init();
        // `init` may have chosen another table.
        self.ecn_xmit_as_needed();
        self.tp.inet_conn.set_icsk_ca_initialized(1);
    }

    /// `tcp_set_congestion_control()`: nothing happens when it is the table in use.
    pub(crate) fn change_congestion_control(&mut self, ops: OpsRef) {
        self.tp.inet_conn.set_icsk_ca_setsockopt(1);
        if ops == self.ca {
            return;
        }
        self.ca_release();
        self.tp.inet_conn.icsk_ca_ops = ops.as_ptr();
        let old = std::mem::replace(&mut self.ca, ops);
        // An operation of the old table may be what runs now.
        self.retired.push(old);
        self.tp.inet_conn.icsk_ca_priv = [0; 13];
        self.ecn_xmit_as_needed();
        if !matches!(
            self.tp.inet_conn.icsk_inet.sk.__sk_common.skc_state,
            state::CLOSE | state::LISTEN
        ) {
            self.init_congestion_control();
        }
    }

    /// The same, asked for by an operation (`sol_tcp_sockopt_congestion()`, net/core/filter.c).
    pub(crate) fn change_congestion_control_from_op(&mut self, ops: OpsRef) -> Result<(), CaError> {
        if self.tp.bpf_chg_cc_inprogress() != 0 {
            return Err(CaError::Busy);
        }
        self.tp.set_bpf_chg_cc_inprogress(1);
        self.change_congestion_control(ops);
        self.tp.set_bpf_chg_cc_inprogress(0);
        Ok(())
    }

    /// `tcp_cleanup_congestion_control()`, at the end of the socket.
    pub(crate) fn release_congestion_control(&mut self) {
        self.ca_release();
    }

    /// `tcp_ca_needs_ecn()`.
    pub(crate) fn ca_needs_ecn(&self) -> bool {
        self.ca.table().flags & cong_flags::NEEDS_ECN != 0
    }
}

impl tcp_sock {
    /// `tcp_slow_start()`: gives the packets that are left over at the threshold.
    pub(crate) fn slow_start(&mut self, acked: u32) -> u32 {
        let cwnd = self.snd_cwnd.saturating_add(acked).min(self.snd_ssthresh);
        let left = acked.wrapping_sub(cwnd.wrapping_sub(self.snd_cwnd));
        self.snd_cwnd = cwnd.min(self.snd_cwnd_clamp);
        left
    }

    /// `tcp_cong_avoid_ai()`; `w` is at least 1.
    pub(crate) fn cong_avoid_ai(&mut self, w: u32, acked: u32) {
        if self.snd_cwnd_cnt >= w {
            self.snd_cwnd_cnt = 0;
            self.snd_cwnd = self.snd_cwnd.wrapping_add(1);
        }
        self.snd_cwnd_cnt = self.snd_cwnd_cnt.wrapping_add(acked);
        if self.snd_cwnd_cnt >= w {
            let delta = self.snd_cwnd_cnt / w;
            self.snd_cwnd_cnt -= delta * w;
            self.snd_cwnd = self.snd_cwnd.wrapping_add(delta);
        }
        self.snd_cwnd = self.snd_cwnd.min(self.snd_cwnd_clamp);
    }

    /// `tcp_reno_cong_avoid()`.
    pub(crate) fn reno_cong_avoid(&mut self, acked: u32) {
        if !self.tcp_is_cwnd_limited() {
            return;
        }
        let mut acked = acked;
        if self.in_slow_start() {
            acked = self.slow_start(acked);
            if acked == 0 {
                return;
            }
        }
        self.cong_avoid_ai(self.snd_cwnd.max(1), acked);
    }
}
