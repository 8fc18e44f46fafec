//! Delivery rate samples: net/ipv4/tcp_rate.c (Linux 6.12).

use crate::cell::Sk;
use crate::recovery::sent_after;
use crate::scoreboard::{RETRANS, SACKED_ACKED, SkbId, TxInfo};
use crate::seq::after;
use crate::sock::rate_sample;

impl Sk {
    /// `tcp_rate_skb_sent()`: the state of delivery to note in a burst sent at `mstamp_us`.
    pub(crate) fn rate_skb_sent(&mut self, mstamp_us: u64) -> TxInfo {
        let tp = &mut self.tp;
        if tp.packets_out == 0 {
            tp.first_tx_mstamp = mstamp_us;
            tp.delivered_mstamp = mstamp_us;
        }
        TxInfo {
            first_tx_mstamp: tp.first_tx_mstamp,
            delivered_mstamp: tp.delivered_mstamp,
            delivered: tp.delivered,
            delivered_ce: tp.delivered_ce,
            is_app_limited: tp.app_limited != 0,
        }
    }

    /// `tcp_rate_skb_delivered()`: the newest burst delivered by an ACK is the one to measure with.
    pub(crate) fn rate_skb_delivered(&mut self, id: SkbId, rate: &mut rate_sample) {
        let skb = *self.rtx.get(id);
        let tx = skb.tx;
        if tx.delivered_mstamp == 0 {
            return;
        }
        let sent = skb.mstamp_us();
        let tp = &mut self.tp;
        if rate.prior_delivered == 0 || sent_after(sent, tp.first_tx_mstamp, skb.end_seq, rate.last_end_seq) {
            rate.prior_delivered_ce = tx.delivered_ce;
            rate.prior_delivered = tx.delivered;
            rate.prior_mstamp = tx.delivered_mstamp;
            rate.is_app_limited = tx.is_app_limited;
            rate.is_retrans = skb.is(RETRANS);
            rate.last_end_seq = skb.end_seq;
            tp.first_tx_mstamp = sent;
            rate.interval_us = sent.saturating_sub(tx.first_tx_mstamp) as i64;
        }
        if skb.is(SACKED_ACKED) {
            self.rtx.get_mut(id).tx.delivered_mstamp = 0;
        }
    }

    /// `tcp_rate_gen()`: completes the sample of an ACK.
    pub(crate) fn rate_gen(&mut self, delivered: u32, lost: u32, rate: &mut rate_sample) {
        let tp = &mut self.tp;
        if tp.app_limited != 0 && after(tp.delivered, tp.app_limited) {
            tp.app_limited = 0;
        }
        if delivered != 0 {
            tp.delivered_mstamp = tp.tcp_mstamp;
        }
        rate.acked_sacked = delivered;
        rate.losses = lost as i32;
        if rate.prior_mstamp == 0 {
            rate.delivered = -1;
            rate.interval_us = -1;
            return;
        }
        rate.delivered = tp.delivered.wrapping_sub(rate.prior_delivered) as i32;
        rate.delivered_ce = (tp.delivered_ce.wrapping_sub(rate.prior_delivered_ce) & DELIVERED_CE_MASK) as i32;
        let send_us = rate.interval_us;
        let ack_us = tp.tcp_mstamp.saturating_sub(rate.prior_mstamp) as i64;
        rate.interval_us = send_us.max(ack_us);
        rate.snd_interval_us = send_us as u32;
        rate.rcv_interval_us = ack_us as u32;
        if rate.interval_us < i64::from(tp.min_rtt_us()) {
            rate.interval_us = -1;
            return;
        }
        let better = (rate.delivered as u64).wrapping_mul(u64::from(tp.rate_interval_us))
            >= u64::from(tp.rate_delivered).wrapping_mul(rate.interval_us as u64);
        if !rate.is_app_limited || better {
            tp.rate_delivered = rate.delivered as u32;
            tp.rate_interval_us = rate.interval_us as u32;
            tp.set_rate_app_limited(u8::from(rate.is_app_limited));
        }
    }

    /// `tcp_rate_check_app_limited()`: the application has let the pipe run empty.
    pub(crate) fn rate_check_app_limited(&mut self) {
        let tp = &mut self.tp;
        if tp.write_seq.wrapping_sub(tp.snd_nxt) < tp.mss_cache
            && tp.packets_in_flight() < tp.snd_cwnd
            && tp.lost_out <= tp.retrans_out
        {
            tp.app_limited = tp.delivered.wrapping_add(tp.packets_in_flight()).max(1);
        }
    }
}

/// `TCPCB_DELIVERED_CE_MASK`: the bits of the count that a burst has room for in Linux.
const DELIVERED_CE_MASK: u32 = (1 << 20) - 1;
