//! What is sent again: `tcp_xmit_retransmit_queue()`, `tcp_retransmit_skb()` (net/ipv4/tcp_output.c, Linux 6.12), without
//! collapsing of small segments.

use crate::cell::Sk;
use crate::consts::{icsk_time, state};
use crate::scoreboard::{EVER_RETRANS, LOST, RETRANS, SACKED_ACKED, SACKED_RETRANS};
use crate::seq::{after, before};

impl Sk {
    /// Sends what is marked lost, from the lowest on, as far as the window allows.
    pub(crate) fn xmit_retransmit_queue(&mut self) {
        if self.tp.packets_out == 0 || self.state() == state::SYN_SENT {
            return;
        }
        let mss = self.tp.mss_cache.max(1);
        let max_segs = self.tso_segs(mss);
        let mut position = self.retransmit_hint.map_or(0, |seq| self.rtx.position(seq));
        let mut hole = false;
        let mut rearm = false;
        while let Some(id) = self.rtx.at(position) {
            if self.pacing_check() {
                break;
            }
            let skb = *self.rtx.get(id);
            if !hole {
                self.retransmit_hint = Some(skb.seq);
            }
            let room = self.tp.snd_cwnd.saturating_sub(self.tp.packets_in_flight());
            if room == 0 || self.tp.retrans_out >= self.tp.lost_out {
                break;
            }
            if !skb.is(LOST) {
                hole |= !skb.is(SACKED_RETRANS | SACKED_ACKED);
            } else if !skb.is(SACKED_ACKED | SACKED_RETRANS) {
                let Some(sent) = self.retransmit_tagged(position, room.min(max_segs)) else {
                    break;
                };
                if self.in_cwnd_reduction() {
                    self.tp.prr_out = self.tp.prr_out.wrapping_add(sent);
                }
                rearm |= position == 0 && self.tp.inet_conn.icsk_pending != icsk_time::REO_TIMEOUT;
            }
            position += 1;
        }
        if rearm {
            let rto = self.tp.inet_conn.icsk_rto;
            self.reset_xmit_timer(icsk_time::RETRANS, rto);
        }
    }

    /// `tcp_retransmit_skb()`: sends a burst again, at most `segs` segments of it; gives how many, `None` if the peer's
    /// window forbids it.
    pub(crate) fn retransmit_tagged(&mut self, position: usize, segs: u32) -> Option<u32> {
        let sent = self.retransmit_one(position, segs);
        let id = self.rtx.at(position)?;
        let skb = *self.rtx.get(id);
        if sent {
            self.rtx.get_mut(id).sacked |= RETRANS;
            self.tp.retrans_out += skb.pcount;
        }
        if self.tp.retrans_stamp == 0 {
            self.tp.retrans_stamp = skb.timestamp_ms();
        }
        let tp = &mut self.tp;
        tp.undo_retrans = tp.undo_retrans.max(0).saturating_add_unsigned(skb.pcount);
        sent.then_some(skb.pcount)
    }

    /// `__tcp_retransmit_skb()`.
    pub(crate) fn retransmit_one(&mut self, position: usize, segs: u32) -> bool {
        let Some(id) = self.rtx.at(position) else {
            return false;
        };
        let mss = self.tp.mss_cache.max(1);
        if before(self.rtx.get(id).seq, self.tp.snd_una) {
            let una = self.tp.snd_una;
            let skb = self.rtx.get_mut(id);
            skb.seq = una;
            skb.pcount = skb.len().div_ceil(mss).max(1);
        }
        let skb = *self.rtx.get(id);
        let mut room = self.wnd_end().wrapping_sub(skb.seq);
        if !after(self.wnd_end(), skb.seq) {
            // The window was taken back. The first segment is sent all the same, to ask for a new one.
            if skb.seq != self.tp.snd_una {
                return false;
            }
            room = mss;
        }
        let mut len = mss.saturating_mul(segs.max(1));
        if len > room {
            len = match room / mss * mss {
                0 => room,
                whole => whole,
            };
        }
        if skb.len() > len {
            self.rtx.split(position, len, mss);
        }
        let mut skb = *self.rtx.get(id);
        self.tp.total_retrans = self.tp.total_retrans.wrapping_add(skb.pcount);
        self.tp.bytes_retrans += u64::from(skb.len());
        self.transmit_burst(&mut skb, mss);
        skb.sacked |= EVER_RETRANS;
        let stored = self.rtx.get_mut(id);
        stored.mstamp_ns = skb.mstamp_ns;
        stored.tx = skb.tx;
        stored.sacked = skb.sacked;
        self.rtx.move_to_tail(id);
        true
    }
}
