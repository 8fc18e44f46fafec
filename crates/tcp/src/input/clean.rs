//! `tcp_clean_rtx_queue()` (net/ipv4/tcp_input.c, Linux 6.12): what a cumulative ACK takes out of the queue, and what is
//! learnt from it.

use super::{AckState, flag};
use crate::cell::Sk;
use crate::scoreboard::{LOST, RETRANS, SACKED_ACKED, SACKED_RETRANS, Skb, SkbId};
use crate::seq::{after, before};
use crate::sock::ack_sample;

/// What the loop over acknowledged bursts collects.
struct Acked {
    flag: u32,
    pkts_acked: u32,
    /// Transmission times of the first and last burst that was neither retransmitted nor SACKed, microseconds.
    first_ackt: u64,
    last_ackt: u64,
    /// Lowest such sequence number.
    reord: u32,
    fully_acked: bool,
}

impl Sk {
    /// Removes what `snd_una` covers; gives the flags found.
    pub(crate) fn clean_rtx_queue(
        &mut self,
        prior_fack: u32,
        prior_snd_una: u32,
        ece: bool,
        state: &mut AckState,
    ) -> u32 {
        let prior_sacked = self.tp.sacked_out;
        let mut acked = Acked {
            flag: 0,
            pkts_acked: 0,
            first_ackt: 0,
            last_ackt: 0,
            reord: self.tp.snd_nxt,
            fully_acked: true,
        };
        while let Some(id) = self.rtx.head() {
            if !self.clean_one(id, ece, state, &mut acked) {
                break;
            }
        }
        if self.retransmit_hint.is_some_and(|seq| before(seq, self.tp.snd_una)) {
            self.retransmit_hint = None;
        }
        let (seq_rtt, sack_rtt, ca_rtt) = self.rtt_of(&mut acked, prior_sacked, prior_snd_una, state);
        let updated = self.ack_update_rtt(acked.flag, seq_rtt, sack_rtt, ca_rtt, &mut state.rate);
        let mut flag = acked.flag;
        if flag & flag::ACKED != 0 {
            flag |= flag::SET_XMIT_TIMER;
            if !self.is_sack() {
                self.remove_reno_sacks(acked.pkts_acked, ece);
                if flag & flag::RETRANS_DATA_ACKED != 0 {
                    flag &= !flag::ORIG_SACK_ACKED;
                }
            } else if before(acked.reord, prior_fack) {
                self.check_sack_reordering(acked.reord);
            }
        } else if let (Some(head), true, Some(sack_rtt)) = (self.rtx.head(), updated, sack_rtt) {
            // The timeout is not moved by data sent before the head was sent last.
            let head_age = self.tp.tcp_mstamp.saturating_sub(self.rtx.get(head).mstamp_us());
            if sack_rtt > head_age {
                flag |= flag::SET_XMIT_TIMER;
            }
        }
        if self.ca.table().pkts_acked.is_some() {
            let in_flight = self.tp.delivered.wrapping_sub(state.rate.prior_delivered);
            let sample = ack_sample {
                pkts_acked: acked.pkts_acked,
                rtt_us: state.rate.rtt_us as i32,
                in_flight: self.tp.mss_cache.wrapping_mul(in_flight),
            };
            self.ca_pkts_acked(&sample);
        }
        flag
    }

    /// Takes the head out, or its acknowledged part. False when the loop must end.
    fn clean_one(&mut self, id: SkbId, ece: bool, state: &mut AckState, acked: &mut Acked) -> bool {
        let skb = *self.rtx.get(id);
        let una = self.tp.snd_una;
        let mut packets = skb.pcount;
        if after(skb.end_seq, una) {
            if skb.pcount == 1 || !after(una, skb.seq) {
                return false;
            }
            packets = self.trim_head(id, una);
            if packets == 0 {
                return false;
            }
            acked.fully_acked = false;
        }
        self.account_acked(&skb, packets, ece, acked);
        self.tp.packets_out = self.tp.packets_out.saturating_sub(packets);
        acked.pkts_acked += packets;
        self.rate_skb_delivered(id, &mut state.rate);
        acked.flag |= flag::DATA_ACKED;
        if acked.fully_acked {
            self.rtx.pop_head();
        }
        acked.fully_acked
    }

    /// Tags, counters and RACK for `packets` of a burst.
    fn account_acked(&mut self, skb: &Skb, packets: u32, ece: bool, acked: &mut Acked) {
        if skb.is(RETRANS) {
            if skb.is(SACKED_RETRANS) {
                self.tp.retrans_out = self.tp.retrans_out.saturating_sub(packets);
            }
            acked.flag |= flag::RETRANS_DATA_ACKED;
        } else if !skb.is(SACKED_ACKED) {
            acked.last_ackt = skb.mstamp_us();
            if acked.first_ackt == 0 {
                acked.first_ackt = acked.last_ackt;
            }
            if before(skb.seq, acked.reord) {
                acked.reord = skb.seq;
            }
            if !after(skb.end_seq, self.tp.high_seq) {
                acked.flag |= flag::ORIG_SACK_ACKED;
            }
        }
        if skb.is(SACKED_ACKED) {
            self.tp.sacked_out = self.tp.sacked_out.saturating_sub(packets);
        } else if self.is_sack() {
            self.count_delivered(packets, ece);
            if !(skb.is(RETRANS) && self.tsopt_ecr_before(skb.timestamp_ms())) {
                self.rack_advance(skb.sacked, skb.end_seq, skb.mstamp_us());
            }
        }
        if skb.is(LOST) {
            self.tp.lost_out = self.tp.lost_out.saturating_sub(packets);
        }
    }

    /// `tcp_tso_acked()`: cuts the acknowledged bytes off; gives the whole segments gone.
    fn trim_head(&mut self, id: SkbId, una: u32) -> u32 {
        let mss = self.tp.mss_cache.max(1);
        let skb = self.rtx.get_mut(id);
        let before = skb.pcount;
        skb.seq = una;
        skb.pcount = skb.len().div_ceil(mss).max(1);
        before.saturating_sub(skb.pcount)
    }

    /// Round-trip samples of this ACK, microseconds: of the cumulative ACK, of SACKs, and for the algorithm.
    fn rtt_of(
        &self,
        acked: &mut Acked,
        prior_sacked: u32,
        prior_snd_una: u32,
        state: &AckState,
    ) -> (Option<u64>, Option<u64>, Option<u64>) {
        let tp = &self.tp;
        let (mut seq_rtt, mut sack_rtt, mut ca_rtt) = (None, None, None);
        if acked.first_ackt != 0 && acked.flag & flag::RETRANS_DATA_ACKED == 0 {
            seq_rtt = Some(tp.tcp_mstamp.saturating_sub(acked.first_ackt));
            ca_rtt = Some(tp.tcp_mstamp.saturating_sub(acked.last_ackt));
            let lone_runt = acked.pkts_acked == 1
                && acked.fully_acked
                && prior_sacked == 0
                && tp.snd_una.wrapping_sub(prior_snd_una) < tp.mss_cache
                && state.rate.prior_delivered.wrapping_add(1) == tp.delivered
                && (acked.flag | state.flag) & (flag::CA_ALERT | flag::SYN_ACKED) == 0;
            if lone_runt {
                acked.flag |= flag::ACK_MAYBE_DELAYED;
            }
        }
        if state.first_sackt != 0 {
            sack_rtt = Some(tp.tcp_mstamp.saturating_sub(state.first_sackt));
            ca_rtt = Some(tp.tcp_mstamp.saturating_sub(state.last_sackt));
        }
        (seq_rtt, sack_rtt, ca_rtt)
    }
}
