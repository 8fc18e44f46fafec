//! The timers of a socket: retransmission (timeout, tail loss probe, end of RACK's reordering window), delayed ACK, pacing,
//! compressed ACKs. After net/ipv4/tcp_timer.c and include/net/inet_connection_sock.h (Linux 6.12). Zero-window probes and
//! keepalive are not modelled.

use crate::cell::Sk;
use crate::consts::{icsk_time, state};
use net::Time;

/// Points in time at which timers fire.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timers {
    /// `icsk_retransmit_timer`; `icsk_pending` says what for.
    pub(crate) retransmit: Option<Time>,
    /// `icsk_delack_timer`.
    pub(crate) delack: Option<Time>,
    /// `pacing_timer`.
    pub(crate) pacing: Option<Time>,
    /// `compressed_ack_timer`.
    pub(crate) compressed_ack: Option<Time>,
}

impl Sk {
    /// The earliest timer.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        let Timers {
            retransmit,
            delack,
            pacing,
            compressed_ack,
        } = self.timers;
        [retransmit, delack, pacing, compressed_ack].into_iter().flatten().min()
    }

    /// Runs what is due.
    pub(crate) fn run_timers(&mut self) {
        let now = self.clock.now;
        let due = |timer: Option<Time>| timer.is_some_and(|at| at <= now);
        if due(self.timers.pacing) {
            self.timers.pacing = None;
            self.mstamp_refresh();
            self.pace_kick();
        }
        if due(self.timers.compressed_ack) {
            self.timers.compressed_ack = None;
            self.mstamp_refresh();
            self.compressed_ack_kick();
        }
        if due(self.timers.delack) {
            self.timers.delack = None;
            self.mstamp_refresh();
            self.delack_timer();
        }
        if due(self.timers.retransmit) {
            self.timers.retransmit = None;
            self.mstamp_refresh();
            self.write_timer();
        }
    }

    /// `inet_csk_reset_xmit_timer()`: the one retransmission timer now waits for `what`.
    pub(crate) fn reset_xmit_timer(&mut self, what: u8, jiffies: u32) {
        let jiffies = jiffies.min(self.tp.inet_conn.icsk_rto_max);
        self.tp.inet_conn.icsk_pending = what;
        self.timers.retransmit = Some(self.clock.timer(jiffies));
    }

    /// `inet_csk_clear_xmit_timer()`.
    pub(crate) fn clear_xmit_timer(&mut self) {
        self.tp.inet_conn.icsk_pending = icsk_time::NONE;
        self.timers.retransmit = None;
    }

    /// `tcp_set_xmit_timer()`: a probe, or else the timeout.
    pub(crate) fn set_xmit_timer(&mut self) {
        if !self.schedule_loss_probe(true) {
            self.rearm_rto();
        }
    }

    /// `tcp_rearm_rto()`: counted from now, or from the head's transmission if another use of the timer lay between.
    pub(crate) fn rearm_rto(&mut self) {
        if self.tp.packets_out == 0 {
            self.clear_xmit_timer();
            return;
        }
        let pending = self.tp.inet_conn.icsk_pending;
        let mut rto = self.tp.inet_conn.icsk_rto;
        if pending == icsk_time::REO_TIMEOUT || pending == icsk_time::LOSS_PROBE {
            let delta = self.rto_delta_us().clamp(1, i64::from(u32::MAX));
            rto = self.clock.usecs_to_jiffies(delta as u32);
        }
        self.reset_xmit_timer(icsk_time::RETRANS, rto);
    }

    /// `tcp_rto_delta_us()`: time left until the head's timeout, microseconds.
    pub(crate) fn rto_delta_us(&self) -> i64 {
        let Some(head) = self.rtx.head() else {
            return 0;
        };
        let rto = u64::from(self.clock.jiffies_to_usecs(self.tp.inet_conn.icsk_rto));
        (self.rtx.get(head).mstamp_us() + rto) as i64 - self.tp.tcp_mstamp as i64
    }

    /// `tcp_write_timer_handler()`.
    fn write_timer(&mut self) {
        match self.tp.inet_conn.icsk_pending {
            icsk_time::REO_TIMEOUT => self.rack_reo_timeout(),
            icsk_time::LOSS_PROBE => self.send_loss_probe(),
            icsk_time::RETRANS => {
                self.tp.inet_conn.icsk_pending = icsk_time::NONE;
                self.retransmit_timer();
            }
            _ => {}
        }
    }

    /// `tcp_retransmit_timer()`: the connection is never given up.
    fn retransmit_timer(&mut self) {
        if matches!(self.state(), state::SYN_SENT | state::SYN_RECV) {
            self.retransmit_syn();
        } else {
            if self.tp.packets_out == 0 || self.rtx.is_empty() {
                return;
            }
            self.enter_loss();
            let conn = &mut self.tp.inet_conn;
            conn.icsk_retransmits = conn.icsk_retransmits.saturating_add(1);
            self.tp.total_rto = self.tp.total_rto.saturating_add(1);
            self.counters.timeouts += 1;
            self.retransmit_tagged(0, 1);
        }
        let conn = &mut self.tp.inet_conn;
        conn.icsk_backoff = conn.icsk_backoff.saturating_add(1);
        conn.icsk_rto = conn.icsk_rto.saturating_mul(2).min(conn.icsk_rto_max);
        let rto = conn.icsk_rto;
        self.reset_xmit_timer(icsk_time::RETRANS, rto);
    }

    /// `tcp_pace_kick()` and `tcp_tsq_handler()`: retransmissions first, then new data.
    fn pace_kick(&mut self) {
        let tp = &self.tp;
        if tp.lost_out > tp.retrans_out && tp.snd_cwnd > tp.packets_in_flight() {
            self.xmit_retransmit_queue();
        }
        self.push_pending_frames();
    }
}

/// `TCP_TIMEOUT_MIN_US`: least time of the probe and reordering timers.
pub(crate) const TIMEOUT_MIN_US: u32 = 2_000;
