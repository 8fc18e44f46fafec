//! `tcp_ack()` (net/ipv4/tcp_input.c, Linux 6.12; the place of `in_ack_event` is that of 6.18): the order in which an ACK
//! is worked through, and with it the order in which a congestion control is called.

use super::flag;
use crate::cell::Sk;
use crate::consts::{ca_ack, ca_state};
use crate::segment::Segment;
use crate::seq::{after, before};
use crate::sock::rate_sample;

/// What is found out about one ACK (`struct tcp_sacktag_state`).
#[derive(Default)]
pub(crate) struct AckState {
    /// Oldest and newest transmission time of newly SACKed segments that were never retransmitted, microseconds.
    pub(crate) first_sackt: u64,
    pub(crate) last_sackt: u64,
    /// Lowest sequence number that was delivered late.
    pub(crate) reord: u32,
    /// Segments newly SACKed, or reported as duplicates.
    pub(crate) sack_delivered: u32,
    pub(crate) flag: u32,
    pub(crate) rate: rate_sample,
}

/// What to send after an ACK is worked through (`REXMIT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rexmit {
    None,
    /// What is marked lost.
    Lost,
    /// New data, to see whether a timeout was spurious (F-RTO).
    New,
}

impl Sk {
    /// `tcp_ack()`: false if the segment must be dropped.
    pub(crate) fn ack(&mut self, segment: &Segment, flags: u32) -> bool {
        let mut flag = flags;
        let prior_snd_una = self.tp.snd_una;
        let prior_packets = self.tp.packets_out;
        let prior_delivered = self.tp.delivered;
        let prior_lost = self.tp.lost;
        let ack = segment.ack;
        let mut state = AckState::default();
        if before(ack, prior_snd_una) {
            return self.old_ack(segment, flag, prior_snd_una);
        }
        if after(ack, self.tp.snd_nxt) {
            return false;
        }
        if after(ack, prior_snd_una) {
            flag |= flag::SND_UNA_ADVANCED;
            self.tp.inet_conn.icsk_retransmits = 0;
        }
        let prior_fack = if self.is_sack() {
            self.highest_sack_seq()
        } else {
            self.tp.snd_una
        };
        state.rate.prior_in_flight = self.tp.packets_in_flight();
        if flag & flag::UPDATE_TS_RECENT != 0 {
            self.replace_ts_recent(segment.seq);
        }
        flag |= self.update_una_and_window(segment, flag, prior_snd_una, &mut state);
        self.ecn_accept_cwr(segment);
        self.tp.rcv_tstamp = self.clock.jiffies();
        if prior_packets == 0 {
            self.ack_without_data_out(ack, flag, prior_snd_una);
            return true;
        }
        flag |= self.clean_rtx_queue(prior_fack, prior_snd_una, flag & flag::ECE != 0, &mut state);
        self.rack_update_reo_wnd(&state.rate);
        self.in_ack_event(flag);
        if self.tp.tlp_high_seq != 0 {
            self.process_tlp_ack(ack, flag);
        }
        let mut rexmit = Rexmit::None;
        if self.ack_is_dubious(flag) {
            let progress = flag::SND_UNA_ADVANCED | flag::NOT_DUP | flag::DSACKING_ACK;
            let num_dupack = u32::from(flag & progress == 0);
            rexmit = self.fastretrans_alert(prior_snd_una, num_dupack, &mut flag);
        }
        if flag & flag::SET_XMIT_TIMER != 0 {
            self.set_xmit_timer();
        }
        let delivered = self.tp.delivered.wrapping_sub(prior_delivered);
        let lost = self.tp.lost.wrapping_sub(prior_lost);
        state.rate.is_ack_delayed = flag & flag::ACK_MAYBE_DELAYED != 0;
        self.rate_gen(delivered, lost, &mut state.rate);
        self.cong_control(ack, delivered, flag, &state.rate);
        self.xmit_recovery(rexmit);
        true
    }

    /// Left edge, window, SACK and ECE of an ACK; gives the flags found.
    fn update_una_and_window(&mut self, segment: &Segment, flag: u32, prior_snd_una: u32, state: &mut AckState) -> u32 {
        if flag & (flag::SLOWPATH | flag::SND_UNA_ADVANCED) == flag::SND_UNA_ADVANCED {
            self.tp.snd_wl1 = segment.seq;
            self.snd_una_update(segment.ack);
            return flag::WIN_UPDATE;
        }
        let mut found = 0;
        if segment.seq != segment.end_seq() {
            found |= flag::DATA;
        }
        found |= self.ack_update_window(segment);
        if segment.sack_count > 0 && self.is_sack() {
            self.sacktag_write_queue(segment, prior_snd_una, state);
            found |= state.flag;
        }
        let ece = self.is_ecn_echo(segment);
        if ece {
            found |= flag::ECE;
        }
        if state.sack_delivered > 0 {
            self.count_delivered(state.sack_delivered, ece);
        }
        found
    }

    /// `tcp_ack_update_window()`.
    fn ack_update_window(&mut self, segment: &Segment) -> u32 {
        let window = self.segment_window(segment);
        let tp = &mut self.tp;
        let may = after(segment.ack, tp.snd_una)
            || after(segment.seq, tp.snd_wl1)
            || (segment.seq == tp.snd_wl1 && (window > tp.snd_wnd || window == 0));
        let mut found = 0;
        if may {
            found |= flag::WIN_UPDATE;
            tp.snd_wl1 = segment.seq;
            if tp.snd_wnd != window {
                tp.snd_wnd = window;
                tp.max_window = tp.max_window.max(window);
            }
        }
        self.snd_una_update(segment.ack);
        found
    }

    /// `tcp_snd_una_update()`.
    fn snd_una_update(&mut self, ack: u32) {
        let delta = ack.wrapping_sub(self.tp.snd_una);
        self.tp.bytes_acked += u64::from(delta);
        self.tp.snd_una = ack;
    }

    /// An ACK while nothing is out.
    fn ack_without_data_out(&mut self, ack: u32, flag: u32, prior_snd_una: u32) {
        let mut flag = flag;
        self.in_ack_event(flag);
        if flag & flag::DSACKING_ACK != 0 {
            self.fastretrans_alert(prior_snd_una, 0, &mut flag);
        }
        if self.tp.tlp_high_seq != 0 {
            self.process_tlp_ack(ack, flag);
        }
    }

    /// An ACK older than one seen before: only its SACK blocks count.
    fn old_ack(&mut self, segment: &Segment, flag: u32, prior_snd_una: u32) -> bool {
        let max_window = u64::from(self.tp.max_window).min(self.tp.bytes_acked) as u32;
        if before(segment.ack, prior_snd_una.wrapping_sub(max_window)) {
            return false;
        }
        if flag & flag::UPDATE_TS_RECENT != 0 {
            self.replace_ts_recent(segment.seq);
        }
        if segment.sack_count > 0 && self.is_sack() {
            let mut state = AckState::default();
            self.sacktag_write_queue(segment, prior_snd_una, &mut state);
            let mut flag = flag | state.flag;
            let rexmit = self.fastretrans_alert(prior_snd_una, 0, &mut flag);
            self.xmit_recovery(rexmit);
        }
        // The segment's data is still looked at.
        true
    }

    /// `tcp_ack_is_dubious()`.
    fn ack_is_dubious(&self, flag: u32) -> bool {
        flag & flag::NOT_DUP == 0 || flag & flag::CA_ALERT != 0 || self.tp.inet_conn.icsk_ca_state() != ca_state::OPEN
    }

    /// `tcp_in_ack_event()`.
    fn in_ack_event(&mut self, flag: u32) {
        if self.ca.table().in_ack_event.is_none() {
            return;
        }
        let mut event = 0;
        if flag & flag::WIN_UPDATE != 0 {
            event |= ca_ack::WIN_UPDATE;
        }
        if flag & flag::SLOWPATH != 0 {
            event |= ca_ack::SLOWPATH;
            if flag & flag::ECE != 0 {
                event |= ca_ack::ECE;
            }
        }
        self.ca_in_ack_event(event);
    }

    /// `tcp_cong_control()`: the window after this ACK, then the pacing rate.
    fn cong_control(&mut self, ack: u32, acked_sacked: u32, flag: u32, rate: &rate_sample) {
        if self.ca_cong_control(ack, flag as i32, rate) {
            return;
        }
        if self.in_cwnd_reduction() {
            self.cwnd_reduction(acked_sacked, rate.losses, flag);
        } else if self.may_raise_cwnd(flag) {
            self.ca_cong_avoid(ack, acked_sacked);
            self.tp.snd_cwnd_stamp = self.clock.jiffies();
        }
        self.update_pacing_rate();
    }

    /// `tcp_may_raise_cwnd()`: with much reordering any progress counts, otherwise progress in order.
    fn may_raise_cwnd(&self, flag: u32) -> bool {
        if self.tp.reordering > self.config.reordering {
            return flag & flag::FORWARD_PROGRESS != 0;
        }
        flag & flag::DATA_ACKED != 0
    }

    /// `tcp_xmit_recovery()`.
    fn xmit_recovery(&mut self, rexmit: Rexmit) {
        if rexmit == Rexmit::None {
            return;
        }
        if rexmit == Rexmit::New {
            self.push_pending_frames();
            if after(self.tp.snd_nxt, self.tp.high_seq) {
                return;
            }
            self.tp.set_frto(0);
        }
        self.xmit_retransmit_queue();
    }

    /// `tcp_count_delivered()`.
    pub(crate) fn count_delivered(&mut self, packets: u32, ece: bool) {
        self.tp.delivered = self.tp.delivered.wrapping_add(packets);
        if ece {
            self.tp.delivered_ce = self.tp.delivered_ce.wrapping_add(packets);
        }
    }
}
