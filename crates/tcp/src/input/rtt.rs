//! Round-trip time: `tcp_rtt_estimator()`, `tcp_set_rto()`, `tcp_update_rtt_min()`, `tcp_ack_update_rtt()`
//! (net/ipv4/tcp_input.c, Linux 6.12).

use super::flag;
use crate::cell::Sk;
use crate::seq::{after, before};
use crate::sock::{rate_sample, tcp_options_received};

impl Sk {
    /// Feeds the estimators with the samples of one ACK, microseconds. True if there was one.
    pub(crate) fn ack_update_rtt(
        &mut self,
        flag: u32,
        seq_rtt: Option<u64>,
        sack_rtt: Option<u64>,
        ca_rtt: Option<u64>,
        rate: &mut rate_sample,
    ) -> bool {
        let mut seq_rtt = seq_rtt.or(sack_rtt);
        let mut ca_rtt = ca_rtt;
        if seq_rtt.is_none() && flag & flag::ACKED != 0 {
            // Karn's algorithm: after a retransmission only a timestamp tells.
            seq_rtt = self.rtt_tsopt_us(1);
            if seq_rtt.is_some() {
                ca_rtt = seq_rtt;
            }
        }
        rate.rtt_us = ca_rtt.map_or(-1, |rtt| rtt as i64);
        let (Some(seq_rtt), Some(ca_rtt)) = (seq_rtt, ca_rtt) else {
            return false;
        };
        self.update_rtt_min(clamp_us(ca_rtt), flag);
        self.rtt_estimator(clamp_us(seq_rtt));
        self.set_rto();
        self.tp.inet_conn.icsk_backoff = 0;
        true
    }

    /// `tcp_rtt_tsopt_us()`: the age of the timestamp that the segment echoes; `min_delta` milliseconds if it is of this
    /// millisecond.
    pub(crate) fn rtt_tsopt_us(&self, min_delta: u32) -> Option<u64> {
        let opt = &self.tp.rx_opt;
        if !opt.has(tcp_options_received::SAW_TSTAMP) || opt.rcv_tsecr == 0 {
            return None;
        }
        let mut delta = self.timestamp_now().wrapping_sub(opt.rcv_tsecr);
        if delta >= i32::MAX as u32 / 1_000 {
            return None;
        }
        if delta == 0 {
            delta = min_delta;
        }
        Some(u64::from(delta) * 1_000)
    }

    /// `tcp_tsopt_ecr_before()`: does the segment echo a timestamp older than `when`?
    pub(crate) fn tsopt_ecr_before(&self, when: u32) -> bool {
        let opt = &self.tp.rx_opt;
        opt.has(tcp_options_received::SAW_TSTAMP) && opt.rcv_tsecr != 0 && before(opt.rcv_tsecr, when)
    }

    /// The clock of timestamps, milliseconds (`tcp_time_stamp_ts()`).
    pub(crate) fn timestamp_now(&self) -> u32 {
        (self.tp.tcp_mstamp / 1_000) as u32
    }

    /// `tcp_update_rtt_min()`, over 5 minutes.
    fn update_rtt_min(&mut self, rtt_us: u32, flag: u32) {
        if flag & flag::ACK_MAYBE_DELAYED != 0 && rtt_us > self.tp.min_rtt_us() {
            return;
        }
        let window = MIN_RTT_WLEN_SECS.saturating_mul(self.config.hz);
        let rtt_us = if rtt_us == 0 {
            self.clock.jiffies_to_usecs(1)
        } else {
            rtt_us
        };
        let now = self.clock.jiffies();
        self.tp.rtt_min.running_min(window, now, rtt_us);
    }

    /// `tcp_rtt_estimator()`: Jacobson's, with Eifel's slower fall of the deviation and its maximum over a round trip.
    fn rtt_estimator(&mut self, rtt_us: u32) {
        let rto_min = self.clock.jiffies_to_usecs(self.tp.inet_conn.icsk_rto_min);
        let tp = &mut self.tp;
        if tp.srtt_us == 0 {
            tp.srtt_us = rtt_us.saturating_mul(8).max(1);
            tp.mdev_us = rtt_us.saturating_mul(2);
            tp.rttvar_us = tp.mdev_us.max(rto_min);
            tp.mdev_max_us = tp.rttvar_us;
            tp.rtt_seq = tp.snd_nxt;
            return;
        }
        let error = i64::from(rtt_us) - i64::from(tp.srtt_us >> 3);
        tp.srtt_us = (i64::from(tp.srtt_us) + error).clamp(1, i64::from(u32::MAX)) as u32;
        let mut change = error.abs() - i64::from(tp.mdev_us >> 2);
        if error < 0 && change > 0 {
            change >>= 3;
        }
        tp.mdev_us = (i64::from(tp.mdev_us) + change).clamp(0, i64::from(u32::MAX)) as u32;
        if tp.mdev_us > tp.mdev_max_us {
            tp.mdev_max_us = tp.mdev_us;
            tp.rttvar_us = tp.rttvar_us.max(tp.mdev_max_us);
        }
        if after(tp.snd_una, tp.rtt_seq) {
            if tp.mdev_max_us < tp.rttvar_us {
                tp.rttvar_us -= (tp.rttvar_us - tp.mdev_max_us) >> 2;
            }
            tp.rtt_seq = tp.snd_nxt;
            tp.mdev_max_us = rto_min;
        }
    }

    /// `tcp_set_rto()`.
    pub(crate) fn set_rto(&mut self) {
        let usecs = (self.tp.srtt_us >> 3).saturating_add(self.tp.rttvar_us);
        let rto = self.clock.usecs_to_jiffies(usecs);
        self.tp.inet_conn.icsk_rto = rto.clamp(1, self.tp.inet_conn.icsk_rto_max);
    }
}

fn clamp_us(us: u64) -> u32 {
    us.min(u64::from(u32::MAX)) as u32
}

/// `tcp_min_rtt_wlen`, seconds.
const MIN_RTT_WLEN_SECS: u32 = 300;
