//! The three-way handshake: `tcp_v4_connect()`/`tcp_connect_init()`, `tcp_rcv_synsent_state_process()`,
//! `tcp_conn_request()` and the SYN_RECV part of `tcp_rcv_state_process()` (net/ipv4, Linux 6.12).
//!
//! SYN and SYN-ACK are not in the retransmission queue here; the few things that Linux learns from them (round-trip time,
//! one packet delivered, the first pacing rate) are done by hand. Simultaneous open is not modelled.

use super::flag;
use crate::cell::Sk;
use crate::consts::{icsk_time, state};
use crate::segment::{Flags, Options, Segment};
use crate::sock::{rate_sample, tcp_options_received};

/// What a side must remember until the connection stands.
#[derive(Debug, Default)]
pub(crate) struct Handshake {
    /// When SYN or SYN-ACK was sent first, microseconds.
    sent_us: u64,
    /// It was sent again: no round-trip time from it.
    retransmitted: bool,
    /// ECN flags of SYN or SYN-ACK.
    ecn: Flags,
    /// Window scale that this side offers.
    wscale: u8,
}

impl Sk {
    /// `tcp_connect()`.
    pub(crate) fn connect(&mut self) {
        if self.state() != state::CLOSE {
            return;
        }
        self.mstamp_refresh();
        self.set_state(state::SYN_SENT);
        self.handshake.wscale = self.select_initial_window();
        self.handshake.ecn = self.ecn_send_syn();
        self.handshake.sent_us = self.tp.tcp_mstamp;
        let isn = self.config.isn;
        self.tp.snd_una = isn;
        self.tp.snd_nxt = isn.wrapping_add(1);
        self.tp.write_seq = self.tp.snd_nxt;
        self.chunk_end = self.tp.snd_nxt;
        self.send_syn();
        let rto = self.tp.inet_conn.icsk_rto;
        self.reset_xmit_timer(icsk_time::RETRANS, rto);
    }

    /// `inet_csk_listen_start()`.
    pub(crate) fn listen(&mut self) {
        if self.state() == state::CLOSE {
            self.set_state(state::LISTEN);
        }
    }

    /// A SYN for a listening socket, which becomes the connection.
    pub(super) fn rcv_listen(&mut self, segment: &Segment) {
        if !segment.flags.has(Flags::SYN) || segment.flags.has(Flags::ACK) {
            return;
        }
        self.parse_timestamps(segment);
        self.handshake.ecn = self.ecn_answer_syn(segment);
        self.learn_options(segment);
        self.handshake.wscale = self.select_initial_window();
        self.settle_wscale(segment);
        let isn = self.config.isn;
        self.tp.snd_una = isn;
        self.tp.snd_nxt = isn.wrapping_add(1);
        self.tp.write_seq = self.tp.snd_nxt;
        self.chunk_end = self.tp.snd_nxt;
        self.handshake.sent_us = self.tp.tcp_mstamp;
        self.set_state(state::SYN_RECV);
        self.send_syn();
        let rto = self.tp.inet_conn.icsk_rto;
        self.reset_xmit_timer(icsk_time::RETRANS, rto);
    }

    /// The answer to our SYN.
    pub(super) fn rcv_syn_sent(&mut self, segment: &Segment) {
        if !segment.flags.has(Flags::ACK) || segment.ack != self.tp.snd_nxt {
            return;
        }
        if segment.flags.has(Flags::RST) {
            self.set_state(state::CLOSE);
            return;
        }
        if !segment.flags.has(Flags::SYN) {
            return;
        }
        self.parse_timestamps(segment);
        self.ecn_rcv_synack(segment);
        self.learn_options(segment);
        self.settle_wscale(segment);
        self.tp.snd_una = segment.ack;
        self.syn_acked(segment);
        self.initialize_rcv_mss();
        self.finish_connect();
        self.send_ack();
        self.push_pending_frames();
    }

    /// The ACK of our SYN-ACK, perhaps with data.
    pub(super) fn rcv_syn_recv(&mut self, segment: &Segment) {
        if segment.flags.has(Flags::SYN) {
            self.retransmit_syn();
            return;
        }
        if !segment.flags.has(Flags::ACK) || segment.ack != self.tp.snd_nxt {
            return;
        }
        self.parse_timestamps(segment);
        self.tp.snd_una = segment.ack;
        self.syn_acked(segment);
        self.tp.snd_wl1 = segment.seq;
        self.initialize_rcv_mss();
        self.finish_connect();
        self.rcv_established(segment);
    }

    /// SYN or SYN-ACK again.
    pub(crate) fn retransmit_syn(&mut self) {
        self.handshake.retransmitted = true;
        self.tp.total_retrans = self.tp.total_retrans.wrapping_add(1);
        if self.state() == state::SYN_SENT {
            // RFC 3168 section 6.1.1.1: a SYN that asks for ECN may be what was dropped.
            self.handshake.ecn = Flags::default();
        }
        self.send_syn();
    }

    /// Sends SYN, or SYN-ACK if a SYN was received.
    fn send_syn(&mut self) {
        let answer = self.state() == state::SYN_RECV;
        let config = &self.config;
        let opt = &self.tp.rx_opt;
        let mut options = Options::MSS;
        // A SYN offers what is configured, a SYN-ACK what was agreed.
        let offer = |ours: bool, agreed: u16| if answer { opt.has(agreed) } else { ours };
        if offer(config.timestamps, tcp_options_received::TSTAMP_OK) {
            options = options.with(Options::TIMESTAMPS);
        }
        if offer(config.sack, tcp_options_received::SACK_OK) {
            options = options.with(Options::SACK_PERMITTED);
        }
        if offer(true, tcp_options_received::WSCALE_OK) {
            options = options.with(Options::WINDOW_SCALE);
        }
        let mut flags = Flags::SYN.with(self.handshake.ecn);
        if answer {
            flags = flags.with(Flags::ACK);
        }
        let segment = Segment {
            seq: config.isn,
            ack: if answer { self.tp.rcv_nxt } else { 0 },
            window: self.tp.rcv_wnd.min(65_535) as u16,
            mss: config.mss,
            wscale: self.handshake.wscale,
            flags,
            options,
            ecn: self.ecn_field(),
            tsval: self.timestamp_now(),
            tsecr: if answer { self.tp.rx_opt.ts_recent } else { 0 },
            ..Segment::default()
        };
        self.tp.segs_out = self.tp.segs_out.wrapping_add(1);
        self.out.push_back(segment);
    }

    /// What the peer's SYN or SYN-ACK says.
    fn learn_options(&mut self, segment: &Segment) {
        let both = |ours: bool, theirs: Options| ours && segment.options.has(theirs);
        let timestamps = both(self.config.timestamps, Options::TIMESTAMPS);
        let sack = both(self.config.sack, Options::SACK_PERMITTED);
        let peer_mss = if segment.options.has(Options::MSS) {
            segment.mss
        } else {
            536
        };
        let own_mss = self.config.mss;
        let tp = &mut self.tp;
        tp.rx_opt.set(tcp_options_received::TSTAMP_OK, timestamps);
        tp.rx_opt.set(tcp_options_received::SACK_OK, sack);
        tp.rx_opt.mss_clamp = peer_mss;
        let option_bytes = if timestamps { 12 } else { 0 };
        tp.tcp_header_len = 20 + option_bytes;
        tp.advmss = own_mss.saturating_sub(option_bytes).max(88);
        tp.mss_cache = u32::from(peer_mss.min(own_mss).saturating_sub(option_bytes).max(48));
        tp.rcv_nxt = segment.seq.wrapping_add(1);
        tp.rcv_wup = tp.rcv_nxt;
        tp.copied_seq = tp.rcv_nxt;
        tp.snd_wl1 = segment.seq;
        tp.snd_wnd = u32::from(segment.window);
        tp.max_window = tp.snd_wnd;
        self.store_ts_recent();
    }

    /// Both sides scale windows, or none.
    fn settle_wscale(&mut self, segment: &Segment) {
        let own = self.handshake.wscale;
        let opt = &mut self.tp.rx_opt;
        if segment.options.has(Options::WINDOW_SCALE) {
            opt.set(tcp_options_received::WSCALE_OK, true);
            opt.set_snd_wscale(u16::from(segment.wscale.min(14)));
            opt.set_rcv_wscale(u16::from(own));
        } else {
            opt.set_snd_wscale(0);
            opt.set_rcv_wscale(0);
            self.tp.window_clamp = self.tp.window_clamp.min(65_535);
        }
    }

    /// Our SYN or SYN-ACK is acknowledged: a round trip, a packet delivered.
    fn syn_acked(&mut self, segment: &Segment) {
        self.clear_xmit_timer();
        self.tp.inet_conn.icsk_backoff = 0;
        self.tp.inet_conn.icsk_rto = self.clock.span_to_jiffies(net::Span::from_secs(1));
        let rtt = self.tp.tcp_mstamp.saturating_sub(self.handshake.sent_us);
        let rtt = (!self.handshake.retransmitted).then_some(rtt);
        self.ack_update_rtt(flag::SYN_ACKED, rtt, None, rtt, &mut rate_sample::default());
        self.tp.delivered = 1;
        self.tp.delivered_mstamp = self.tp.tcp_mstamp;
        self.tp.rcv_tstamp = self.clock.jiffies();
        self.tp.snd_wnd = self.segment_window(segment);
        self.tp.max_window = self.tp.max_window.max(self.tp.snd_wnd);
    }

    /// `tcp_finish_connect()` and `tcp_init_transfer()`.
    fn finish_connect(&mut self) {
        self.set_state(state::ESTABLISHED);
        let now = self.clock.jiffies();
        self.tp.lsndtime = now;
        self.tp.snd_cwnd = if self.tp.total_retrans > 1 {
            1
        } else {
            self.config.init_cwnd
        };
        self.tp.snd_cwnd_stamp = now;
        self.tp.app_limited = 0;
        self.update_pacing_rate();
        if self.tp.inet_conn.icsk_ca_initialized() == 0 {
            self.init_congestion_control();
        }
        self.init_buffer_space();
    }
}
