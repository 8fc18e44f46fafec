//! How large a burst is and whether to wait for a larger one: `tcp_tso_autosize()`, `tcp_tso_should_defer()`,
//! `tcp_mss_split_point()` (net/ipv4/tcp_output.c, Linux 6.12).
//!
//! The application's data lies in skbs of [`size_goal`](Sk::size_goal) bytes, as `tcp_sendmsg()` makes them. The rule for
//! deferral looks at the first of them, so the sender keeps track of where it ends ([`Sk::send_head_len`]).

use crate::cell::Sk;
use crate::consts::ca_state;
use crate::seq::after;

impl Sk {
    /// `tcp_tso_segs()`: segments wanted in one burst.
    pub(crate) fn tso_segs(&mut self, mss: u32) -> u32 {
        let default_min = self.config.min_tso_segs;
        let min_segs = self.ca_min_tso_segs().unwrap_or(default_min);
        let sk = &self.tp.inet_conn.icsk_inet.sk;
        let gso_max = u64::from(sk.sk_gso_max_size);
        let mut bytes = sk.sk_pacing_rate >> u32::from(sk.sk_pacing_shift).min(63);
        let halvings = self.tp.min_rtt_us().checked_shr(self.config.tso_rtt_log).unwrap_or(0);
        if halvings < u32::BITS {
            bytes = bytes.saturating_add(gso_max >> halvings);
        }
        let segs = bytes.min(gso_max) / u64::from(mss);
        (segs as u32).max(min_segs).min(u32::from(sk.sk_gso_max_segs)).max(1)
    }

    /// `tcp_mss_split_point()`: bytes of the head of `len` bytes that may go now.
    pub(super) fn split_point(&self, len: u32, mss: u32, quota: u32) -> u32 {
        let window = self.wnd_end().wrapping_sub(self.tp.snd_nxt);
        let max_len = mss.saturating_mul(quota);
        if max_len <= window && len < self.unsent() {
            return max_len;
        }
        let needed = len.min(window);
        if max_len <= needed { max_len } else { needed }
    }

    /// `tcp_tso_should_defer()`: a larger burst is likely to be possible soon.
    pub(super) fn tso_should_defer(&self, len: u32, max_segs: u32, is_cwnd_limited: &mut bool) -> bool {
        let tp = &self.tp;
        if self.ca_state() >= ca_state::RECOVERY {
            return false;
        }
        // Not if the last packet left more than a millisecond ago.
        if tp.tcp_clock_cache > tp.tcp_wstamp_ns.saturating_add(MILLISECOND) {
            return false;
        }
        let mss = u64::from(tp.mss_cache);
        let send_win = u64::from(self.wnd_end().wrapping_sub(tp.snd_nxt));
        let cong_win = u64::from(tp.snd_cwnd.saturating_sub(tp.packets_in_flight())) * mss;
        let limit = send_win.min(cong_win);
        let len = u64::from(len);
        let is_tail = len >= u64::from(self.unsent());
        if limit >= u64::from(max_segs) * mss || (!is_tail && limit >= len) {
            return false;
        }
        let window = u64::from(tp.snd_wnd).min(u64::from(tp.snd_cwnd) * mss);
        let enough = match u64::from(self.config.tso_win_divisor) {
            0 => limit > 3 * mss,
            divisor => limit >= window / divisor,
        };
        if enough || self.next_ack_is_far() {
            return false;
        }
        if cong_win < send_win {
            if cong_win <= len {
                *is_cwnd_limited = true;
                return true;
            }
        } else if send_win <= len {
            return true;
        }
        true
    }

    /// Is the next ACK expected later than in half a round trip or a millisecond?
    fn next_ack_is_far(&self) -> bool {
        let Some(head) = self.rtx.head() else {
            return true;
        };
        let srtt_ns = u64::from(self.tp.srtt_us) * (1_000 / 8);
        let expected = self.rtx.get(head).mstamp_ns.saturating_add(srtt_ns);
        let threshold = (srtt_ns >> 1).min(MILLISECOND);
        expected.saturating_sub(self.tp.tcp_clock_cache) > threshold
    }

    /// Bytes of the first skb that waits. It takes bytes from the next one when it is smaller than `want`
    /// (`tcp_grow_skb()`).
    pub(super) fn send_head_len(&mut self, want: u32) -> u32 {
        let unsent = self.unsent();
        if !after(self.chunk_end, self.tp.snd_nxt) {
            let goal = self.size_goal();
            let behind = self.tp.snd_nxt.wrapping_sub(self.chunk_end);
            let chunks = behind / goal + 1;
            self.chunk_end = self.chunk_end.wrapping_add(chunks.wrapping_mul(goal));
        }
        let head = self.chunk_end.wrapping_sub(self.tp.snd_nxt);
        head.max(want).min(unsent)
    }

    /// `tcp_xmit_size_goal()`: bytes of a full skb.
    fn size_goal(&mut self) -> u32 {
        let mss = self.tp.mss_cache.max(1);
        let max = self.tp.inet_conn.icsk_inet.sk.sk_gso_max_size;
        let half_window = self.tp.max_window >> 1;
        let max = if half_window > 0 {
            max.min(half_window.max(536))
        } else {
            max
        };
        let segs = (max / mss).clamp(1, u32::from(u16::MAX));
        self.tp.gso_segs = segs as u16;
        segs * mss
    }
}

const MILLISECOND: u64 = 1_000_000;
