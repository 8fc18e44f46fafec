//! From a burst to segments: `__tcp_transmit_skb()`, `tcp_established_options()`, `__tcp_send_ack()` (net/ipv4/tcp_output.c,
//! Linux 6.12), and what segmentation does to flags (net/ipv4/tcp_offload.c: CWR on the first segment, PSH on the last).

use crate::cell::Sk;
use crate::consts::{state, tcp_ca_event};
use crate::scoreboard::Skb;
use crate::segment::{Flags, Options, Segment};
use crate::seq::{after, before};
use crate::sock::{tcp_options_received, tcp_sack_block};

impl Sk {
    /// Sends a burst, new or again, and notes time and state of delivery in it.
    pub(super) fn transmit_burst(&mut self, skb: &mut Skb, mss: u32) {
        let len = skb.len();
        let prior_wstamp = self.stamp_departure();
        skb.mstamp_ns = self.tp.tcp_wstamp_ns;
        let mut segment = self.established_header(skb.seq, len, self.tp.rcv_nxt, skb.timestamp_ms());
        self.event_ack_sent(self.tp.rcv_nxt);
        self.event_data_sent();
        let tp = &mut self.tp;
        tp.data_segs_out = tp.data_segs_out.wrapping_add(skb.pcount);
        tp.bytes_sent += u64::from(len);
        tp.segs_out = tp.segs_out.wrapping_add(skb.pcount);
        let many = skb.pcount > 1;
        let mut left = len;
        while left > 0 {
            segment.len = left.min(mss);
            left -= segment.len;
            if many && left == 0 {
                segment.flags = segment.flags.with(Flags::PSH);
            }
            self.out.push_back(segment);
            segment.seq = segment.seq.wrapping_add(segment.len);
            segment.flags = segment.flags.without(Flags::CWR);
        }
        self.pacing_after_send(len, prior_wstamp);
        skb.tx = self.rate_skb_sent(skb.mstamp_us());
    }

    /// `tcp_send_ack()`.
    pub(crate) fn send_ack(&mut self) {
        self.send_ack_of(self.tp.rcv_nxt);
    }

    /// `__tcp_send_ack()`: DCTCP acknowledges an older `rcv_nxt` to tell CE-marked packets from others.
    pub(crate) fn send_ack_of(&mut self, rcv_nxt: u32) {
        if matches!(self.state(), state::CLOSE | state::LISTEN | state::SYN_SENT) {
            return;
        }
        self.stamp_departure();
        let timestamp = (self.tp.tcp_wstamp_ns / 1_000_000) as u32;
        let seq = self.acceptable_seq();
        let segment = self.established_header(seq, 0, rcv_nxt, timestamp);
        self.event_ack_sent(rcv_nxt);
        self.tp.segs_out = self.tp.segs_out.wrapping_add(1);
        self.out.push_back(segment);
    }

    /// Takes the present as departure time unless pacing has set a later one; gives what it was.
    fn stamp_departure(&mut self) -> u64 {
        let prior = self.tp.tcp_wstamp_ns;
        self.tp.tcp_wstamp_ns = prior.max(self.tp.tcp_clock_cache);
        prior
    }

    /// Header and options of a segment on a connection that stands.
    fn established_header(&mut self, seq: u32, len: u32, rcv_nxt: u32, timestamp: u32) -> Segment {
        let window = self.select_window();
        let ecn = self.ecn_send(seq, len);
        let mut segment = Segment {
            seq,
            ack: rcv_nxt,
            len,
            window,
            flags: Flags::ACK.with(ecn),
            ecn: self.ecn_field(),
            ..Segment::default()
        };
        let mut room = 40;
        if self.tp.rx_opt.has(tcp_options_received::TSTAMP_OK) {
            segment.options = Options::TIMESTAMPS;
            segment.tsval = timestamp;
            segment.tsecr = self.tp.rx_opt.ts_recent;
            room -= 12;
        }
        self.sack_option(&mut segment, room);
        segment
    }

    /// The SACK option: a duplicate first, then the newest blocks, as many as fit into `room` bytes.
    fn sack_option(&mut self, segment: &mut Segment, room: usize) {
        let dsack = self.tp.rx_opt.has(tcp_options_received::DSACK);
        let blocks = usize::from(self.tp.rx_opt.num_sacks);
        if blocks == 0 && !dsack {
            return;
        }
        let fit = (room - 4) / 8;
        let (dup, selective) = (self.tp.duplicate_sack, self.tp.selective_acks);
        let all = dup[..usize::from(dsack)]
            .iter()
            .chain(&selective[..blocks.min(selective.len())]);
        let mut count = 0;
        for (slot, block) in segment.sack.iter_mut().zip(all).take(fit) {
            *slot = tcp_sack_block { ..*block };
            count += 1;
        }
        segment.sack_count = count;
        self.tp.rx_opt.set(tcp_options_received::DSACK, false);
    }

    /// `tcp_event_ack_sent()`: what was owed is paid.
    fn event_ack_sent(&mut self, rcv_nxt: u32) {
        if self.tp.compressed_ack != 0 {
            self.tp.compressed_ack = 0;
            self.timers.compressed_ack = None;
        }
        if rcv_nxt != self.tp.rcv_nxt {
            return;
        }
        self.dec_quickack_mode();
        self.tp.inet_conn.icsk_ack.pending = 0;
        self.timers.delack = None;
    }

    /// `tcp_event_data_sent()`.
    fn event_data_sent(&mut self) {
        if self.tp.packets_in_flight() == 0 {
            self.ca_event(tcp_ca_event::TxStart);
        }
        let now = self.clock.jiffies();
        self.tp.lsndtime = now;
        let ack = &mut self.tp.inet_conn.icsk_ack;
        // An answer soon after data received: an interactive session.
        if now.wrapping_sub(ack.lrcvtime) < ack.ato() {
            ack.pingpong = ack.pingpong.saturating_add(1);
        }
    }

    /// `tcp_acceptable_seq()`.
    fn acceptable_seq(&self) -> u32 {
        let end = self.wnd_end();
        let scale = self.tp.rx_opt.rcv_wscale();
        if !before(end, self.tp.snd_nxt) || self.tp.snd_nxt.wrapping_sub(end) < 1 << scale {
            return self.tp.snd_nxt;
        }
        if after(end, self.tp.snd_una) {
            end
        } else {
            self.tp.snd_una
        }
    }
}
