//! The window offered: `tcp_select_window()`, `__tcp_select_window()`, `tcp_receive_window()` (net/ipv4/tcp_output.c,
//! include/net/tcp.h, Linux 6.12), and its growth, `tcp_grow_window()` (net/ipv4/tcp_input.c).

use super::truesize;
use crate::cell::Sk;
use crate::seq::after;

impl Sk {
    /// `tcp_receive_window()`: what is left of the window offered last.
    pub(crate) fn receive_window(&self) -> u32 {
        let end = self.tp.rcv_wup.wrapping_add(self.tp.rcv_wnd);
        if after(end, self.tp.rcv_nxt) {
            end.wrapping_sub(self.tp.rcv_nxt)
        } else {
            0
        }
    }

    /// `tcp_select_window()`: the window field of the next segment. What was offered is never taken back.
    pub(crate) fn select_window(&mut self) -> u16 {
        let current = self.receive_window();
        let mut new = self.offer();
        let scale = u32::from(self.tp.rx_opt.rcv_wscale());
        if new < current {
            new = current.next_multiple_of(1 << scale);
        }
        self.tp.rcv_wnd = new;
        self.tp.rcv_wup = self.tp.rcv_nxt;
        (new.min(65_535 << scale) >> scale) as u16
    }

    /// `__tcp_select_window()`.
    pub(super) fn offer(&mut self) -> u32 {
        let scale = u32::from(self.tp.rx_opt.rcv_wscale());
        let allowed = self.full_space();
        let mut free = self.space();
        let full = self.tp.window_clamp.min(allowed);
        let mss = u32::from(self.tp.inet_conn.icsk_ack.rcv_mss).min(full);
        if mss == 0 {
            return 0;
        }
        if free < full >> 1 {
            self.tp.inet_conn.icsk_ack.quick = 0;
            free = free >> scale << scale;
            if free < allowed >> 4 || free < mss {
                return 0;
            }
        }
        free = free.min(self.tp.rcv_ssthresh);
        if scale > 0 {
            return free.next_multiple_of(1 << scale);
        }
        let window = self.tp.rcv_wnd;
        if window <= free.saturating_sub(mss) || window > free {
            free / mss * mss
        } else {
            window
        }
    }

    /// `tcp_grow_window()`: a segment with little overhead lets the window grow, and is acknowledged at once.
    pub(super) fn grow_window(&mut self, len: u32) {
        let room = self
            .tp
            .window_clamp
            .min(self.space())
            .saturating_sub(self.tp.rcv_ssthresh);
        if room == 0 {
            return;
        }
        let memory = truesize(len);
        let mut incr = if self.win_from_space(memory) <= len {
            2 * u32::from(self.tp.advmss)
        } else {
            self.grow_window_slowly(len, memory)
        };
        if incr != 0 {
            incr = incr.max(2 * len);
            self.tp.rcv_ssthresh += room.min(incr);
            self.tp.inet_conn.icsk_ack.quick |= 1;
        }
    }

    /// `__tcp_grow_window()`.
    fn grow_window_slowly(&self, len: u32, memory: u32) -> u32 {
        let mut memory = self.win_from_space(memory) >> 1;
        let mut window = self.win_from_space(self.config.rmem[2]) >> 1;
        while self.tp.rcv_ssthresh <= window {
            if memory <= len {
                return 2 * u32::from(self.tp.inet_conn.icsk_ack.rcv_mss);
            }
            memory >>= 1;
            window >>= 1;
        }
        0
    }

    /// `tcp_win_from_space()`.
    pub(super) fn win_from_space(&self, space: u32) -> u32 {
        ((u64::from(space) * u64::from(self.tp.scaling_ratio)) >> 8) as u32
    }

    /// `tcp_space()`: payload that still fits into the buffer.
    fn space(&self) -> u32 {
        let buffer = self.tp.inet_conn.icsk_inet.sk.sk_rcvbuf.max(0) as u32;
        self.win_from_space(buffer.saturating_sub(self.rmem_alloc()))
    }

    /// `tcp_full_space()`.
    pub(crate) fn full_space(&self) -> u32 {
        self.win_from_space(self.tp.inet_conn.icsk_inet.sk.sk_rcvbuf.max(0) as u32)
    }
}
