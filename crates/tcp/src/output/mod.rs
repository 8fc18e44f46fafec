//! Sending: `tcp_write_xmit()` and its tests (net/ipv4/tcp_output.c, Linux 6.12). The parts: [`tso`] how large a burst is,
//! [`transmit`] segments, [`retransmit`] what is sent again, [`validate`] whether the window is used.
//!
//! Not modelled: Nagle's algorithm (as with `TCP_NODELAY`), TCP small queues, path MTU probes.

mod retransmit;
mod transmit;
mod tso;
mod validate;

use crate::cell::Sk;
use crate::consts::{icsk_time, state};
use crate::info::Limit;
use crate::scoreboard::Skb;
use crate::seq::after;
use crate::sock::tcp_sock;

/// How much one call may send (`push_one`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushOne {
    /// What the windows allow.
    No,
    /// One burst, even if the congestion window is full: a tail loss probe.
    Probe,
}

impl Sk {
    /// `__tcp_push_pending_frames()`.
    pub(crate) fn push_pending_frames(&mut self) {
        self.app_fill();
        if self.unsent() > 0
            && !matches!(
                self.state(),
                state::CLOSE | state::LISTEN | state::SYN_SENT | state::SYN_RECV
            )
        {
            self.mstamp_refresh();
            self.write_xmit(PushOne::No);
        }
    }

    /// Sends new data as far as window, pacing and burst size allow.
    pub(crate) fn write_xmit(&mut self, push_one: PushOne) {
        let mss = self.tp.mss_cache.max(1);
        let max_segs = self.tso_segs(mss);
        let mut sent_pkts = 0;
        let mut is_cwnd_limited = false;
        let mut limit_now = Limit::Algorithm;
        while self.unsent() > 0 {
            if self.pacing_check() {
                break;
            }
            let mut quota = cwnd_quota(&self.tp);
            if quota == 0 {
                if push_one != PushOne::Probe {
                    break;
                }
                quota = 1;
            }
            quota = quota.min(max_segs);
            let len = self.send_head_len(quota.saturating_mul(mss));
            if !self.snd_wnd_test() {
                limit_now = Limit::ReceiveBuffer;
                break;
            }
            let mut limit = mss;
            if len > mss {
                if push_one == PushOne::No && self.tso_should_defer(len, max_segs, &mut is_cwnd_limited) {
                    break;
                }
                limit = self.split_point(len, mss, quota);
            }
            let pcount = self.send_new(len.min(limit), mss);
            sent_pkts += pcount;
            if push_one == PushOne::Probe {
                break;
            }
            self.app_fill();
        }
        if self.unsent() == 0 {
            limit_now = self.app_limit();
        } else if self.fills_offered_window() {
            limit_now = Limit::ReceiveBuffer;
        }
        self.counters.limit = limit_now;
        is_cwnd_limited |= self.tp.packets_in_flight() >= self.tp.snd_cwnd;
        if sent_pkts > 0 || is_cwnd_limited {
            self.cwnd_validate(is_cwnd_limited);
        }
        if sent_pkts > 0 {
            if self.in_cwnd_reduction() {
                self.tp.prr_out = self.tp.prr_out.wrapping_add(sent_pkts);
            }
            if push_one != PushOne::Probe {
                self.schedule_loss_probe(false);
            }
        }
    }

    /// Sends the next `len` bytes as one burst; gives its segments (`tcp_event_new_data_sent()`).
    fn send_new(&mut self, len: u32, mss: u32) -> u32 {
        let seq = self.tp.snd_nxt;
        let pcount = len.div_ceil(mss);
        let mut skb = Skb {
            seq,
            end_seq: seq.wrapping_add(len),
            pcount,
            ..Skb::default()
        };
        self.transmit_burst(&mut skb, mss);
        let prior_packets = self.tp.packets_out;
        self.tp.snd_nxt = skb.end_seq;
        self.tp.packets_out += pcount;
        self.rtx.push(skb);
        if prior_packets == 0 || self.tp.inet_conn.icsk_pending == icsk_time::LOSS_PROBE {
            self.rearm_rto();
        }
        pcount
    }

    /// Whether the receiver's window is smaller than the congestion window, and nearly full. Pacing spreads what is sent, so that the window is seldom full to the
    /// last byte when a burst ends; it decides all the same.
    fn fills_offered_window(&self) -> bool {
        let allowed = u64::from(self.tp.snd_cwnd) * u64::from(self.tp.mss_cache);
        let left = self.wnd_end().wrapping_sub(self.tp.snd_nxt);
        u64::from(self.tp.snd_wnd) < allowed && left <= self.tp.snd_wnd / 8
    }

    /// Bytes of the application that were never sent.
    pub(crate) fn unsent(&self) -> u32 {
        self.tp.write_seq.wrapping_sub(self.tp.snd_nxt)
    }

    /// `tcp_wnd_end()`.
    pub(crate) fn wnd_end(&self) -> u32 {
        self.tp.snd_una.wrapping_add(self.tp.snd_wnd)
    }

    /// `tcp_snd_wnd_test()`: does the next segment fit into the peer's window?
    pub(crate) fn snd_wnd_test(&self) -> bool {
        let first = self.unsent().min(self.tp.mss_cache);
        !after(self.tp.snd_nxt.wrapping_add(first), self.wnd_end())
    }

    /// `tcp_mstamp_refresh()`.
    pub(crate) fn mstamp_refresh(&mut self) {
        self.tp.tcp_clock_cache = self.clock.now.as_nanos();
        self.tp.tcp_mstamp = self.clock.mstamp();
    }

    /// `sk_state`.
    pub(crate) fn state(&self) -> u8 {
        self.tp.inet_conn.icsk_inet.sk.__sk_common.skc_state
    }

    /// `tcp_set_state()`.
    pub(crate) fn set_state(&mut self, state: u8) {
        self.tp.inet_conn.icsk_inet.sk.__sk_common.skc_state = state;
    }
}

/// `tcp_cwnd_test()`: segments that the congestion window allows, at most half of it at once.
fn cwnd_quota(tp: &tcp_sock) -> u32 {
    let in_flight = tp.packets_in_flight();
    if in_flight >= tp.snd_cwnd {
        return 0;
    }
    (tp.snd_cwnd >> 1).max(1).min(tp.snd_cwnd - in_flight)
}
