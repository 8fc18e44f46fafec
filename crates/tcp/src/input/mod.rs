//! Segments that arrive: `tcp_rcv_established()` (net/ipv4/tcp_input.c, Linux 6.12) with the checks that precede it.
//! The parts: [`ack`] the order of work for an ACK, [`sack`] the scoreboard, [`clean`] what a cumulative ACK removes,
//! [`rtt`] round-trip estimates, [`handshake`] before the connection stands.

mod ack;
mod clean;
mod handshake;
mod rtt;
mod sack;

pub(crate) use ack::{AckState, Rexmit};
pub(crate) use handshake::Handshake;

use crate::cell::Sk;
use crate::consts::{ecn_flags, state};
use crate::segment::{Flags, Options, Segment};
use crate::seq::{after, before};
use crate::sock::tcp_options_received;

/// `FLAG_*` of net/ipv4/tcp_input.c: what an ACK did. The numbers are Linux's, since `cong_control` gets them.
pub(crate) mod flag {
    pub(crate) const DATA: u32 = 0x01;
    pub(crate) const WIN_UPDATE: u32 = 0x02;
    pub(crate) const DATA_ACKED: u32 = 0x04;
    pub(crate) const RETRANS_DATA_ACKED: u32 = 0x08;
    pub(crate) const SYN_ACKED: u32 = 0x10;
    pub(crate) const DATA_SACKED: u32 = 0x20;
    pub(crate) const ECE: u32 = 0x40;
    pub(crate) const LOST_RETRANS: u32 = 0x80;
    pub(crate) const SLOWPATH: u32 = 0x100;
    pub(crate) const ORIG_SACK_ACKED: u32 = 0x200;
    pub(crate) const SND_UNA_ADVANCED: u32 = 0x400;
    pub(crate) const DSACKING_ACK: u32 = 0x800;
    pub(crate) const SET_XMIT_TIMER: u32 = 0x1000;
    pub(crate) const UPDATE_TS_RECENT: u32 = 0x4000;
    pub(crate) const ACK_MAYBE_DELAYED: u32 = 0x10000;
    pub(crate) const DSACK_TLP: u32 = 0x20000;

    pub(crate) const ACKED: u32 = DATA_ACKED | SYN_ACKED;
    pub(crate) const NOT_DUP: u32 = DATA | WIN_UPDATE | ACKED;
    pub(crate) const CA_ALERT: u32 = DATA_SACKED | ECE | DSACKING_ACK;
    pub(crate) const FORWARD_PROGRESS: u32 = ACKED | DATA_SACKED;
}

impl Sk {
    /// A segment has arrived (`tcp_v4_do_rcv()`).
    pub(crate) fn rcv(&mut self, segment: &Segment) {
        self.mstamp_refresh();
        self.tp.segs_in = self.tp.segs_in.wrapping_add(1);
        if segment.len > 0 {
            self.tp.data_segs_in = self.tp.data_segs_in.wrapping_add(1);
        }
        match self.state() {
            state::LISTEN => self.rcv_listen(segment),
            state::SYN_SENT => self.rcv_syn_sent(segment),
            state::SYN_RECV => self.rcv_syn_recv(segment),
            state::CLOSE => {}
            _ => self.rcv_established(segment),
        }
    }

    /// `tcp_rcv_established()`.
    pub(super) fn rcv_established(&mut self, segment: &Segment) {
        self.parse_timestamps(segment);
        let fast = self.is_predicted(segment);
        let mut flags = 0;
        if fast {
            if self.tp.rcv_nxt == self.tp.rcv_wup {
                self.store_ts_recent();
            }
        } else {
            if !self.validate_incoming(segment) {
                return;
            }
            flags = flag::SLOWPATH | flag::UPDATE_TS_RECENT;
        }
        if !segment.flags.has(Flags::ACK) || !self.ack(segment, flags) {
            return;
        }
        if segment.len > 0 || segment.flags.has(Flags::FIN) {
            self.rcv_rtt_measure_ts(segment);
            self.data_queue(segment);
        }
        self.push_pending_frames();
        self.ack_snd_check();
        self.app_read();
    }

    /// Header prediction: the next segment in order, with nothing unusual about it and an unchanged window.
    fn is_predicted(&self, segment: &Segment) -> bool {
        let tp = &self.tp;
        segment.flags.without(Flags::PSH) == Flags::ACK
            && segment.seq == tp.rcv_nxt
            && !after(segment.ack, tp.snd_nxt)
            && segment.sack_count == 0
            && self.rcv.ooo.is_empty()
            && u32::from(segment.window) << tp.rx_opt.snd_wscale() == tp.snd_wnd
            && !(tp.rx_opt.has(tcp_options_received::SAW_TSTAMP) && before(tp.rx_opt.rcv_tsval, tp.rx_opt.ts_recent))
    }

    /// `tcp_validate_incoming()`: false if the segment must not be looked at further.
    fn validate_incoming(&mut self, segment: &Segment) -> bool {
        let tp = &self.tp;
        let paws = tp.rx_opt.has(tcp_options_received::SAW_TSTAMP)
            && tp.rx_opt.ts_recent.wrapping_sub(tp.rx_opt.rcv_tsval) as i32 > PAWS_WINDOW
            && !(segment.len == 0 && segment.seq == tp.rcv_nxt);
        let window = self.receive_window();
        let tp = &self.tp;
        let outside = before(segment.end_seq(), tp.rcv_wup) || after(segment.seq, tp.rcv_nxt.wrapping_add(window));
        if paws || outside {
            if !segment.flags.has(Flags::RST) {
                self.send_dupack(segment);
            }
            return false;
        }
        if segment.flags.has(Flags::RST) {
            self.set_state(state::CLOSE);
            return false;
        }
        !segment.flags.has(Flags::SYN)
    }

    /// Notes the timestamps option of a segment (`tcp_fast_parse_options()`).
    pub(super) fn parse_timestamps(&mut self, segment: &Segment) {
        let present = segment.options.has(Options::TIMESTAMPS);
        let opt = &mut self.tp.rx_opt;
        opt.set(tcp_options_received::SAW_TSTAMP, present);
        if present {
            opt.rcv_tsval = segment.tsval;
            opt.rcv_tsecr = segment.tsecr;
        }
    }

    /// `tcp_store_ts_recent()`.
    pub(super) fn store_ts_recent(&mut self) {
        let seconds = self.clock.now.as_nanos() / 1_000_000_000;
        let opt = &mut self.tp.rx_opt;
        if opt.has(tcp_options_received::SAW_TSTAMP) {
            opt.ts_recent = opt.rcv_tsval;
            opt.ts_recent_stamp = seconds as i32;
        }
    }

    /// `tcp_replace_ts_recent()`: a segment at or before the last ACK sent brings the timestamp to echo.
    pub(super) fn replace_ts_recent(&mut self, seq: u32) {
        let opt = &self.tp.rx_opt;
        let newer = opt.ts_recent.wrapping_sub(opt.rcv_tsval) as i32 <= 0;
        if newer && !after(seq, self.tp.rcv_wup) {
            self.store_ts_recent();
        }
    }

    /// The peer's window as it stands in a segment, bytes.
    pub(super) fn segment_window(&self, segment: &Segment) -> u32 {
        if segment.flags.has(Flags::SYN) {
            return u32::from(segment.window);
        }
        u32::from(segment.window) << self.tp.rx_opt.snd_wscale()
    }

    /// Does this ACK echo congestion (`tcp_ecn_rcv_ecn_echo()`)?
    pub(super) fn is_ecn_echo(&self, segment: &Segment) -> bool {
        segment.flags.has(Flags::ECE) && !segment.flags.has(Flags::SYN) && self.tp.ecn_flags & ecn_flags::OK != 0
    }
}

/// `TCP_PAWS_WINDOW`: timestamps may be that much older.
const PAWS_WINDOW: i32 = 1;
