//! Pacing by earliest departure time: `tcp_update_pacing_rate()` (net/ipv4/tcp_input.c), `tcp_pacing_check()`,
//! `tcp_update_skb_after_send()` (net/ipv4/tcp_output.c, Linux 6.12). With `SK_PACING_FQ` nothing holds packets back here.

use crate::cell::Sk;
use crate::consts::{SK_PACING_NEEDED, SK_PACING_NONE};
use net::Time;

impl Sk {
    /// The rate after an ACK: window per round trip, times 2 in the first half of slow start and 1.2 after it.
    pub(crate) fn update_pacing_rate(&mut self) {
        let tp = &self.tp;
        let ratio = if tp.snd_cwnd < tp.snd_ssthresh / 2 {
            self.config.pacing_ss_ratio
        } else {
            self.config.pacing_ca_ratio
        };
        let mut rate = u128::from(tp.mss_cache) * (10_000 << 3) * u128::from(ratio);
        rate *= u128::from(tp.snd_cwnd.max(tp.packets_out));
        if tp.srtt_us != 0 {
            rate /= u128::from(tp.srtt_us);
        }
        let sk = &mut self.tp.inet_conn.icsk_inet.sk;
        sk.sk_pacing_rate = u64::try_from(rate).unwrap_or(u64::MAX).min(sk.sk_max_pacing_rate);
    }

    /// True if the next packet must wait; its timer is set then.
    pub(crate) fn pacing_check(&mut self) -> bool {
        let tp = &self.tp;
        if tp.inet_conn.icsk_inet.sk.sk_pacing_status != SK_PACING_NEEDED || tp.tcp_wstamp_ns <= tp.tcp_clock_cache {
            return false;
        }
        let at = Time::from_nanos(tp.tcp_wstamp_ns);
        self.timers.pacing.get_or_insert(at);
        true
    }

    /// Moves the departure time of the next packet by what `len` bytes take, minus some credit for time lost.
    pub(crate) fn pacing_after_send(&mut self, len: u32, prior_wstamp: u64) {
        let tp = &mut self.tp;
        let sk = &tp.inet_conn.icsk_inet.sk;
        let rate = sk.sk_pacing_rate;
        if sk.sk_pacing_status == SK_PACING_NONE || rate == 0 || rate == u64::MAX || tp.data_segs_out < UNPACED {
            return;
        }
        let mut len_ns = u64::from(len) * 1_000_000_000 / rate;
        let credit = tp.tcp_wstamp_ns.wrapping_sub(prior_wstamp);
        len_ns -= (len_ns / 2).min(credit);
        tp.tcp_wstamp_ns = tp.tcp_wstamp_ns.saturating_add(len_ns);
    }
}

/// Segments at the start of a connection that are not paced.
const UNPACED: u32 = 10;
